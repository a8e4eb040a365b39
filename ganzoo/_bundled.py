"""The plugins that come with ganzoo: distributions in a folder of its wheel, where only ganzoo looks for them.

Package installers do not see them, so none replaces one, and none writes their names, which on an index may be
anybody's, into a list of what to fetch. A plugin that is installed by itself is found first.
"""

import site
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution


@cache
def bundled_folder() -> Path | None:
    """Return the folder of the distributions that come with ganzoo; None where it was built without plugins."""
    spec = PathFinder.find_spec("ganzoo_bundled")  # beside the package, or beside the metadata of an editable one
    return next(map(Path, spec.submodule_search_locations or ()), None) if spec else None


def add_bundled() -> None:
    """Put that folder, and what is edited elsewhere, at the end of Python's path."""
    if folder := bundled_folder():
        site.addsitedir(str(folder))


def is_bundled(each: "Distribution") -> bool:
    """Return whether a distribution came with ganzoo."""
    return Path(str(each.locate_file(""))) == bundled_folder()
