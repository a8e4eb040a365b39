"""Wheels, an index of them, and environments in which plugins are installed."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import ganzoo
from command import Command
from environments import see_ours, site_packages

ROOT = Path(ganzoo.__file__).parent.parent
QUICK = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32"]
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def wheel(folder, name, version="1.0", requires=(), code="", entry="ganzoo"):
    """A wheel of one module, with an entry point in that group."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    files = {
        f"{module}.py": code,
        f"{about}/METADATA": "\n".join(lines) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[{entry}]\n{name} = {module}\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path


def loss(name):
    """The code of a plugin that registers a loss."""
    return f'import ganzoo\n@ganzoo.hookimpl\ndef register_losses(register):\n    register("{name}", "some:Loss")\n'


def remember(site, name, version):
    """Leave the metadata of a distribution without requirements; its code is in the parent environment."""
    about = site / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


class Environment(Command):
    """A virtual environment that has everything of this one, and an index of strangers' wheels."""

    def __init__(self, folder, more=""):
        make = [sys.executable, "-m", "venv", "--without-pip", folder / "venv"]
        subprocess.run(make, check=True, timeout=100)
        super().__init__(folder, folder / "venv" / "bin" / "python")
        self.index = folder / "index"
        self.index.mkdir()
        self.site = site_packages(folder / "venv")
        see_ours(folder / "venv", more)
        # What these need is no business of these tests; and a local version must satisfy the pins.
        for name in ("torch", "torchvision"):
            remember(self.site, name, importlib.metadata.version(name).partition("+")[0] + "+local")
        self.environment |= {
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index), "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.index), "UV_NO_BUILD_ISOLATION": "1", "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1",
        }  # fmt: skip

    def plugins(self):
        return {row["distribution"]: row["version"] for row in json.loads(self("plugins", "--json").stdout)}

    def installed(self):
        """Names and versions that lie in this environment itself."""
        found = importlib.metadata.distributions(path=[str(self.site)])
        return {one.metadata["Name"]: one.version for one in found}


def good(done, code=0):
    assert done.returncode == code, done.stderr
    return done


def sentence(done, code):
    """The last line of standard error, which alone is ganzoo's."""
    assert done.returncode == code, done.stderr
    assert "bug in ganzoo" not in done.stderr
    return done.stderr.splitlines()[-1]


def marked(marker):
    """The code of a stranger's module that leaves a file behind when it is executed."""
    return f"open({str(marker)!r}, 'w')\n"
