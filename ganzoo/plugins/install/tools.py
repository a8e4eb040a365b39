"""The command lines of pip and of uv for this very environment."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from ganzoo.errors import BadInput
from ganzoo.plugins.install.targets import InstallTarget

PLANNED = re.compile(r"^ [+~] ([\w.-]+)(?:==| @ |$)", re.MULTILINE)
"""How uv speaks of what it would install."""
ALL, OWN, BUILDS = "constraints.txt", "own-constraints.txt", "build-constraints.txt"
"""Constraints for everything, for ganzoo and its own plugins alone, and for what builds fetch."""


class Pip:
    """Command lines of the pip of this environment; a pip.py in the current folder is not it."""

    name = "pip"
    words = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check")

    def version(self, name: str) -> str:
        """The version of a distribution that pip sees as installed, empty where there is none."""
        return installed_version(name)

    def install(self, things: Sequence[InstallTarget], folder: Path, editable: bool, upgrade: bool) -> list[str]:
        """Install these, and nothing that the constraints in the folder forbid."""
        flags = ["--upgrade"] if upgrade else []
        return [*self.words, "install", "--constraint", str(folder / ALL), *flags, *places(things, editable)]

    def environment(self, folder: Path) -> dict[str, str]:
        """Variables that bring the constraints into the environments of builds: by the second one since pip 25.3."""
        if "PIP_NO_BUILD_ISOLATION" in os.environ:
            return {}
        files = {"PIP_CONSTRAINT": folder / OWN, "PIP_BUILD_CONSTRAINT": folder / BUILDS}
        return {key: f"{os.environ.get(key, '')} {file.as_uri()}" for key, file in files.items()}

    def rehearse(self, folder: Path) -> list[str]:
        """Flags that install nothing, and leave a report of what would be."""
        return ["--dry-run", "--report", str(folder / "report.json")]

    def planned(self, folder: Path, said: str) -> list[str]:
        """The names of what would be installed."""
        report = json.loads((folder / "report.json").read_text())
        return [thing["metadata"]["name"] for thing in report["install"]]

    def uninstall(self, names: Sequence[str]) -> list[str]:
        """Uninstall these without asking."""
        return [*self.words, "uninstall", "--yes", *names]


class Uv:
    """Command lines of uv, which is told the environment."""

    name = "uv"

    def __init__(self, program: str) -> None:
        self.program = program

    def version(self, name: str) -> str:
        """The version of a distribution that uv sees as installed: it looks at this environment's own folders alone."""
        here = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
        found = installed_version(name)
        return found if found and Path(str(distribution(name).locate_file(""))).resolve() in here else ""

    def install(self, things: Sequence[InstallTarget], folder: Path, editable: bool, upgrade: bool) -> list[str]:
        """Install these, and nothing that the constraints in the folder forbid.

        Its --upgrade would replace everything that these need as well, and what it built from a folder it keeps.
        """
        if upgrade and not all(thing.name for thing in things):
            raise BadInput("with uv, --upgrade needs the name as well: say 'NAME @ ADDRESS'")
        flags = [f"--upgrade-package={thing.name}" for thing in things if upgrade]
        flags += [f"--reinstall-package={thing.name}" for thing in things if thing.is_folder and thing.name]
        constraints = ["--constraint", str(folder / ALL), "--build-constraint", str(folder / BUILDS)]
        return [*self.start("install"), *constraints, *flags, *places(things, editable)]

    def environment(self, folder: Path) -> dict[str, str]:
        """No variables: flags say it all."""
        return {}

    def rehearse(self, folder: Path) -> list[str]:
        """Flags that install nothing, and say what would be."""
        return ["--dry-run", "--color", "never"]

    def planned(self, folder: Path, said: str) -> list[str]:
        """The names of what would be installed."""
        return PLANNED.findall(said)

    def uninstall(self, names: Sequence[str]) -> list[str]:
        """Uninstall these; uv never asks."""
        return [*self.start("uninstall"), *names]

    def start(self, verb: str) -> list[str]:
        """What every command line begins with."""
        return [self.program, "pip", verb, "--python", sys.executable]


def places(things: Iterable[InstallTarget], editable: bool) -> list[str]:
    """The things as the last words of a command line."""
    return [word for thing in things for word in (["--editable", thing.place] if editable else [thing.place])]


def find_installer() -> Pip | Uv:
    """What there is to install with. Raises `BadInput` where there is nothing, with the command that brings it."""
    if importlib.util.find_spec("pip"):
        return Pip()
    if program := shutil.which("uv"):
        return Uv(program)
    brings_pip = f"{shlex.quote(sys.executable)} -m ensurepip"
    raise BadInput(f"there is neither pip nor uv to do that with; run this, and then the same again: {brings_pip}")


def installed_version(name: str) -> str:
    """The version of an installed distribution, empty where there is none."""
    try:
        return version(name) or ""
    except PackageNotFoundError:
        return ""
