"""The generator of a model that no plugin brings: its class stands in a file, or Python code gave it.

A model is data, so nothing in its folder is run. The class comes from what the user gives now or has trained with: an
object or a class from Python code, a file given by name, or the very content that a hash in the config stands for.
"""

import logging
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from ganzoo._io import read_bytes, sha256
from ganzoo.contract import Generator
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.files import choose_class, is_in_file, make_absolute
from ganzoo.plugins.kept import OFFERED, find_kept, keep, kept_file
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import ResolvedClass, resolve_class
from ganzoo.recipe.given import FromPython, NetworkLike, name_given
from ganzoo.recipe.lookup import is_fit, load_class
from ganzoo.zoo.config import CheckedArchitecture
from ganzoo.zoo.local import RUN_FOLDERS, LocalModel

B = TypeVar("B")
logger = logging.getLogger(__name__)

GENERATORS: dict[Path, NetworkLike] = {}
"""What Python code has given in this process as the generator of a run or model folder."""


def remember(folder: Path, generator: NetworkLike | None) -> None:
    """Remember for this process what Python code gives as the generator of a run or model folder; None for nothing."""
    GENERATORS.pop(run_or_model(folder), None)
    if generator is not None:
        GENERATORS[run_or_model(folder)] = generator


def recall(folder: Path) -> NetworkLike | None:
    """Return what Python code has given in this process as the generator of a run or model folder."""
    return GENERATORS.get(run_or_model(folder))


def run_or_model(folder: Path) -> Path:
    """Return the run that a model folder belongs to, or else the folder itself."""
    folder = folder.resolve()
    in_run = folder.name in RUN_FOLDERS and (folder.parent / "recipe.toml").is_file()
    return folder.parent if in_run else folder


def resolve_given(generator: NetworkLike, name: str) -> ResolvedClass[Generator]:
    """Find the class that the user gives for the generator `name`: a class, an object, or the name of either.

    Of a file without a class in its name, the class called `name` is taken.
    """
    if isinstance(generator, str | Path) and is_in_file(str(generator)):
        reference = make_absolute(str(generator), Path())
        generator = f"{reference}:{name}" if reference.endswith(".py") else reference
    changes, given = name_given(None, generator, None)
    return resolve_class("architecture", str(changes["architecture.generator.name"]), "generator", Generator, given)


def resolve_own(local: LocalModel, wanted: CheckedArchitecture) -> ResolvedClass[Generator]:
    """Find the generator's class of a model that no plugin brings. Raises `BadInput` that says what to give."""
    if (thing := recall(local.folder)) is not None:
        return resolve_given(thing, wanted.name)
    if wanted.given_as == "file" and wanted.sha256:
        if same := find_same_code("architecture", "generator", wanted.name, wanted.sha256):
            return ResolvedClass(same, load_class(same, "generator", Generator))
        if content := find_kept(wanted.sha256):
            return class_in(kept_file(wanted.sha256), content, wanted.name, "generator", Generator)
        if path := choose_offered(wanted):
            return class_in(path, OFFERED[path], wanted.name, "generator", Generator)
    raise BadInput(describe_missing(local, wanted))


def is_object(part: ResolvedClass[Generator]) -> bool:
    """Return whether Python code gave an object and not a class."""
    return isinstance(part.registration, FromPython) and not isinstance(part.registration.thing, type)


def class_in(path: Path, content: bytes, name: str, side: str, base: type[B]) -> ResolvedClass[B]:
    """Return the class of a generator or discriminator in a file that the user trusts, and keep the file."""
    found = choose_class("architecture", side, path, content, name, lambda cls: is_fit(cls, side, base))
    part: ResolvedClass[B] = ResolvedClass(found, load_class(found, side, base))
    keep(content)
    return part


def choose_offered(wanted: CheckedArchitecture) -> Path | None:
    """Return the offered file that a model needs: the very same, else one with its name, else the only one."""
    same = [path for path, content in OFFERED.items() if sha256(content) == wanted.sha256]
    named = [path for path in OFFERED if path.name == wanted.distribution]
    found = next(iter([*same, *named, *(OFFERED if len(OFFERED) == 1 else [])]), None)
    if found and not same:
        logger.warning("%s is not the very file that the model was trained with; it is taken for it", found)
    return found


def describe_missing(local: LocalModel, wanted: CheckedArchitecture) -> str:
    """Return the sentence about a model whose generator must be given."""
    what = f"the generator of {local.folder} is the class '{wanted.name}'"
    if wanted.given_as == "object":
        return (
            f"{what} of Python code ({wanted.distribution}): give it again, ganzoo.load(..., generator={wanted.name})"
        )
    copies = sorted((local.folder.parent / "code").glob(f"*-{str(wanted.sha256)[:8]}.py"))
    file = copies[0] if copies else f"./{wanted.distribution}"
    where = f"{what} of the file {wanted.distribution}, which is not a plugin's and was not trained with here"
    return f"{where}; give it if you trust it: --code {file}, or ganzoo.load(..., generator='{file}')"


def find_same_code(kind: str, part: str, cls: str, digest: str) -> Registration | None:
    """Find the registration of an installed plugin whose class has that name and whose module has that content."""
    for thing in catalog().provided:
        module, _, attribute = thing.targets.get(part, "").partition(":")
        if thing.kind == kind and attribute == cls and digest in contents_of(module):
            return thing
    return None


def contents_of(module: str) -> Iterator[str]:
    """Yield the hash of a module's file, if there is one; its package is imported for it, and not the module."""
    try:
        spec: Any = find_spec(module)
    except Exception:  # whatever the package does
        return
    if spec is not None and spec.has_location:
        yield sha256(read_bytes(Path(spec.origin)))
