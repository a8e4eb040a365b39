"""pip or uv, whichever is there: its command lines for this very environment, and how it is run."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ganzoo.errors import BadInput, Unavailable
from ganzoo.firstparty import first_party, how_to_install
from ganzoo.fresh import fresh
from ganzoo.plugins import normal
from ganzoo.wanted import GROUNDS, Wanted

NEEDS = re.compile(r"depends on ([\w.-]+)(?:\[[^]]*\])?((?:(?:\s|,|and)*[<>=!~]+\s*[\w.*+!]+)*)")
"""How pip and uv both speak of a requirement that they cannot meet."""
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

    def install(self, things: Sequence[Wanted], folder: Path, editable: bool, upgrade: bool) -> list[str]:
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

    def install(self, things: Sequence[Wanted], folder: Path, editable: bool, upgrade: bool) -> list[str]:
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


def install(things: Sequence[Wanted], editable: bool = False, upgrade: bool = False) -> list[str]:
    """Install things, and return the names of the distributions that are new or another version now.

    What plugins stand on and ganzoo's own plugins are replaced only where they were named: no requirement brings
    another one, by version or address. What a build executes can still do anything, as plugins are code.
    Raises `BadInput` where one of them would be fetched, and `Unavailable` where installing fails.
    """
    tool = installer()
    if unseen := [name for name in GROUNDS if not tool.version(name)]:
        raise BadInput(f"{tool.name} does not see that {' and '.join(unseen)} are installed for {sys.executable}")
    asked = {thing.name for thing in things if thing.name}
    before = installed()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_constraints(folder, asked, tool.version)
        command = tool.install(things, folder, editable, upgrade)
        said = run(tool, [*command, *tool.rehearse(folder)], before, tool.environment(folder))
        refuse_unasked(tool.planned(folder, said), asked)
        run(tool, command, before, tool.environment(folder))
    after = installed()
    if missing := sorted(asked - set(after)):
        raise Unavailable(f"{tool.name} did not fail, and yet {' and '.join(missing)} is not installed")
    return changed(before, after)


def uninstall(names: Sequence[str]) -> list[str]:
    """Uninstall distributions, and return the names of those that went. Raises `Unavailable` where that fails."""
    tool = installer()
    before = installed()
    run(tool, tool.uninstall(names), before)
    return changed(before, installed())


def installed() -> dict[str, str]:
    """The normal name and the version of every installed distribution, as a new process sees them."""
    return fresh("ganzoo.fresh", "installed")


def refuse_unasked(planned: Iterable[str], asked: Container[str]) -> None:
    """Raise `BadInput` where something by address would take the place of what is only there to be required."""
    for name in map(normal, planned):
        if name in (*GROUNDS, *first_party()) and name not in asked:
            raise BadInput(f"nothing was installed, as that would bring another {name}, which was not asked for")


def write_constraints(folder: Path, asked: Container[str], version_of: Callable[[str], str]) -> None:
    """Leave the files of constraints. Builds may have any torch, as an index lacks the local version of this one."""
    own = ("ganzoo", *first_party())
    write_lines(folder / ALL, pins((*GROUNDS, *first_party()), asked, version_of))
    write_lines(folder / OWN, pins(own, asked, version_of))
    write_lines(folder / BUILDS, (f"{name}<0" for name in own))


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Write lines of text."""
    file.write_text("".join(f"{line}\n" for line in lines))


def pins(names: Iterable[str], asked: Container[str], version_of: Callable[[str], str]) -> list[str]:
    """Constraints that keep what was not asked for as it is; what is missing stays missing."""
    kept = [name for name in names if name not in asked]
    return [f"{name}=={version_of(name)}" if version_of(name) else f"{name}<0" for name in kept]


def installed_version(name: str) -> str:
    """The version of an installed distribution, empty where there is none."""
    try:
        return version(name) or ""
    except PackageNotFoundError:
        return ""


def run(tool: Pip | Uv, command: Sequence[str], before: dict[str, str], variables: Mapping[str, str] = {}) -> str:
    """Run an installer, with all that it says on standard error, and return that. Raises `Unavailable` if it fails."""
    said = []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with subprocess.Popen(command, env=os.environ | variables, **pipes) as it:
        for line in it.stdout:
            if not line.startswith("Requirement already satisfied"):  # pip says so of forty packages
                sys.stderr.write(line)
            said.append(line)
    if it.returncode:
        why = reason(" ".join(" ".join(said).split()), tool.version)
        raise Unavailable(f"{tool.name} failed, and {changes(before, installed())}: {why}")
    return "".join(said)


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names of the distributions that came, went or are another version now."""
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def changes(before: dict[str, str], after: dict[str, str]) -> str:
    """What an installer changed before it failed."""
    told = [f"{name} {after.get(name, 'is gone')}" for name in changed(before, after)]
    return f"changed this before: {', '.join(told)}" if told else "nothing was changed"


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
