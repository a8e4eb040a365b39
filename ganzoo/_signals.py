"""Ctrl-C, SIGTERM and a closed terminal as a wish that is granted at the next training step."""

import signal
import threading
from types import TracebackType
from typing import Any, Self

from ganzoo.errors import PeerLost

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class GracefulStop:
    """While this context lasts, a first signal is kept in `signal_number`; a second one acts as it always did.

    With `forwarded`, further ones do nothing: who started several processes passes signals on that they may have had.
    Only a main thread may catch signals; in another one nothing changes.
    """

    def __init__(self, forwarded: bool = False) -> None:
        self.forwarded = forwarded
        self.signal_number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask for
                    self._before[number] = signal.signal(number, self._keep)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # Where one of several processes has ended, who started them ends the others so, which have yet to say it.
            ended = self.forwarded and isinstance(error, PeerLost) and number == signal.SIGTERM
            signal.signal(number, signal.SIG_IGN if ended else handler)

    def _keep(self, number: int, frame: Any) -> None:
        self.signal_number = number
        if not self.forwarded:
            self.__exit__(None, None, None)
