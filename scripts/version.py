"""Print the version of ganzoo and its plugins, or set it.

    python scripts/version.py           # print every place that says it; exit with 1 where they disagree
    python scripts/version.py 0.2.0     # set all places, then do the same

The heading in CHANGELOG.md is only checked: what changed is for a person to write.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from ganzoo.plugins.scaffold import requirement

ROOT = Path(__file__).parent.parent
RANGE = r"(ganzoo>=[^\"`\s]+)"
"""The versions of ganzoo that a plugin goes with; examples in the docs follow, since the tests install them."""


@dataclass(frozen=True)
class Place:
    """One file and the pattern whose only group is a version, or a range of ganzoo's versions."""

    path: Path
    pattern: str
    is_range: bool = False
    is_written: bool = True

    def read(self) -> str:
        """Return what stands there. Raises `LookupError` where the pattern is not found."""
        found = re.search(self.pattern, self.path.read_text(encoding="utf-8"), re.MULTILINE)
        if not found:
            raise LookupError(f"{self.path}: nothing matches {self.pattern}")
        return found[1]

    def expected(self, version: str) -> str:
        """Return what should stand there for a version of ganzoo."""
        return requirement(version) if self.is_range else version

    def write(self, version: str) -> None:
        """Put what belongs to `version` there."""
        text = self.path.read_bytes().decode()
        new = self.expected(version)
        text = re.sub(self.pattern, lambda found: found[0].replace(found[1], new), text, flags=re.MULTILINE)
        self.path.write_bytes(text.encode())


def places(root: Path) -> list[Place]:
    """Return every place that says the version, ganzoo's own first."""
    plugins = sorted(root.glob("plugins/*/pyproject.toml"))
    return [
        Place(root / "ganzoo" / "_version.py", r'^__version__ = "(\S+)"'),
        *(Place(path, r'^version = "(\S+)"') for path in plugins),
        Place(root / "CITATION.cff", r"^version: (\S+)"),
        Place(root / "CHANGELOG.md", r"^## (\d\S*)", is_written=False),
        *(Place(path, RANGE, is_range=True) for path in plugins),
        *(Place(root / name, RANGE, is_range=True) for name in ("docs/tutorials/plugin-author.md", "docs/plugins.md")),
    ]


def main(words: list[str], root: Path = ROOT) -> int:
    """Set the version that `words` holds, if any, print every place, and return the exit code."""
    found = places(root)
    version = words[0] if words else found[0].read()
    try:
        if str(Version(version)) != version or len(words) > 1:
            raise InvalidVersion
    except InvalidVersion:
        print("say one version, such as 0.2.0 or 0.2.0rc1", file=sys.stderr)
        return 2
    for place in found if words else []:
        if place.is_written and place.read() != place.expected(version):
            place.write(version)
    return report(found, version, root)


def report(found: list[Place], version: str, root: Path) -> int:
    """Print what stands in every place, mark what disagrees with `version`, and return the exit code."""
    wrong = [place for place in found if place.read() != place.expected(version)]
    for place in found:
        note = f"   <- should be {place.expected(version)}" if place in wrong else ""
        print(f"{place.path.relative_to(root).as_posix():45} {place.read()}{note}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
