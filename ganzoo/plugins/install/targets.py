"""What the words of 'ganzoo install' stand for: package names, folders, wheels and addresses."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ganzoo._io import exists, expand_user, read_bytes
from ganzoo._names import normalize_name
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party, how_to_install

ADDRESS = re.compile(r"[a-z+]+://\S+")
ON_GITHUB = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+(@[\w./-]+)?/?")
GROUNDS = ("ganzoo", "torch", "torchvision")
"""What every plugin stands on: never fetched or replaced in passing."""


@dataclass(frozen=True)
class InstallTarget:
    """One thing to install: `place` as an installer takes it, and the normal name of its distribution, if known."""

    place: str
    name: str = ""
    is_folder: bool = False

    def __post_init__(self) -> None:
        if self.name in GROUNDS:
            raise BadInput(f"'ganzoo install' brings plugins; what they stand on, such as {self.name}, it leaves alone")


def parse_target(word: str) -> InstallTarget:
    """What a word stands for.

    Raises `BadInput` for one that stands for nothing, for a first-party name, and for the name of an architecture or
    another thing that is here already: on an index that may be anybody's.
    """
    if ADDRESS.fullmatch(word):
        file = PurePosixPath(unquote(urlsplit(word).path))
        name = wheel_name(file) if file.suffix == ".whl" else ""
        return InstallTarget(f"git+{word}" if ON_GITHUB.fullmatch(word) else word, name)
    path = expand_user(Path(word))
    if word and exists(path):
        if (path / "pyproject.toml").is_file():
            return InstallTarget(str(path.resolve()), project_name(path / "pyproject.toml"), is_folder=True)
        if path.suffix == ".whl":
            return InstallTarget(str(path.resolve()), wheel_name(path))
    if path.suffix == ".whl":
        raise BadInput(f"there is no wheel {path}")
    return parse_requirement(word)


def parse_requirement(word: str) -> InstallTarget:
    """A package by name, with extras, versions or an address of its own."""
    try:
        requirement = Requirement(word)
    except InvalidRequirement as error:
        kinds = "no package name, no folder with a pyproject.toml, no wheel and no address such as git+https://..."
        raise BadInput(f"'{word}' is {kinds}") from error
    name = normalize_name(requirement.name)
    if name in first_party() and not requirement.url:
        raise BadInput(f"'{name}' is not fetched by name, as it comes with ganzoo's checkout: {how_to_install(name)}")
    for thing in catalog().provided:
        if name == normalize_name(thing.name) != normalize_name(thing.distribution) and not requirement.url:
            raise BadInput(f"'{word}' is the {thing.kind} that {thing.distribution} brings, and is here already")
    return InstallTarget(word, name)


def project_name(path: Path) -> str:
    """The name in a pyproject.toml, empty where it says none. Raises `BadInput` where that is no TOML."""
    try:
        project = tomllib.loads(read_bytes(path).decode()).get("project")
    except ValueError as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    name = project.get("name") if isinstance(project, dict) else None
    return normalize_name(name) if isinstance(name, str) else ""


def wheel_name(path: PurePath) -> str:
    """The name in a wheel's file name."""
    try:
        return normalize_name(parse_wheel_filename(path.name)[0])
    except InvalidWheelFilename as error:
        raise BadInput(f"{path} is no wheel: {error}") from error
