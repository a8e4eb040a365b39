"""What `ganzoo install` accepts: package names, folders, wheels and addresses."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ganzoo._io import exists, expand_user
from ganzoo._names import normalize_name
from ganzoo._reading import read_toml
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party, how_to_install

ADDRESS = re.compile(r"[a-z+]+://\S+")
GITHUB_ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+(@[\w./-]+)?/?")
FOUNDATIONS = ("ganzoo", "torch", "torchvision")
"""Distributions that every plugin builds on: never installed or replaced along with a plugin."""


@dataclass(frozen=True)
class InstallTarget:
    """One thing to install: `place` as pip and uv take it, and the normalized name of its distribution, if known."""

    place: str
    name: str = ""
    is_folder: bool = False

    def __post_init__(self) -> None:
        if self.name in FOUNDATIONS:
            raise BadInput(f"'ganzoo install' is for plugins; install {self.name} itself with pip or uv")


def parse_target(word: str) -> InstallTarget:
    """Return what a word of the command line stands for.

    Raises `BadInput` for a word that stands for nothing, for the name of a first-party plugin, and for the name of an
    architecture or anything else that is already here: on an index such a name may belong to anybody.
    """
    if ADDRESS.fullmatch(word):
        file = PurePosixPath(unquote(urlsplit(word).path))
        name = wheel_name(file) if file.suffix == ".whl" else ""
        return InstallTarget(f"git+{word}" if GITHUB_ADDRESS.fullmatch(word) else word, name)
    if "://" in word:
        return parse_requirement(word)
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
    """Return the target for a package name, which may come with extras, versions or an address."""
    try:
        requirement = Requirement(word)
    except InvalidRequirement as error:
        kinds = "a package name, a folder with a pyproject.toml, a wheel or an address such as git+https://..."
        raise BadInput(f"'{word}' is not {kinds}") from error
    name = normalize_name(requirement.name)
    if not requirement.url:
        check_fetchable(name, word)
    elif GITHUB_ADDRESS.fullmatch(requirement.url):
        return InstallTarget(word.replace(requirement.url, f"git+{requirement.url}"), name)
    return InstallTarget(word, name)


def check_fetchable(name: str, word: str) -> None:
    """Raise `BadInput` for a name that must not be looked up on an index."""
    if name in first_party():
        raise BadInput(f"'{name}' is not fetched by name, as it comes with ganzoo's checkout: {how_to_install(name)}")
    for thing in catalog().provided:
        if thing.kind in ("kind", "metrics"):  # common words, which nobody types to get samples
            continue
        if name == normalize_name(thing.name) != normalize_name(thing.distribution):
            raise BadInput(f"'{word}' is the {thing.kind} of {thing.distribution}, which is already installed")


def project_name(path: Path) -> str:
    """Return the name in a pyproject.toml, or an empty string. Raises `BadInput` for a file that is not TOML."""
    project = read_toml(path).get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return normalize_name(name) if isinstance(name, str) else ""


def wheel_name(path: PurePath) -> str:
    """Return the distribution's name in the file name of a wheel. Raises `BadInput` for any other file name."""
    try:
        return normalize_name(parse_wheel_filename(path.name)[0])
    except InvalidWheelFilename as error:
        raise BadInput(f"{path} is not a wheel: {error}") from error
