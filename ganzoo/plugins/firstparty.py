"""The plugins of ganzoo's own checkout: installed from there, as on an index their names may be anybody's."""

import shlex
from pathlib import Path

from ganzoo._names import normalize_name

HERE = Path(__file__).parent


def first_party() -> list[str]:
    """The names of their distributions."""
    return (HERE / "first-party.txt").read_text().split()


def how_to_install(distribution: str) -> str:
    """What to type for a plugin; never the name of one of ours, which an index would look up."""
    name = normalize_name(distribution)
    if name not in first_party():
        return f"install that plugin, if you trust those who made it, such as with ganzoo install {distribution}"
    folder = HERE.parent.parent / "plugins" / name
    if folder.is_dir():
        return f"ganzoo install {shlex.quote(str(folder))}"
    return f"ganzoo install ./plugins/{name} in a checkout of ganzoo"
