"""What every plugin promises of its registration, whatever it registers."""

import os
import subprocess
import sys

from ganzoo.plugins.catalog import catalog
from ganzoo.testing.check import require

LIST_PLUGINS = (
    "import sys; from ganzoo.plugins.catalog import catalog; catalog(); sys.exit(3 * ('torch' in sys.modules))"
)
"""Lists all plugins, and exits with 3 where that imports torch."""


def imports_no_torch(distribution: str) -> None:
    """Registering does not import torch, which would slow down every command."""
    # -P: nothing of the current folder is imported
    command = [sys.executable, "-P", "-c", LIST_PLUGINS]
    ended = subprocess.run(command, env=environment_for(distribution), capture_output=True, text=True, check=False)
    advice = "register 'package.module:Class' and import torch in that module only"
    require(ended.returncode != 3, f"registering imports torch: {advice}")
    last_line = ended.stderr.strip().rpartition("\n")[2]
    require(not ended.returncode, f"a new process cannot list the plugin: {last_line}")


def environment_for(distribution: str) -> dict[str, str]:
    """Return variables for a process that imports from where this one does, with all other plugins disabled."""
    names = {name for plugin in catalog().plugins for name in (plugin.distribution, plugin.entry.name)}
    own = {name for plugin in catalog().of(distribution) for name in (plugin.distribution, plugin.entry.name)}
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, "GANZOO_DISABLE_PLUGINS": ",".join(sorted(names - own))}
