"""Folders of installed distributions, as an installer leaves them."""

import textwrap
from pathlib import Path

from ganzoo._names import normalize_name


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name: str, code: str, version: str = "1.0", requires: str = "ganzoo>=0.1", entry: str = ""
    ) -> str:
        """Leave behind what installing a distribution with one module and one entry point leaves."""
        module = name.replace("-", "_")
        package = self.folder / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(textwrap.dedent(code))
        about = self.folder / f"{module}-{version}.dist-info"
        about.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requires}"] if requires else []
        (about / "METADATA").write_text("\n".join(lines) + "\n")
        (about / "entry_points.txt").write_text(f"[ganzoo]\n{entry or normalize_name(name)} = {module}\n")
        return name
