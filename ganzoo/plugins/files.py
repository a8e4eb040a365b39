"""Classes in a Python file, named `PATH.py:Class` wherever the name of a plugin's class stands. No torch here.

A file is run only where its user asks for it. It stands alone: it may import whatever is installed, and its folder is
not on Python's path. Each content of a file is a module of its own, under a private name.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from ganzoo._io import expand_user, read_bytes, sha256
from ganzoo._names import one_line
from ganzoo.errors import BadInput, suggest
from ganzoo.plugins.registration import Registration, running_plugin_code

REFERENCE = re.compile(r"(?P<file>.+\.py)(:(?P<name>[^:/\\]*))?", re.DOTALL)
"""A file and perhaps a class in it. The file may have a colon too: that of a drive."""
MAX_BYTES = 10_000_000
"""The largest file that is taken for Python code."""
PUBLIC_VERSION_DIGITS = 12


@dataclass(frozen=True)
class InFile(Registration):
    """A class in a file, which stands in for a plugin: the file is its distribution, the hash of it the version."""

    content: bytes = field(default=b"", repr=False)
    given_as: ClassVar[str | None] = "file"

    @property
    def published_as(self) -> str:
        """The name of the file without its folder, in characters that a config may have."""
        return re.sub(r"[^\w.+!-]", "_", Path(self.distribution).name)[-100:]

    @property
    def sha256(self) -> str:
        """The hash of the file's content."""
        return sha256(self.content)

    @property
    def classes(self) -> dict[str, type]:
        """The classes that the file defines."""
        return own_classes(load_file(Path(self.distribution), self.content))

    def resolve(self, part: str) -> Any:
        """Return the class, or whatever else has its name."""
        return getattr(load_file(Path(self.distribution), self.content), self.name)


def is_in_file(name: str) -> bool:
    """Return whether a name is that of a class in a file."""
    return REFERENCE.fullmatch(name) is not None


def split_reference(name: str) -> tuple[Path, str]:
    """Return the file and the class of a name for which `is_in_file` is true; the class may be missing."""
    found = REFERENCE.fullmatch(name)
    if found is None:
        raise BadInput(f"'{name}' is not PATH.py:Class")
    return Path(found["file"]), (found["name"] or "").strip()


def make_absolute(name: str, folder: Path) -> str:
    """Return the name of a class in a file that is valid from any folder; a relative path begins in `folder`."""
    path, cls = split_reference(name)
    path = folder / expand_user(path)
    # A link keeps its name, as what it leads to may not end in .py.
    return ":".join([str(path.parent.resolve() / path.name), *([cls] if cls else [])])


def find_in_file(kind: str, part: str, name: str, fits: Callable[[Any], bool]) -> InFile:
    """Find a class in a file, which is run for it; without a class in its name, the only one there that `fits`.

    `part` is what it is wanted for: "generator", "loss" and so on. Raises `BadInput` for a file that cannot be read or
    run, and for a class that it does not have.
    """
    path, cls = split_reference(name)
    if not path.is_file() and not path.is_dir():
        raise BadInput(f"there is no file '{path}'{hint_at_other(path)}")
    return choose_class(kind, part, path, read_bytes(path, MAX_BYTES), cls, fits)


def choose_class(kind: str, part: str, path: Path, content: bytes, cls: str, fits: Callable[[Any], bool]) -> InFile:
    """Find a class in the content of a file, as `find_in_file` does."""
    module = load_file(path, content)
    fitting = [each for each, found in own_classes(module).items() if fits(found)]
    if not cls and len(fitting) != 1:
        several = (
            f"has {', '.join(fitting)}; write one of them, as in {path.name}:{fitting[0]}" if fitting else "has none"
        )
        raise BadInput(f"'{path}' without a class stands for the only {part} in it, and it {several}")
    cls = cls or fitting[0]
    if not hasattr(module, cls):
        raise BadInput(f"'{path}' has no '{cls}'; {suggest(cls, fitting or own_classes(module))}")
    return InFile(kind, cls, str(path), sha256(content)[:PUBLIC_VERSION_DIGITS], {}, content)


def hint_at_other(path: Path) -> str:
    """Return where else a file is that does not exist: here, or beside its path under a similar name."""
    here = Path(path.name)
    if here.is_file():
        return f"; there is ./{here}: a path in a recipe begins in the folder of the recipe"
    beside = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
    return f"; {suggest(path.name, beside)}" if beside else ""


def hint_at_file(name: str) -> str:
    """Return how to name a class in a file that there is, for a name that is meant so and is written otherwise."""
    found = re.fullmatch(r"(?P<file>.*?)(\.py)?(:+|\.)?(?P<cls>\w+)?", name, re.DOTALL)
    for stem, cls in ((name, ""), (found["file"], found["cls"] or "") if found else (name, "")):
        path = Path(f"{stem}.py")
        if path.name != ".py" and path.is_file():
            return f"'./{path}{':' * bool(cls)}{cls}'"
    return ""


def own_classes(module: ModuleType) -> dict[str, type]:
    """Return the classes that a module defines and does not import, by name; those with a leading _ are left out."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if isinstance(thing, type) and thing.__module__ == module.__name__ and not name.startswith("_")
    }


@cache
def load_file(path: Path, content: bytes) -> ModuleType:
    """Run the content of a file as a module, once per process. Raises `BadInput` in one sentence with the line."""
    name = f"ganzoo_file_{sha256(os.fsencode(path) + content)[:16]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # where dataclasses and annotations look for it
    try:
        with running_plugin_code(str(path)):
            exec(compile(content, str(path), "exec", dont_inherit=True), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may even call sys.exit
        del sys.modules[name]
        raise BadInput(f"{path} cannot be run: {line_of(error, path)}{describe(error, path)}") from error
    return module


def line_of(error: BaseException, path: Path) -> str:
    """Return the line of a file that an error comes from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) and not lines else next(reversed(lines), None)
    return f"line {line}: " if line else ""


def describe(error: BaseException, path: Path) -> str:
    """Return what an error says; of a module that lies beside the file, why it is not found."""
    said = f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else one_line(error)
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing and (path.with_name(missing).is_dir() or path.with_name(f"{missing}.py").is_file()):
        return f"{said}; files beside it are not found: put all into one file, or set PYTHONPATH={path.parent}"
    return said
