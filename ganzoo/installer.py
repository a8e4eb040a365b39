"""pip or uv, whichever is there: its command lines for this very environment, and how it is run."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ganzoo.errors import BadInput, Unavailable
from ganzoo.firstparty import first_party, how_to_install
from ganzoo.plugins import normal
from ganzoo.wanted import GROUNDS, Wanted

NEEDS = re.compile(r"depends on ([\w.-]+)(?:\[[^]]*\])?((?:(?:\s|,|and)*[<>=!~]+\s*[\w.*+!]+)*)")
"""How pip and uv both speak of a requirement that they cannot meet."""
HOW_TO_GET_PIP = f"comes with: {shlex.quote(sys.executable)} -m ensurepip"


class Pip:
    """Command lines of the pip of this environment."""

    name = "pip"
    words = (sys.executable, "-m", "pip", "--disable-pip-version-check")

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
        refuse_unseen(GROUNDS)
        return Uv(program)
    raise BadInput(f"there is neither pip nor uv to do that with; pip {HOW_TO_GET_PIP}")


def refuse_unseen(names: Iterable[str]) -> None:
    """Raise `BadInput` for what is installed where uv does not look, and would be fetched again in its place."""
    folders = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    for name in names:
        place = Path(str(distribution(name).locate_file(""))).resolve() if installed_version(name) else None
        if place not in folders:
            where = f"{name} is not in {sysconfig.get_path('purelib')}"
            raise BadInput(f"uv sees only this environment's own packages, and {where}; pip {HOW_TO_GET_PIP}")


def install(things: Sequence[Wanted], editable: bool = False, upgrade: bool = False) -> None:
    """Install things, and replace nothing that was not named. Raises `Unavailable` where that fails."""
    tool = installer()
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in pins({thing.name for thing in things})))
        run(tool.install(things, constraints, editable, upgrade), f"{tool.name} failed, and nothing was installed")


def uninstall(names: Sequence[str]) -> None:
    """Uninstall distributions. Raises `Unavailable` where that fails."""
    tool = installer()
    run(tool.uninstall(names), f"{tool.name} failed")


def pins(asked: Iterable[str]) -> list[str]:
    """Constraints that keep ganzoo, torch and our own plugins as they are; those that are missing stay missing."""
    names = [name for name in (*GROUNDS, *first_party()) if name not in asked]
    return [f"{name}=={installed_version(name)}" if installed_version(name) else f"{name}<0" for name in names]


def installed_version(name: str) -> str:
    """The version of an installed distribution, empty where there is none."""
    try:
        return version(name) or ""
    except PackageNotFoundError:
        return ""


def run(command: Sequence[str], failed: str) -> None:
    """Run an installer, with all that it says on standard error. Raises `Unavailable` where it fails."""
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as it:
        for line in it.stdout:
            if not line.startswith("Requirement already satisfied"):  # pip says so of forty packages
                sys.stderr.write(line)
            said.append(line)
    if it.returncode:
        raise Unavailable(f"{failed}: {reason(' '.join(' '.join(said).split()))}")


def reason(said: str) -> str:
    """Why an installer failed: the requirement that the constraints do not allow, where it was one."""
    for name, specifiers in NEEDS.findall(said):
        here = installed_version(name)
        if normal(name) in (*GROUNDS, *first_party()) and not met(specifiers, here):
            need = f"it needs {name}{','.join(re.findall(r'[<>=!~]+[^<>=!~ ,]+', specifiers))}"
            return f"{need}, and this is {name} {here}" if here else f"{need}; {how_to_install(name)}"
    return "its message is above"


def met(specifiers: str, here: str) -> bool:
    """Whether an installed version is among those asked for."""
    try:
        return bool(here) and SpecifierSet(re.sub(r"\band\b", ",", specifiers)).contains(here, prereleases=True)
    except InvalidSpecifier:
        return True
