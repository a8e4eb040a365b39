"""pip or uv, whichever is there: its command lines for this very environment, and how it is run."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ganzoo.errors import BadInput, Unavailable
from ganzoo.firstparty import first_party, how_to_install
from ganzoo.plugins import normal
from ganzoo.wanted import GROUNDS, Wanted

NEEDS = re.compile(r"depends on ([\w.-]+)(?:\[[^]]*\])?((?:(?:\s|,|and)*[<>=!~]+\s*[\w.*+!]+)*)")
"""How pip and uv both speak of a requirement that they cannot meet."""


class Pip:
    """Command lines of the pip of this environment."""

    name = "pip"
    words = (sys.executable, "-m", "pip", "--disable-pip-version-check")

    def version(self, name: str) -> str:
        """The version of a distribution that pip sees as installed, empty where there is none."""
        return installed_version(name)

    def install(self, things: Sequence[Wanted], constraints: Path, editable: bool, upgrade: bool) -> list[str]:
        """Install these, and nothing that the constraints forbid."""
        flags = ["--upgrade"] if upgrade else []
        return [*self.words, "install", "--constraint", str(constraints), *flags, *places(things, editable)]

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

    def install(self, things: Sequence[Wanted], constraints: Path, editable: bool, upgrade: bool) -> list[str]:
        """Install these, and nothing that the constraints forbid.

        Its --upgrade would replace everything that these need as well, and what it built from a folder it keeps.
        """
        if upgrade and not all(thing.name for thing in things):
            raise BadInput("with uv, --upgrade needs the name as well: say 'NAME @ ADDRESS'")
        flags = [f"--upgrade-package={thing.name}" for thing in things if upgrade]
        flags += [f"--reinstall-package={thing.name}" for thing in things if thing.is_folder and thing.name]
        return [*self.start("install"), "--constraint", str(constraints), *flags, *places(things, editable)]

    def uninstall(self, names: Sequence[str]) -> list[str]:
        """Uninstall these; uv never asks."""
        return [*self.start("uninstall"), *names]

    def start(self, verb: str) -> list[str]:
        """What every command line begins with."""
        return [self.program, "pip", verb, "--python", sys.executable]


def places(things: Iterable[Wanted], editable: bool) -> list[str]:
    """The things as the last words of a command line."""
    return [word for thing in things for word in (["--editable", thing.place] if editable else [thing.place])]


def installer() -> Pip | Uv:
    """What there is to install with. Raises `BadInput` where there is nothing, with the command that brings it."""
    if importlib.util.find_spec("pip"):
        return Pip()
    if program := shutil.which("uv"):
        return Uv(program)
    brings_pip = f"{shlex.quote(sys.executable)} -m ensurepip"
    raise BadInput(f"there is neither pip nor uv to do that with; run this, and then the same again: {brings_pip}")


def install(things: Sequence[Wanted], editable: bool = False, upgrade: bool = False) -> None:
    """Install things, and replace nothing that was not named.

    Raises `BadInput` where what plugins stand on would be fetched once more, `Unavailable` where installing fails.
    """
    tool = installer()
    if unseen := [name for name in GROUNDS if not tool.version(name)]:
        raise BadInput(f"{tool.name} does not see that {' and '.join(unseen)} are installed for {sys.executable}")
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in pins({thing.name for thing in things}, tool.version)))
        run(tool, tool.install(things, constraints, editable, upgrade), "failed, and nothing was installed")


def uninstall(names: Sequence[str]) -> None:
    """Uninstall distributions. Raises `Unavailable` where that fails."""
    tool = installer()
    run(tool, tool.uninstall(names), "failed")


def pins(asked: Iterable[str], version_of: Callable[[str], str]) -> list[str]:
    """Constraints that keep ganzoo, torch and our own plugins as they are; those that are missing stay missing."""
    names = [name for name in (*GROUNDS, *first_party()) if name not in asked]
    return [f"{name}=={version_of(name)}" if version_of(name) else f"{name}<0" for name in names]


def installed_version(name: str) -> str:
    """The version of an installed distribution, empty where there is none."""
    try:
        return version(name) or ""
    except PackageNotFoundError:
        return ""


def run(tool: Pip | Uv, command: Sequence[str], failed: str) -> None:
    """Run an installer, with all that it says on standard error. Raises `Unavailable` where it fails."""
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as it:
        for line in it.stdout:
            if not line.startswith("Requirement already satisfied"):  # pip says so of forty packages
                sys.stderr.write(line)
            said.append(line)
    if it.returncode:
        raise Unavailable(f"{tool.name} {failed}: {reason(' '.join(' '.join(said).split()), tool.version)}")


def reason(said: str, version_of: Callable[[str], str]) -> str:
    """Why an installer failed: the requirement that the constraints do not allow, where it was one."""
    for name, specifiers in NEEDS.findall(said):
        here = version_of(name)
        if normal(name) in (*GROUNDS, *first_party()) and not met(specifiers, here):
            asked = ",".join(re.findall(r"[<>=!~]+[^<>=!~ ,]+", specifiers))
            return f"it needs {name}{asked}, and this is {name} {here}" if here else absent(name)
    return "its message is above"


def absent(name: str) -> str:
    """The reason where something is not installed at all."""
    return f"it needs {name}; {how_to_install(name)}"


def met(specifiers: str, here: str) -> bool:
    """Whether an installed version is among those asked for."""
    try:
        return bool(here) and SpecifierSet(re.sub(r"\band\b", ",", specifiers)).contains(here, prereleases=True)
    except InvalidSpecifier:
        return True
