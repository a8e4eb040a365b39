"""The plugins of ganzoo's own checkout: installed from there, as on an index their names may belong to anybody."""

import shlex
from collections.abc import Container
from pathlib import Path

from ganzoo._names import normalize_name

PACKAGE_FOLDER = Path(__file__).parent


def first_party() -> list[str]:
    """Return the names of their distributions."""
    return (PACKAGE_FOLDER / "first-party.txt").read_text().split()


def how_to_install(distribution: str) -> str:
    """Return what to type to install a plugin; never the bare name of one of ours, which an index would look up."""
    name = normalize_name(distribution)
    if name not in first_party():
        return f"install that plugin, if you trust its authors: ganzoo install {distribution}"
    folder = PACKAGE_FOLDER.parent.parent / "plugins" / name
    if folder.is_dir():
        return f"ganzoo install {shlex.quote(str(folder))}"
    return f"ganzoo install ./plugins/{name} in a checkout of ganzoo"


def describe_absent(installed: Container[str]) -> str:
    """Say which of our own plugins are not among the normalized names of those that are installed, and how to get them.

    Return an empty string where none is absent, as after any ordinary installation.
    """
    absent = [name for name in first_party() if name not in installed]
    if not absent:
        return ""
    which = "ganzoo's own plugins" if len(absent) == len(first_party()) else ", ".join(absent)
    return f"{which} {'is' if len(absent) == 1 else 'are'} not installed: type 'pip install .' in a checkout of ganzoo"
