"""A new plugin from a template: a whole distribution that installs, passes its test and trains at once."""

import importlib.util
import keyword
import re
from pathlib import Path

from packaging.version import Version

from ganzoo._io import exists, read_bytes, replace_folder, write_bytes
from ganzoo._names import NAME_PATTERN, normalize_name
from ganzoo._version import __version__
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party
from ganzoo.plugins.install.tools import installed_version

TEMPLATES = Path(__file__).parent / "template"
BESIDE = ("build", "dist", "runs", "tests")
"""Folders that lie beside a plugin's package."""


def scaffold(name: str, kind: str, parent: Path = Path()) -> tuple[Path, str]:
    """Write the distribution `name` into a new folder of that name, and return it and what the plugin is called.

    `kind` is "architecture" or "loss". Raises `BadInput` for a name that cannot be installed or imported, for one
    that something else has, and for a folder that is there already or cannot be written.
    """
    folder = parent / name
    words = placeholders(name)
    if exists(folder):
        raise BadInput(f"{folder} is there already; choose another name, or --out for another place")
    check_taken(words, kind)
    with replace_folder(folder) as part:
        for path in template_files(kind):
            target = part / fill_template(str(path.relative_to(TEMPLATES / kind)), words)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(target, fill_template(read_bytes(path).decode(), words).encode())
    return folder, words["NAME"]


def placeholders(name: str) -> dict[str, str]:
    """The words of the templates and what takes their place. Raises `BadInput` for what no distribution is called."""
    if not NAME_PATTERN.fullmatch(name):
        raise BadInput(f"'{name}' is no name for a plugin: lower-case letters and digits, joined by . _ or -")
    package = normalize_name(name).replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise BadInput(f"'{name}' makes no Python package: '{package}' cannot be imported; try 'ganzoo-{name}'")
    if package in BESIDE:
        raise BadInput(f"'{package}' is a folder that lies beside the package; try 'ganzoo-{name}'")
    short = normalize_name(name).removeprefix("ganzoo-")
    return {"DISTRIBUTION": name, "PACKAGE": package, "NAME": short, "REQUIREMENT": requirement(__version__)}


def requirement(version: str) -> str:
    """The versions of ganzoo that a plugin made with this one goes with: until the next that may break it."""
    made = Version(version)
    least = made.public if made.is_prerelease else f"{made.major}.{made.minor}"
    return f"ganzoo>={least},<{made.major + 1 if made.major else f'0.{made.minor + 1}'}"


def check_taken(words: dict[str, str], kind: str) -> None:
    """Raise `BadInput` where the distribution, its package or what it would register has a name that is taken."""
    name, package, short = words["DISTRIBUTION"], words["PACKAGE"], words["NAME"]
    if normalize_name(name) in first_party():
        raise BadInput(f"'{name}' is a plugin that ganzoo's makers have written; choose another name")
    if found := importlib.util.find_spec(package):
        where = found.origin or "this environment"
        raise BadInput(f"the package '{package}' would hide the one in {where}; choose another name")
    if found := installed_version(name):
        raise BadInput(f"installing it would replace the {name} {found} of this environment; choose another name")
    for thing in catalog().provided:
        if thing.kind in (kind, "recipe") and thing.name == short:
            raise BadInput(f"{thing.distribution} already brings the {thing.kind} '{short}'; choose another name")


def template_files(kind: str) -> list[Path]:
    """Every file of a template, but for what an installer has compiled."""
    found = sorted((TEMPLATES / kind).rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def fill_template(text: str, words: dict[str, str]) -> str:
    """A text with every placeholder replaced."""
    return re.sub("|".join(words), lambda found: words[found[0]], text)
