"""What the losses came to: sums on the device since the last line of the log, and the guard against bad numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganzoo.errors import Diverged


@dataclass
class Tally:
    """Running sums of terms that were played together.

    A sum that met a NaN or an infinity stays non-finite, so counting the turns whose sums are finite tells, without
    a synchronisation, which term went bad first and when. `turns` holds each turn's number and training step.
    """

    names: list[str]
    turns: list[tuple[int, int]] = field(default_factory=list)
    sums: Tensor | None = None
    finite: Tensor | None = None

    def add(self, turn: int, index: int, values: Tensor) -> None:
        """Count one turn's values in."""
        if self.sums is None:
            self.sums, self.finite = torch.zeros_like(values), torch.zeros_like(values)
        self.sums += values
        self.finite += self.sums.isfinite()
        self.turns.append((turn, index))

    def first_bad(self) -> tuple[int, int, str] | None:
        """Turn, training step and name of the first value that was not finite."""
        finite = [int(count) for count in self.finite.tolist()]
        first = min(finite)
        return (*self.turns[first], self.names[finite.index(first)]) if first < len(self.turns) else None


class Ledger:
    """All terms since the last line of the log. Lazy losses make several tallies: one for each set of terms."""

    def __init__(self, tallies: Iterable[Tally] = (), turn: int = 0) -> None:
        self.tallies = {tuple(tally.names): tally for tally in tallies}
        self.turn = turn

    def add(self, index: int, terms: dict[str, Tensor]) -> None:
        """Count the terms of one turn of training step `index` in, without waiting for the device."""
        tally = self.tallies.setdefault(tuple(terms), Tally(list(terms)))
        tally.add(self.turn, index, torch.stack([value.float() for value in terms.values()]))
        self.turn += 1

    def check(self) -> None:
        """Raise `Diverged` naming the first term that was not finite, and its step; one synchronisation."""
        bad = [found for tally in self.tallies.values() if (found := tally.first_bad())]
        if bad:
            _, index, name = min(bad)
            value = f"'{name}' is not a finite number at step {index}"
            raise Diverged(f"training diverged: the loss term {value}; try a lower learning rate or another loss")

    def means(self) -> dict[str, float]:
        """Each term's mean over the turns in which it was played, by name."""
        sums: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for tally in self.tallies.values():
            for name, total in zip(tally.names, tally.sums.tolist(), strict=True):
                sums[name] += total
                counts[name] += len(tally.turns)
        return {name: sums[name] / counts[name] for name in sorted(sums)}
