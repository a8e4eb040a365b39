"""Installing and uninstalling distributions in this environment, so that nothing comes that was not asked for."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ganzoo._names import normalize_name
from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.firstparty import first_party, how_to_install
from ganzoo.plugins.install.subprocess import installed_versions, run_afresh
from ganzoo.plugins.install.targets import GROUNDS, InstallTarget
from ganzoo.plugins.install.tools import ALL, BUILDS, OWN, Pip, Uv, find_installer

NOTHING: Mapping[str, str] = MappingProxyType({})


def install(things: Sequence[InstallTarget], editable: bool = False, upgrade: bool = False) -> list[str]:
    """Install things, and return the names of the distributions that are new or another version now.

    What plugins stand on and ganzoo's own plugins are replaced only where they were named: no requirement brings
    another one, by version or address. What a build executes can still do anything, as plugins are code.
    Raises `BadInput` where one of them would be fetched, and `Unavailable` where installing fails.
    """
    tool = find_installer()
    if unseen := [name for name in GROUNDS if not tool.version(name)]:
        raise BadInput(f"{tool.name} does not see that {' and '.join(unseen)} are installed for {sys.executable}")
    asked = {thing.name for thing in things if thing.name}
    before = installed_afresh()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_constraints(folder, asked, tool.version)
        command = tool.install(things, folder, editable, upgrade)
        said = run(tool, [*command, *tool.rehearse(folder)], before, tool.environment(folder), aloud=False)
        check_unasked(tool.planned(folder, said), asked)
        run(tool, command, before, tool.environment(folder))
    after = installed_afresh()
    if missing := sorted(asked - set(after)):
        raise Unavailable(f"{tool.name} did not fail, and yet {' and '.join(missing)} is not installed")
    return changed_names(before, after)


def uninstall(names: Sequence[str]) -> list[str]:
    """Uninstall distributions, and return the names of those that went. Raises `Unavailable` where that fails."""
    tool = find_installer()
    before = installed_afresh()
    run(tool, tool.uninstall(names), before)
    return changed_names(before, installed_afresh())


def installed_afresh() -> dict[str, str]:
    """The normal name and the version of every installed distribution, as a new process sees them."""
    return run_afresh(installed_versions)


def check_unasked(planned: Iterable[str], asked: Container[str]) -> None:
    """Raise `BadInput` where something by address would take the place of what is only there to be required."""
    for name in map(normalize_name, planned):
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


def run(
    tool: Pip | Uv,
    command: Sequence[str],
    before: dict[str, str],
    variables: Mapping[str, str] = NOTHING,
    aloud: bool = True,
) -> str:
    """Run an installer and return all that it says; on standard error too if `aloud`, or where it fails.

    Raises `Unavailable` where it fails.
    """
    said = []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with subprocess.Popen(command, env=os.environ | variables, **pipes) as it:
        for line in it.stdout:
            said.append(line)
            if aloud and not line.startswith("Requirement already satisfied"):  # pip says so of forty packages
                sys.stderr.write(line)
    if it.returncode:
        sys.stderr.writelines([] if aloud else said)
        done = describe_changes(before, installed_afresh())
        raise Unavailable(f"{tool.name} failed, and {done}: its message is above{suggest_absent(tool, said)}")
    return "".join(said)


def suggest_absent(tool: Pip | Uv, said: Sequence[str]) -> str:
    """How to install those of our own plugins that an installer speaks of and that are not here."""
    spoken = [name for name in first_party() if not tool.version(name) and any(name in line for line in said)]
    return "".join(f"; first {how_to_install(name)}" for name in spoken)


def changed_names(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names of the distributions that came, went or are another version now."""
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def describe_changes(before: dict[str, str], after: dict[str, str]) -> str:
    """What an installer changed before it failed."""
    told = [f"{name} {after.get(name, 'is gone')}" for name in changed_names(before, after)]
    return f"changed this before: {', '.join(told)}" if told else "nothing was changed"
