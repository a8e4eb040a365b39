"""The command lines of pip and uv for this very environment."""

import importlib.util
import os
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ganzoo._reading import read_json
from ganzoo.errors import BadInput
from ganzoo.plugins.distributions import came_with_ganzoo, name_and_version
from ganzoo.plugins.install.targets import InstallTarget

UV_PLANNED = re.compile(r"^ [+~] ([\w.-]+)(?:==| @ |$)", re.MULTILINE)
"""A line in which uv names a distribution that it would install."""
CONSTRAINTS = "constraints.txt"
"""File of constraints for everything that is installed."""
OWN_CONSTRAINTS = "own-constraints.txt"
"""File of constraints for ganzoo and its own plugins only."""
BUILD_CONSTRAINTS = "build-constraints.txt"
"""File of constraints for what builds fetch."""
MAX_REPORT_BYTES = 200_000_000
"""The largest report of pip that is read: it has the whole description of every distribution."""


class Pip:
    """Command lines of this environment's pip, never of a pip.py in the current folder."""

    name = "pip"
    command = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check")

    def version(self, name: str) -> str:
        """Return the version of a distribution that pip sees as installed, or an empty string."""
        return installed_version(name)

    def install(self, targets: Sequence[InstallTarget], folder: Path, editable: bool, upgrade: bool) -> list[str]:
        """Return the command that installs these targets under the constraints in `folder`."""
        flags = ["--upgrade"] if upgrade else []
        constraint = ["--constraint", str(folder / CONSTRAINTS)]
        return [*self.command, "install", *constraint, *flags, *as_arguments(targets, editable)]

    def variables(self, folder: Path) -> dict[str, str]:
        """Return the variables that apply the constraints to build environments; the second counts since pip 25.3."""
        if "PIP_NO_BUILD_ISOLATION" in os.environ:
            return {}
        files = {"PIP_CONSTRAINT": folder / OWN_CONSTRAINTS, "PIP_BUILD_CONSTRAINT": folder / BUILD_CONSTRAINTS}
        return {key: f"{os.environ.get(key, '')} {file.as_uri()}" for key, file in files.items()}

    def dry_run(self, folder: Path) -> list[str]:
        """Return flags with which nothing is installed, and a report of what would be is left in `folder`."""
        return ["--dry-run", "--report", str(folder / "report.json")]

    def planned(self, folder: Path, output: str) -> list[str]:
        """Return the names of the distributions that a dry run would install."""
        report = read_json(folder / "report.json", MAX_REPORT_BYTES)
        return [each["metadata"]["name"] for each in report["install"]]

    def uninstall(self, names: Sequence[str]) -> list[str]:
        """Return the command that uninstalls these distributions without asking."""
        return [*self.command, "uninstall", "--yes", *names]


class Uv:
    """Command lines of uv, with this environment's Python named in each."""

    name = "uv"

    def __init__(self, program: str) -> None:
        self.program = program

    def version(self, name: str) -> str:
        """Return the version of a distribution that uv sees as installed: uv looks at the environment's own folders."""
        own = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
        found = installed_version(name)
        return found if found and Path(str(distribution(name).locate_file(""))).resolve() in own else ""

    def install(self, targets: Sequence[InstallTarget], folder: Path, editable: bool, upgrade: bool) -> list[str]:
        """Return the command that installs these targets under the constraints in `folder`.

        uv's --upgrade would also replace everything that the targets require, so each is named; and uv reuses what it
        built from a folder before, so folders are reinstalled.
        """
        if upgrade and not all(target.name for target in targets):
            raise BadInput("with uv, --upgrade needs the name as well: write 'NAME @ ADDRESS'")
        flags = [f"--upgrade-package={target.name}" for target in targets if upgrade]
        flags += [f"--reinstall-package={target.name}" for target in targets if target.is_folder and target.name]
        constraints = ["--constraint", str(folder / CONSTRAINTS), "--build-constraint", str(folder / BUILD_CONSTRAINTS)]
        return [*self.command("install"), *constraints, *flags, *as_arguments(targets, editable)]

    def variables(self, folder: Path) -> dict[str, str]:
        """Return no variables: uv takes all of it as flags."""
        return {}

    def dry_run(self, folder: Path) -> list[str]:
        """Return flags with which nothing is installed, and what would be is printed."""
        return ["--dry-run", "--color", "never"]

    def planned(self, folder: Path, output: str) -> list[str]:
        """Return the names of the distributions that a dry run would install."""
        return UV_PLANNED.findall(output)

    def uninstall(self, names: Sequence[str]) -> list[str]:
        """Return the command that uninstalls these distributions; uv never asks."""
        return [*self.command("uninstall"), *names]

    def command(self, verb: str) -> list[str]:
        """Return the beginning of every command line."""
        return [self.program, "pip", verb, "--python", sys.executable]


Installer = Pip | Uv


def as_arguments(targets: Iterable[InstallTarget], editable: bool) -> list[str]:
    """Return the targets as the last arguments of a command line."""
    return [word for target in targets for word in (["--editable", target.place] if editable else [target.place])]


def find_installer() -> Installer:
    """Return pip if this environment has it, else uv. Raises `BadInput` with the command that brings pip."""
    if importlib.util.find_spec("pip"):
        return Pip()
    if program := shutil.which("uv"):
        return Uv(program)
    ensurepip = f"{shlex.quote(sys.executable)} -m ensurepip"
    raise BadInput(f"neither pip nor uv is available; install pip, then try again: {ensurepip}")


def installed_version(name: str) -> str:
    """Return the version of an installed distribution; an empty string where it is missing or unreadable.

    The plugins that come inside ganzoo's own wheel are missing: no installer sees them.
    """
    try:
        return "" if came_with_ganzoo(name) else name_and_version(distribution(name))[1]
    except PackageNotFoundError:
        return ""
