"""Code that no plugin brings: a model that is built by it is not published, and a recipe names it without its path."""

import logging
from collections.abc import Iterator
from pathlib import Path

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import BadInput
from ganzoo.plugins.files import split_reference
from ganzoo.recipe.names import is_in_file
from ganzoo.zoo.local import RUN_FOLDERS, LocalModel
from ganzoo.zoo.own import find_same_code, run_or_model

logger = logging.getLogger(__name__)
PARTS = {"architecture": ("generator", "discriminator"), "loss": ("loss",), "callback": ("callback",)}


def check_publishable(local: LocalModel) -> None:
    """Raise `BadInput` for a model whose generator no installed plugin brings: nobody else could build it."""
    wanted = local.config.architecture
    if not wanted.given_as or find_same_code("architecture", "generator", wanted.name, wanted.sha256 or ""):
        return
    what = f"nobody else can build this model: its generator is the class '{wanted.name}' of"
    if wanted.given_as == "object":
        way = "put it into a file, make a plugin of that with 'ganzoo new NAME --from FILE.py', and train with that"
        raise BadInput(f"{what} Python code; {way}")
    source = local.folder.parent if local.folder.name in RUN_FOLDERS else local.folder
    way = f"make a plugin of it with 'ganzoo new NAME --from {source}', install that, and publish again"
    raise BadInput(f"{what} {wanted.distribution}, which no plugin brings; {way}")


def public_name(kind: str, name: str, model: Path) -> str:
    """Return a name in a recipe as others may read it: of a class in a file that of the same code in a plugin.

    If no plugin has it, the file is named without its path, and the log says so.
    """
    if not is_in_file(name):
        return name
    path, cls = split_reference(name)
    for digest in digests_of(path, model):
        for part in PARTS[kind]:
            if same := find_same_code(kind, part, cls, digest):
                return same.full_name
    logger.warning("recipe.toml is published with %s:%s, which no plugin brings, so nobody else has it", path.name, cls)
    return f"{path.name}:{cls}"


def digests_of(path: Path, model: Path) -> Iterator[str]:
    """Yield the hashes of a file as it was when it was trained with, the newest first, and as it is now."""
    copies = (run_or_model(model) / "code").glob(f"{path.stem}-*.py")
    for each in [*sorted(copies, key=lambda copy: copy.stat().st_mtime, reverse=True), path]:
        if each.is_file():
            yield sha256(read_bytes(each))
