"""Connect the processes that torchrun has started, and end a training of several processes with one message.

Rank 0 reports the error if it is still alive; all processes exit with the same code.
"""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from types import FrameType
from typing import Any, Protocol

import torch
import torch.distributed as dist

from ganzoo.engine.processes import Processes, describe_error, error_from_rank, peer_errors
from ganzoo.errors import Error, Interrupted, PeerLost

REPORT_TIMEOUT_SECONDS = 5.0
"""Seconds that the other ranks wait for rank 0 to report an error."""
CAUSE_TIMEOUT_SECONDS = 1.0
"""Seconds that a rank which has lost another one waits for that one's error."""
PEER_TIMEOUT = timedelta(hours=6)
"""Limit of waiting for another process, which may download or measure; one that dies is noticed at once."""
STOPPED_BY_SIGNAL = "stopped by a signal outside the training loop; torchrun sends one when another process has died"
CONNECTION_NUMBERS = count()
"""Numbers the connections that this program has made."""


class Board(Protocol):
    """A key-value store that all processes can read and write: the part of torch.distributed's store in use here."""

    def set(self, key: str, value: str, /) -> None:
        """Write a value."""

    def get(self, key: str, /) -> bytes:
        """Return a value, once it is there."""

    def wait(self, keys: list[str], timeout: timedelta, /) -> None:
        """Wait until all keys have a value. Raises `dist.DistStoreError` at the end of the time."""

    def compare_set(self, key: str, expected: str, desired: str, /) -> bytes:
        """Write `desired` if the value is `expected`, "" for none; return the value afterwards."""


@contextmanager
def connect_processes() -> Iterator[Processes]:
    """Yield the processes that torchrun has started, connected inside this context; else this process alone.

    Processes that Python code has connected itself are left as they are.
    """
    if not is_under_torchrun() or dist.is_initialized() or int(os.environ["WORLD_SIZE"]) == 1:
        try:
            yield Processes()
        except Error as error:
            error.reported_by_me = error.reported_by_me is not False
            raise
        return
    failed = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not failed.is_set():
            raise Interrupted(STOPPED_BY_SIGNAL, number)

    with handle_sigterm(interrupt):
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


def connect() -> Board:
    """Connect the processes; return a board where each can leave a message for the others."""
    from torch.distributed.rendezvous import rendezvous  # a torch without distributed lacks it

    with peer_errors():
        store, rank, size = next(rendezvous("env://"))
        # A prefix for each connection, or a second training of a program would find the addresses of the first.
        store = prefix_store(f"ganzoo {next(CONNECTION_NUMBERS)}", store)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PEER_TIMEOUT)
    board: Board = prefix_store("board", store)
    return board


def prefix_store(prefix: str, store: Any) -> Any:
    """Return a view of a store in which every key begins with a prefix."""
    return dist.PrefixStore(prefix, store)  # type: ignore[attr-defined]  # public, but not in torch's __all__


def disconnect(agreed: bool) -> None:
    """Leave the process group: gloo's threads, if they are still there, sometimes abort a process at its end.

    On GPUs only if the ranks `agreed` to end, since nccl could wait for the others for ever.
    """
    if dist.is_initialized() and (agreed or not torch.cuda.is_available()):
        clear_frames(sys.exception())
        dist.destroy_process_group()


def clear_frames(error: BaseException | None) -> None:
    """Forget the variables of the functions that an error has ended: the process group is among them."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def is_under_torchrun() -> bool:
    """Return True if torchrun has started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


def launch_command() -> str:
    """Return the command that starts `ganzoo` in as many processes as now."""
    if not is_under_torchrun():
        return "ganzoo"
    one_machine = os.environ.get("GROUP_WORLD_SIZE") == "1"
    return f"torchrun {'--nproc-per-node=' + os.environ['LOCAL_WORLD_SIZE'] if one_machine else '...'} -m ganzoo"


@contextmanager
def handle_sigterm(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle SIGTERM with a function inside this context; Python allows it in the main thread alone."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, handler) if main else None
    try:
        yield
    except PeerLost:
        before = handler  # when one process has died, torchrun ends the others: let them report the loss first
        raise
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def wait_for_sigterm() -> None:
    """Wait until rank 0 has reported the error: when it ends, torchrun sends the others SIGTERM.

    A rank that ended before rank 0 would hide the exit code of the error.
    """
    over = threading.Event()
    with handle_sigterm(lambda *_: over.set()):
        over.wait(REPORT_TIMEOUT_SECONDS)


def settle_error(error: Error, here: Processes, board: Board) -> Error:
    """Return the error to raise if ranks failed differently; exactly one reports it, rank 0 if it is alive.

    All ranks may have met the error, or one alone, and the others have only noticed its end.
    """
    with suppress(RuntimeError):  # the board is lost with the machine that held it
        if not isinstance(error, PeerLost):
            board.set("cause", json.dumps([here.rank, *describe_error(error)]))
        disconnect(agreed=False)  # the others notice this
        if isinstance(error, PeerLost) and (cause := read_board(board, "cause", CAUSE_TIMEOUT_SECONDS)):
            error = error_from_rank(*json.loads(cause))
        if not here.first:
            read_board(board, "reported", REPORT_TIMEOUT_SECONDS)
        me = f"by {here.rank}"
        error.reported_by_me = board.compare_set("reported", "", me) == me.encode()
        return error
    error.reported_by_me = True
    return error


def read_board(board: Board, key: str, seconds: float) -> bytes | None:
    """Return a message of another process; None if it does not come within that many seconds."""
    with suppress(dist.DistStoreError):
        board.wait([key], timedelta(seconds=seconds))
        return board.get(key)
    return None
