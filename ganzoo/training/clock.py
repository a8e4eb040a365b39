"""The time that a training takes, for those that end by it (`train.minutes`)."""

import math
import time

from ganzoo.engine.processes import Processes


class Clock:
    """The seconds that a training has taken, the same on all ranks: steps, pictures, checkpoints and evaluations.

    They go on from those of a checkpoint; what lies between an interruption and the resumption does not count.
    """

    def __init__(self, processes: Processes, seconds: float = 0.0) -> None:
        self.processes, self.seconds = processes, seconds
        self.begun = time.monotonic()

    def start(self) -> None:
        """Count from now on."""
        self.begun = time.monotonic() - self.seconds

    def read(self) -> None:
        """Set `seconds` to those until now, as the slowest rank counts them. All ranks must call it."""
        self.seconds = self.processes.all_max(round(1000 * (time.monotonic() - self.begun))) / 1000

    def expect_steps(self, step: int, minutes: float) -> float:
        """Return how many steps a training will have done after so many minutes, if it goes on as it went.

        It is `step` itself when they are over, and infinite before the first step.
        """
        done = min(1.0, self.seconds / (60 * minutes))
        return step / done if step and done else math.inf
