"""Writes a new plugin from a template: a whole distribution that installs, passes its test and trains at once."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from packaging.version import Version

from ganzoo._io import exists, read_bytes, replace_folder, write_bytes
from ganzoo._names import NAME_PATTERN, NAME_RULE, normalize_name
from ganzoo._version import __version__
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.firstparty import first_party
from ganzoo.plugins.install.tools import installed_version

TEMPLATES = Path(__file__).parent / "template"
KINDS = {
    "architecture": ("architecture", "recipe"),
    "loss": ("loss", "recipe"),
    "code": ("architecture", "loss", "callback", "recipe"),
}
"""What each template may register under the short name of the plugin."""
PREFIX = "ganzoo-"
"""What the names of all plugins begin with, so that people find them."""


def scaffold(
    name: str, kind: str, parent: Path = Path(), summary: str = "", more: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[Path, str]:
    """Write a distribution into a new folder of its name; return the folder and the plugin's short name.

    The distribution is called `name`, with "ganzoo-" before it where that is missing. `kind` is "architecture", "loss"
    or "code": the template for `more`, the files of the package by their names. Raises `BadInput` for a name that
    cannot be installed or imported, or that is taken, and for a folder that already exists or cannot be written.
    """
    words = placeholders(name, summary or f"The {kind} NAME")
    folder = check_free(words, kind, parent)
    with replace_folder(folder) as part:
        for path, content in fill_templates(kind, words).items():
            write_into(part, path, content)
        for file, content in more.items():
            write_into(part, f"{words['PACKAGE']}/{file}", content)
    return folder, words["NAME"]


def placeholders(name: str, summary: str = "") -> dict[str, str]:
    """Return the placeholders of the templates with their values. Raises `BadInput` for a name that cannot be used."""
    if not NAME_PATTERN.fullmatch(name):
        raise BadInput(f"'{name}' is not a valid name for a plugin: {NAME_RULE}{propose(name)}")
    if normalize_name(name) == PREFIX.strip("-"):
        raise BadInput(f"'{name}' is ganzoo itself; choose another name, such as {PREFIX}mine")
    distribution = name if normalize_name(name).startswith(PREFIX) else f"{PREFIX}{name}"
    package = normalize_name(distribution).replace("-", "_")
    short = normalize_name(distribution).removeprefix(PREFIX)
    words = {"DISTRIBUTION": distribution, "PACKAGE": package, "NAME": short, "REQUIREMENT": requirement(__version__)}
    return words | {"SUMMARY": fill_template(summary, words)}


def propose(name: str) -> str:
    """Return the second half of a message about a name that is not valid: a valid one like it, if there is one."""
    near = normalize_name("-".join(re.findall(r"[A-Za-z0-9._-]+", name))).strip("-")
    return f"; did you mean '{near}'?" if NAME_PATTERN.fullmatch(near) else ""


def requirement(version: str) -> str:
    """Return the requirement of a plugin made with this version of ganzoo: until the next version that may break it."""
    made_with = Version(version)
    lowest = made_with.public if made_with.is_prerelease else f"{made_with.major}.{made_with.minor}"
    limit = f"{made_with.major + 1}" if made_with.major else f"0.{made_with.minor + 1}"
    return f"ganzoo>={lowest},<{limit}"


def check_free(words: dict[str, str], kind: str, parent: Path) -> Path:
    """Return the folder of a new plugin. Raises `BadInput` where it, or the name, is taken."""
    folder = parent / words["DISTRIBUTION"]
    if exists(folder):
        raise BadInput(f"{folder} already exists; choose another name, or another place with --out")
    check_taken(words, kind)
    return folder


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
        if thing.kind in KINDS[kind] and thing.name == short:
            raise BadInput(f"{thing.distribution} already brings the {thing.kind} '{short}'; choose another name")


def fill_templates(kind: str, words: Mapping[str, str]) -> dict[str, bytes]:
    """Return the filled files of a kind's template by their paths, with those that every plugin has."""
    found: dict[str, bytes] = {}
    for folder in (TEMPLATES / "common", TEMPLATES / kind):
        for path in template_files(folder):
            text = fill_template(read_bytes(path).decode(), words)
            found[fill_template(path.relative_to(folder).as_posix(), words)] = text.encode()
    return found


def template_files(folder: Path) -> list[Path]:
    """Return every file of a template, without the byte code that an installer may have left there."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def write_into(folder: Path, path: str, content: bytes) -> None:
    """Write a file below a folder, and the folders on the way to it."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, content)


def fill_template(text: str, words: Mapping[str, str]) -> str:
    """Return a text with every placeholder replaced."""
    return re.sub("|".join(words), lambda found: words[found[0]], text)
