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

from ganzoo._cores import usable_cores
from ganzoo._names import one_line
from ganzoo.plugins import verdicts
from ganzoo.plugins.distributions import plugin_entry_points
from ganzoo.plugins.loading import load_plugin, refuse
from ganzoo.plugins.registration import Plugin
from ganzoo.plugins.verdicts import Groups, Verdict, group

DEADLINE_SECONDS = 20.0
"""Seconds that loading one plugin may take on a machine that has nothing else to do."""
PATIENCE = 10
"""How many times as long it may take where the user asks for that plugin, and at most on a busy machine."""
SPARE_SECONDS = 20
"""Seconds for the start of a child process, before it keeps the deadlines itself."""
MAX_OUTPUT_BYTES = 4000
"""The most that is kept of what a child process printed before it ended."""
MAX_FILE_BYTES = 100_000_000
"""The longest file that a child process may write, and the most that it may print."""
RUN_CHILD = f"import sys; from {__name__} import examine_here; examine_here(*sys.argv[1:])"


def examine(groups: Groups, patience: float = 1) -> dict[str, Verdict]:
    """Return the verdicts on distributions; those that no other process has examined meanwhile are examined.

    Where that is impossible, they have no verdict. Each may take `patience` times as long as usual.
    """
    with one_at_a_time():
        known = verdicts.read_verdicts(groups)
        return known | examine_all({name: own for name, own in groups.items() if name not in known}, patience)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process examine while others, such as those of torchrun, wait for its verdicts."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            verdicts.folder().mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(verdicts.folder() / ".lock", timeout=DEADLINE_SECONDS + SPARE_SECONDS))
        yield


def examine_all(groups: Groups, patience: float) -> dict[str, Verdict]:
    """Examine distributions in one child process; where one ends it, the rest in another one. Remember the verdicts."""
    found: dict[str, Verdict] = {}
    stamps = {name: verdicts.stamp(own) for name, own in groups.items()}
    waiting = list(groups)
    while waiting:
        new = run_child(waiting, deadline(patience))
        found |= new
        waiting = [name for name in waiting if name not in new] if new else []
    for name, verdict in found.items():
        verdicts.remember(groups[name], verdict, stamps[name])
    return found


def run_child(names: Sequence[str], seconds: float) -> dict[str, Verdict]:
    """Examine distributions in a child process; return verdicts as far as it came, and none where it cannot start."""
    if not sys.executable or hasattr(sys, "frozen"):  # an application that would start itself
        return {}
    try:
        with tempfile.TemporaryDirectory() as temporary:
            journal, output = Path(temporary) / "journal", Path(temporary) / "output"
            code = wait_for_child(journal, output, names, seconds)
            lines = [json.loads(line) for line in journal.read_text().splitlines()]
            printed = read_end(output)
    except (OSError, ValueError):
        return {}
    found = {line["name"]: Verdict(line["fault"], line["traceback"]) for line in lines if "fault" in line}
    if lines and "fault" not in lines[-1]:
        culprit = lines[-1]["name"]
        if code is None or "Timeout (" in printed:
            found[culprit] = Verdict(describe_slow(culprit, seconds), printed, passing=True)
        else:
            found[culprit] = Verdict(f"{describe_end(code)}; {try_again(culprit)}", printed)
    return found


def read_end(output: Path) -> str:
    """Return the end of what a child process printed."""
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - MAX_OUTPUT_BYTES))
        return file.read(MAX_OUTPUT_BYTES).decode(errors="replace")


def deadline(patience: float) -> float:
    """Return the seconds that loading one plugin may take now: more on a machine with more to do than cores."""
    load = 0.0
    with contextlib.suppress(OSError, AttributeError):  # not every system tells
        load = os.getloadavg()[0] / usable_cores()
    return DEADLINE_SECONDS * max(patience, min(load, PATIENCE))


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


def describe_slow(name: str, seconds: float) -> str:
    """Say that loading a plugin took too long, and how it gets more time."""
    longer = DEADLINE_SECONDS * PATIENCE
    gives = f"'ganzoo plugins {name}' gives it {longer:.0f}" if seconds < longer else try_again(name)
    return f"loading it takes longer than {seconds:.0f} seconds; {gives}"


def describe_end(code: int) -> str:
    """Say why a child process ended before it had loaded a plugin."""
    name = signal_name(-code) if code < 0 else f"exit code {code}"
    if name == "SIGXFSZ":
        return f"loading it prints, or writes into a file, more than {MAX_FILE_BYTES / 1e6:.0f} MB"
    return f"loading it ends the process with {name}"


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGSEGV."""
    names = {each.value: each.name for each in signal.Signals}
    return names.get(number, f"signal {number}")


def try_again(name: str) -> str:
    """Say how a plugin is examined again, which may have failed for want of something else."""
    return f"'ganzoo plugins {name}' tries it again"


def examine_here(journal: str, seconds: str, *names: str) -> None:
    """Load distributions in this process, which exists for that only, and keep a journal of it."""
    limit_files()
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


def limit_files() -> None:
    """Have this process end when it writes too long a file, such as its output, where the system can do that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and a plugin may ignore the error
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        limits = [limit for limit in (soft, hard, MAX_FILE_BYTES) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(limits), hard))


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
