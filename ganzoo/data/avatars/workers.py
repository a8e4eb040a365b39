"""Draw the parts of an album in all cores, each in a process of its own, with a progress bar."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock

from ganzoo._cores import usable_cores
from ganzoo._io import write_errors
from ganzoo.data.avatars.album import PART, Album
from ganzoo.errors import BadInput, Failed

RUN = f"import sys; from {__name__} import run; run(*sys.argv[1:])"


def draw_missing(album: Album, count: int) -> None:
    """Draw what is missing of the first `count` pictures. Raises `BadInput` where they cannot be written."""
    if not album.missing(count):
        return
    with write_errors(album.folder):
        album.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(album.folder / ".lock"):  # another process may have drawn them meanwhile
        if not (missing := album.missing(count)):
            return
        with show_progress(f"drawing avatars:{album.style}", len(missing)) as advance:
            for _ in draw_parts(album, missing, usable_cores()):
                advance()


def draw_parts(album: Album, parts: Sequence[int], processes: int) -> Iterator[int]:
    """Draw parts in several processes, and yield the number of each when it is there."""
    processes = min(processes, len(parts))
    if processes < 2:
        yield from album.draw(parts)
        return
    with ExitStack() as stack:
        receive, send = os.pipe()
        lines = stack.enter_context(os.fdopen(receive))
        with os.fdopen(send, "wb") as pipe:
            shares = [parts[first::processes] for first in range(processes)]
            workers = [stack.enter_context(started(album, share, pipe.fileno())) for share in shares]
        yield from map(read_number, lines)
    if any(worker.returncode for worker in workers):
        raise Failed(f"drawing avatars:{album.style} failed; what is drawn stays, and the next try goes on from there")


def read_number(line: str) -> int:
    """Return the number of a part that a process has drawn. Raises `BadInput` with the sentence of one that failed."""
    if not line.strip().isdigit():
        raise BadInput(line.strip())
    return int(line)


@contextmanager
def started(album: Album, parts: Sequence[int], output: int) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process that draws parts and writes the number of each to a file; it ends with the context."""
    # Without -P, what lies in the current folder would be imported; the modules are those of this process.
    arguments = [str(album.root), album.style, str(album.seed), str(album.side), *map(str, parts)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    worker = subprocess.Popen([sys.executable, "-P", "-c", RUN, *arguments], stdout=output, env=environment)
    try:
        yield worker
        worker.wait()
    finally:
        worker.kill()
        worker.wait()


def run(root: str, style: str, seed: str, side: str, *parts: str) -> None:
    """Draw parts in this process, and write the number of each to standard output, or why one cannot be written."""
    try:
        for number in Album(Path(root), style, int(seed), int(side)).draw([int(part) for part in parts]):
            write_line(number)
    except BadInput as error:
        write_line(error)


def write_line(said: object) -> None:
    """Write a line to standard output in one piece: with PYTHONUNBUFFERED, print would let others' lines between."""
    sys.stdout.write(f"{said}\n")
    sys.stdout.flush()


@contextmanager
def show_progress(title: str, parts: int) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error, where that is a terminal, else one line; what it yields counts one more part."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{title}: {parts * PART:,} pictures, once", file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=parts * PART)
        yield lambda: bar.advance(task, PART)
