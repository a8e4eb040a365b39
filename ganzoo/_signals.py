"""Ctrl-C, SIGTERM and a closed terminal as requests to stop, which training grants after the step it is in."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from ganzoo.errors import PeerLost

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class GracefulStop:
    """While this context is active, the first signal is only recorded in `signal_number` (0: none has come).

    A second signal acts as it did before the context. With `forwarded` all further signals are ignored instead: a
    launcher of several processes passes on signals that a process may already have had from the terminal.
    Python lets only the main thread handle signals; in any other thread this context changes nothing.
    """

    def __init__(self, forwarded: bool = False) -> None:
        self.forwarded = forwarded
        self.signal_number = 0
        self._handlers_before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and shells ask to ignore some
                    self._handlers_before[number] = signal.signal(number, self._record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers_before.items():
            # When one process has died, the launcher ends the others with SIGTERM: let them report the loss first.
            ending = self.forwarded and isinstance(error, PeerLost) and number == signal.SIGTERM
            signal.signal(number, signal.SIG_IGN if ending else handler)

    def _record(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        if not self.forwarded:
            self.__exit__(None, None, None)
