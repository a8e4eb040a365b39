"""Put the plugins of this checkout into the wheel of ganzoo, each as a distribution of its own.

Each plugin is built as it is built alone, and unpacked into the folder `ganzoo_bundled` of the wheel, where
`ganzoo._bundled` finds it. An editable wheel gets editable plugins. Without a folder `plugins` there are none.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from hatchling import build
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILDS = {
    "standard": (build.build_wheel, "force_include"),
    "editable": (build.build_editable, "force_include_editable"),
}
"""What builds a plugin for each version of a wheel, and the key of hatchling's build data that takes more files."""
NOTE = "The plugins that come with ganzoo. `ganzoo._bundled` puts this folder on Python's path."
"""For those who look into the folder. Being a package, it is found before a folder of that name without any code."""


class BundledPlugins(BuildHookInterface):
    """Builds the plugins and has them included in the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build every plugin into a temporary folder, which goes into the wheel."""
        self.temporary = Path(tempfile.mkdtemp(prefix="ganzoo-build-"))
        builder, included = BUILDS[version]
        for plugin in sorted(Path(self.root, "plugins").glob("*/pyproject.toml")):
            with contextlib.chdir(plugin.parent):  # a build backend works on the current folder (PEP 517)
                wheel = builder(str(self.temporary))
            with ZipFile(self.temporary / wheel) as archive:
                archive.extractall(self.temporary / "ganzoo_bundled")
        if (folder := self.temporary / "ganzoo_bundled").is_dir():
            (folder / "__init__.py").write_text(f'"""{NOTE}"""\n')
            build_data[included][str(folder)] = folder.name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self.temporary, ignore_errors=True)
