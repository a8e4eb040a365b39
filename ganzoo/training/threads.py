"""One training at a time in a process: all draw from torch's global random generator."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput

AT_WORK: list[tuple[int, int]] = []
"""Process and thread of each training at work; of a process that was forked, those of its parent too."""
LOCK = threading.Lock()


@contextmanager
def train_alone(processes: Processes) -> Iterator[None]:
    """Raise `BadInput` if another thread of this process trains; a callback may train in the thread that calls it."""
    me = os.getpid(), threading.get_ident()
    with processes.raise_on_all_ranks(), LOCK:
        if any(pid == me[0] and thread != me[1] for pid, thread in AT_WORK):
            raise BadInput(
                "another thread of this process is training: both would draw from torch's one random generator, and "
                "neither could be repeated; wait for it, or train in a process of its own"
            )
        AT_WORK.append(me)
    try:
        yield
    finally:
        AT_WORK.remove(me)
