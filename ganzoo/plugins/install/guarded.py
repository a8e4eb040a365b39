"""Installing and uninstalling distributions, guarded so that nothing is replaced that was not named."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ganzoo._names import normalize_name, printable
from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.distributions import all_unreadable, installed_versions
from ganzoo.plugins.firstparty import first_party, how_to_install
from ganzoo.plugins.install.new_process import run_in_new_process
from ganzoo.plugins.install.targets import FOUNDATIONS, InstallTarget
from ganzoo.plugins.install.tools import BUILD_CONSTRAINTS, CONSTRAINTS, OWN_CONSTRAINTS, Installer, find_installer

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def install(targets: Sequence[InstallTarget], editable: bool = False, upgrade: bool = False) -> list[str]:
    """Install targets, and return the names of the distributions that are new or have another version now.

    `FOUNDATIONS` and ganzoo's own plugins are replaced only where they were named: no requirement brings another one,
    by version or by address. What a build executes can still do anything, as plugins are code.
    Raises `BadInput` where one of them would be fetched, and `Unavailable` where installing fails.
    """
    tool = find_installer()
    if unseen := [name for name in FOUNDATIONS if not tool.version(name)]:
        raise BadInput(f"{tool.name} does not see that {' and '.join(unseen)} are installed for {sys.executable}")
    named = {target.name for target in targets if target.name}
    before = run_in_new_process(installed_versions)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_constraints(folder, named, tool.version)
        command = tool.install(targets, folder, editable, upgrade)
        output = run(tool, [*command, *tool.dry_run(folder)], before, tool.variables(folder), show=False)
        check_planned(tool.planned(folder, output), named)
        run(tool, command, before, tool.variables(folder))
    after = run_in_new_process(installed_versions)
    if missing := sorted(named - set(after)):
        raise Unavailable(f"{tool.name} reported success, but {' and '.join(missing)} is not installed")
    return changed_names(before, after)


def uninstall(names: Sequence[str]) -> list[str]:
    """Uninstall distributions, and return the names of those that went. Raises `Unavailable` where that fails."""
    tool = find_installer()
    before = run_in_new_process(installed_versions)
    run(tool, tool.uninstall(names), before)
    return changed_names(before, run_in_new_process(installed_versions))


def check_planned(planned: Iterable[str], named: Container[str]) -> None:
    """Raise `BadInput` where a requirement by address would install what was not named."""
    for name in map(normalize_name, planned):
        if name in (*FOUNDATIONS, *first_party()) and name not in named:
            raise BadInput(f"nothing was installed: this would install another {name}, which was not asked for")


def write_constraints(folder: Path, named: Container[str], version_of: Callable[[str], str]) -> None:
    """Write the files of constraints. Builds may use any torch, as an index lacks the local version of this one."""
    own = ("ganzoo", *first_party())
    write_lines(folder / CONSTRAINTS, pins((*FOUNDATIONS, *first_party()), named, version_of))
    write_lines(folder / OWN_CONSTRAINTS, pins(own, named, version_of))
    write_lines(folder / BUILD_CONSTRAINTS, (f"{name}<0" for name in own))


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Write lines of text."""
    file.write_text("".join(f"{line}\n" for line in lines))


def pins(names: Iterable[str], named: Container[str], version_of: Callable[[str], str]) -> list[str]:
    """Return constraints that keep what was not named at its version; what is missing stays missing."""
    kept = [name for name in names if name not in named]
    return [f"{name}=={version_of(name)}" if version_of(name) else f"{name}<0" for name in kept]


def run(
    tool: Installer,
    command: Sequence[str],
    before: dict[str, str],
    variables: Mapping[str, str] = NO_VARIABLES,
    show: bool = True,
) -> str:
    """Run pip or uv and return its output; print it on standard error if `show`, or where the command fails.

    Raises `Unavailable` where it fails.
    """
    lines = []
    with subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # as it is a pipe
        for line in process.stdout:
            lines.append(line)
            if show and not line.startswith("Requirement already satisfied"):  # pip says so of forty packages
                sys.stderr.write(printable(line, kept="\n\t"))
    if process.returncode:
        sys.stderr.write("" if show else printable("".join(lines), kept="\n\t"))
        changes = describe_changes(before, run_in_new_process(installed_versions))
        raise Unavailable(
            f"{tool.name} failed {changes}; its message is above{suggest_absent(tool, lines)}{suggest_removal()}"
        )
    return "".join(lines)


def suggest_absent(tool: Installer, output: Sequence[str]) -> str:
    """Return how to install those of our own plugins that are missing and that an installer mentions."""
    absent = [name for name in first_party() if not tool.version(name) and any(name in line for line in output)]
    return "".join(f"; first {how_to_install(name)}" for name in absent)


def suggest_removal() -> str:
    """Return which folders of metadata to remove, since installers stop at those that they cannot read."""
    return "".join(f"; {folder} cannot be read: remove that folder" for folder in all_unreadable())


def changed_names(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the names of the distributions that came, went or have another version now."""
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def describe_changes(before: dict[str, str], after: dict[str, str]) -> str:
    """Say what an installer changed before it failed."""
    changes = [f"{name} {after.get(name, 'is gone')}" for name in changed_names(before, after)]
    return f"after these changes: {', '.join(changes)}" if changes else "and changed nothing"
