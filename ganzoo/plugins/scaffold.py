"""Writes a new plugin from a template: a whole distribution that installs, passes its test and trains at once."""

import importlib.util
import keyword
import re
from pathlib import Path

from packaging.version import Version

from ganzoo._io import exists, read_bytes, replace_folder, write_bytes
from ganzoo._names import NAME_PATTERN, NAME_RULE, normalize_name
from ganzoo._version import __version__
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party
from ganzoo.plugins.install.tools import installed_version

TEMPLATES = Path(__file__).parent / "template"
RESERVED_FOLDERS = ("build", "dist", "runs", "tests")
"""Folders beside a plugin's package, whose names the package cannot have."""


def scaffold(name: str, kind: str, parent: Path = Path()) -> tuple[Path, str]:
    """Write the distribution `name` into a new folder of that name; return the folder and the plugin's short name.

    `kind` is "architecture" or "loss". Raises `BadInput` for a name that cannot be installed or imported, or that is
    taken, and for a folder that already exists or cannot be written.
    """
    folder = parent / name
    words = placeholders(name)
    if exists(folder):
        raise BadInput(f"{folder} already exists; choose another name, or another place with --out")
    check_taken(words, kind)
    with replace_folder(folder) as part:
        for path in template_files(kind):
            target = part / fill_template(str(path.relative_to(TEMPLATES / kind)), words)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(target, fill_template(read_bytes(path).decode(), words).encode())
    return folder, words["NAME"]


def placeholders(name: str) -> dict[str, str]:
    """Return the placeholders of the templates with their values. Raises `BadInput` for a name that cannot be used."""
    if not NAME_PATTERN.fullmatch(name):
        raise BadInput(f"'{name}' is not a valid name for a plugin: {NAME_RULE}")
    package = normalize_name(name).replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise BadInput(f"'{name}' makes no Python package: '{package}' cannot be imported; try 'ganzoo-{name}'")
    if package in RESERVED_FOLDERS:
        raise BadInput(f"'{package}' is the name of a folder beside the package; try 'ganzoo-{name}'")
    short = normalize_name(name).removeprefix("ganzoo-")
    return {"DISTRIBUTION": name, "PACKAGE": package, "NAME": short, "REQUIREMENT": requirement(__version__)}


def requirement(version: str) -> str:
    """Return the requirement of a plugin made with this version of ganzoo: until the next version that may break it."""
    made_with = Version(version)
    lowest = made_with.public if made_with.is_prerelease else f"{made_with.major}.{made_with.minor}"
    limit = f"{made_with.major + 1}" if made_with.major else f"0.{made_with.minor + 1}"
    return f"ganzoo>={lowest},<{limit}"


def check_taken(words: dict[str, str], kind: str) -> None:
    """Raise `BadInput` where the name of the distribution, its package or what it would register is taken."""
    name, package, short = words["DISTRIBUTION"], words["PACKAGE"], words["NAME"]
    if normalize_name(name) in first_party():
        raise BadInput(f"'{name}' is one of ganzoo's own plugins; choose another name")
    if spec := importlib.util.find_spec(package):
        where = spec.origin or "this environment"
        raise BadInput(f"the package '{package}' would hide the one in {where}; choose another name")
    if version := installed_version(name):
        raise BadInput(f"installing it would replace the {name} {version} of this environment; choose another name")
    for thing in catalog().provided:
        if thing.kind in (kind, "recipe") and thing.name == short:
            raise BadInput(f"{thing.distribution} already brings the {thing.kind} '{short}'; choose another name")


def template_files(kind: str) -> list[Path]:
    """Return every file of a template, without the byte code that an installer may have left there."""
    found = sorted((TEMPLATES / kind).rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def fill_template(text: str, words: dict[str, str]) -> str:
    """Return a text with every placeholder replaced."""
    return re.sub("|".join(words), lambda found: words[found[0]], text)
