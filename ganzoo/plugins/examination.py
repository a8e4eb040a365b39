"""Examines new and changed plugins: loads each once in a child process, which may crash or hang in our place.

Imported only where there is something to examine.
"""

import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

from filelock import FileLock, Timeout

from ganzoo._names import one_line
from ganzoo.plugins import verdicts
from ganzoo.plugins.distributions import plugin_entry_points
from ganzoo.plugins.loading import load_plugin, refuse
from ganzoo.plugins.registration import Plugin
from ganzoo.plugins.verdicts import Groups, Verdict, group

DEADLINE_SECONDS = 20.0
"""Seconds that loading one plugin may take on a machine that has nothing else to do."""
SPARE_SECONDS = 20
"""Seconds for the start of a child process, before it keeps the deadlines itself."""
MAX_OUTPUT_CHARACTERS = 4000
"""The most that is kept of what a child process printed before it ended."""
RUN_CHILD = f"import sys; from {__name__} import examine_here; examine_here(*sys.argv[1:])"


def examine(groups: Groups) -> dict[str, Verdict]:
    """Return the verdicts on distributions; those that no other process has examined meanwhile are examined.

    Where that is impossible, they have no verdict.
    """
    with one_at_a_time():
        known = verdicts.read_verdicts(groups)
        return known | examine_all({name: own for name, own in groups.items() if name not in known})


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process examine while others, such as those of torchrun, wait for its verdicts."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            verdicts.folder().mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(verdicts.folder() / ".lock", timeout=DEADLINE_SECONDS + SPARE_SECONDS))
        yield


def examine_all(groups: Groups) -> dict[str, Verdict]:
    """Examine distributions in one child process; where one ends it, the rest in another one. Remember the verdicts."""
    found: dict[str, Verdict] = {}
    stamps = {name: verdicts.stamp(own) for name, own in groups.items()}
    waiting = list(groups)
    while waiting:
        new = run_child(waiting)
        found |= new
        waiting = [name for name in waiting if name not in new] if new else []
    for name, verdict in found.items():
        verdicts.remember(groups[name], verdict, stamps[name])
    return found


def run_child(names: Sequence[str]) -> dict[str, Verdict]:
    """Examine distributions in a child process; return verdicts as far as it came, and none where it cannot start."""
    if not sys.executable or hasattr(sys, "frozen"):  # an application that would start itself
        return {}
    try:
        with tempfile.TemporaryDirectory() as temporary:
            journal, output = Path(temporary) / "journal", Path(temporary) / "output"
            seconds = deadline()
            code = wait_for_child(journal, output, names, seconds)
            lines = [json.loads(line) for line in journal.read_text().splitlines()]
            printed = output.read_text(errors="replace")[-MAX_OUTPUT_CHARACTERS:]
    except (OSError, ValueError):
        return {}
    found = {line["name"]: Verdict(line["fault"], line["traceback"]) for line in lines if "fault" in line}
    if lines and "fault" not in lines[-1]:
        culprit = lines[-1]["name"]
        found[culprit] = Verdict(f"{describe_end(code, printed, seconds)}; {try_again(culprit)}", printed)
    return found


def deadline() -> float:
    """Return the seconds that loading one plugin may take now: more on a machine with more to do than cores."""
    load = 0.0
    with contextlib.suppress(OSError, AttributeError):  # not every system tells
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return DEADLINE_SECONDS * max(1.0, load)


def wait_for_child(journal: Path, output: Path, names: Sequence[str], seconds: float) -> int | None:
    """Run the child process; return its exit code, None where it had to be killed."""
    # -P: nothing of the current folder is imported that is not on this process's path.
    command = [sys.executable, "-P", "-X", "faulthandler", "-c", RUN_CHILD, str(journal), str(seconds), *names]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with output.open("wb") as file, contextlib.suppress(subprocess.TimeoutExpired):
        # A session of its own: Ctrl-C is for this process, which then ends the child.
        return subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            timeout=seconds * (len(names) + 1) + SPARE_SECONDS,
            check=False,
        ).returncode
    return None


def describe_end(code: int | None, printed: str, seconds: float) -> str:
    """Say why a child process ended before it had loaded a plugin."""
    if code is None or "Timeout (" in printed:
        return f"loading it takes longer than {seconds:.0f} seconds"
    if code < 0:
        return f"loading it ends the process with {signal_name(-code)}"
    return f"loading it ends the process with exit code {code}"


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGSEGV."""
    names = {each.value: each.name for each in signal.Signals}
    return names.get(number, f"signal {number}")


def try_again(name: str) -> str:
    """Say how a plugin is examined again, which may have failed for want of something else."""
    return f"'ganzoo plugins {name}' tries it again"


def examine_here(journal: str, seconds: str, *names: str) -> None:
    """Load distributions in this process, which exists for that only, and keep a journal of it."""
    plugins: list[Plugin] = []
    with Path(journal).open("w", encoding="utf-8", buffering=1) as file:
        for name, entries in group(plugin_entry_points()).items():
            if name in names:
                file.write(json.dumps({"name": name}) + "\n")
                faulthandler.dump_traceback_later(float(seconds), exit=True)
                fault = load_all(entries, plugins)
                faulthandler.cancel_dump_traceback_later()
                advice = f"{fault}; {try_again(name)}" if fault else ""
                file.write(json.dumps({"name": name, "fault": advice, "traceback": ""}) + "\n")
    os._exit(0)  # without waiting for what the plugins may have started


def load_all(entries: Iterable[EntryPoint], plugins: list[Plugin]) -> str:
    """Load the plugins of one distribution; return why they must not be loaded elsewhere, which is rarely so."""
    try:
        for entry in entries:
            plugins.append(Plugin(entry))
            if not refuse(plugins[-1]):
                load_plugin(plugins[-1], plugins)
    except KeyboardInterrupt as error:
        return f"loading it raises {one_line(error).rstrip(': ')}, as if the user had pressed Ctrl-C"
    return ""
