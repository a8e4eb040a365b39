"""How processes that torchrun has started find one another, and how a training of several ends.

One sentence says why: the first process's, as far as it lives, and the others leave with the same exit code.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any

import torch
import torch.distributed as dist

from ganzoo.engine.processes import Processes, describe_error, error_from_rank, peer_errors
from ganzoo.errors import Error, Interrupted, PeerLost

LONGEST, SHORT = 5.0, 1.0
"""Seconds for which the others leave it to the first process to tell an error, and it to them to give the cause."""
PATIENCE = timedelta(hours=6)
"""How long the others may have to wait, for a download or a measurement; a process that dies is noticed at once."""
OUTSIDE = "stopped by a signal outside the training steps; torchrun sends one where another process has died"
TIMES = count()
"""Numbers the times that this program has connected its processes."""


@contextmanager
def connect_processes() -> Iterator[Processes]:
    """The processes that torchrun has started, connected while this lasts; else this one alone.

    Where Python code has connected them itself, nothing is changed.
    """
    if not under_torchrun() or dist.is_initialized() or int(os.environ["WORLD_SIZE"]) == 1:
        try:
            yield Processes()
        except Error as error:
            error.reported_by_me = error.reported_by_me is not False
            raise
        return
    failed = threading.Event()

    def heed(number: int, frame: Any) -> None:
        if not failed.is_set():
            raise Interrupted(OUTSIDE, number)

    with signals_to(heed):
        board, agreed = connect(), False
        here = Processes()
        try:
            yield here
            agreed = True
        except Error as error:
            failed.set()
            agreed = error.reported_by_me is not None
            found = error if agreed else settle_error(error, here, board)
            if found is error:
                raise
            raise found from error
        finally:
            disconnect(agreed)


def connect() -> "dist.Store":
    """Connect the processes, and give a board where all can read what each puts there."""
    from torch.distributed.rendezvous import rendezvous  # not there where torch was built without distributed

    with peer_errors():
        store, rank, size = next(rendezvous("env://"))
        # Each time of its own, or a second training of a program would look for the first one's connections.
        store = dist.PrefixStore(f"ganzoo {next(TIMES)}", store)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    return dist.PrefixStore("board", store)


def disconnect(agreed: bool) -> None:
    """Leave the others; else the threads of gloo now and then abort a process as it ends.

    Where they have not agreed to end here, nccl could wait for them.
    """
    if dist.is_initialized() and (agreed or not torch.cuda.is_available()):
        dist.destroy_process_group()


def under_torchrun() -> bool:
    """Whether torchrun has started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


def launch_command() -> str:
    """What a person types for `ganzoo` to start as many processes as there are."""
    if not under_torchrun():
        return "ganzoo"
    one_machine = os.environ.get("GROUP_WORLD_SIZE") == "1"
    return f"torchrun {'--nproc-per-node=' + os.environ['LOCAL_WORLD_SIZE'] if one_machine else '...'} -m ganzoo"


@contextmanager
def signals_to(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Have SIGTERM handled so, where this thread may decide it."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, handler) if main else None
    try:
        yield
    except PeerLost:
        before = handler  # who started the processes ends them so where one has died, which this one has yet to say
        raise
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def linger() -> None:
    """Live until the first process has said why all end: then torchrun sends the others SIGTERM.

    Whoever ends before it hides the exit code that tells what happened.
    """
    over = threading.Event()
    with signals_to(lambda *_: over.set()):
        over.wait(LONGEST)


def settle_error(error: Error, here: Processes, board: "dist.Store") -> Error:
    """What to raise for an error that the processes have not agreed on: one of them says it, the first if it lives.

    All may have met it, or one alone, and then the others have only noticed that it is gone.
    """
    with suppress(RuntimeError):  # the board has gone with another machine
        if not isinstance(error, PeerLost):
            board.set("cause", json.dumps([here.rank, *describe_error(error)]))
        disconnect(agreed=False)  # by which the others notice
        if isinstance(error, PeerLost) and (cause := read(board, "cause", SHORT)):
            error = error_from_rank(*json.loads(cause))
        if not here.first:
            read(board, "told", LONGEST)
        error.reported_by_me = board.compare_set("told", "", f"by {here.rank}") == f"by {here.rank}".encode()
        return error
    error.reported_by_me = True
    return error


def read(board: "dist.Store", key: str, seconds: float) -> bytes | None:
    """What another process has put there, or puts there within so many seconds."""
    with suppress(dist.DistStoreError):
        board.wait([key], timedelta(seconds=seconds))
        return board.get(key)
    return None
