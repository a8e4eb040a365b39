"""What the losses came to since the last line of the log, and the guard against numbers that are not finite."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganzoo.errors import Diverged

BLOCK = 64
"""Turns whose values are held one by one before they are put together."""


@dataclass
class TermRows:
    """The values of terms that were played together, a row for each turn; `turns` holds its number and training step.

    All stays on the device until somebody asks, so that no turn waits.
    """

    names: list[str]
    turns: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[Tensor] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)

    def add(self, turn: int, index: int, row: Tensor) -> None:
        """Note one turn's values."""
        self.turns.append((turn, index))
        self.rows.append(row)
        if len(self.rows) == BLOCK:
            self.blocks.append(torch.stack(self.rows))
            self.rows = []

    @property
    def values(self) -> Tensor:
        """All rows as (turns, terms), on the CPU; waits for the device."""
        return torch.cat([*self.blocks, *(row[None] for row in self.rows)]).cpu()

    def first_bad(self) -> tuple[int, int, str] | None:
        """Turn, training step and name of the first value that was not finite."""
        bad = (~self.values.isfinite()).nonzero().tolist()
        return (*self.turns[bad[0][0]], self.names[bad[0][1]]) if bad else None


class TermLog:
    """All terms since the last line of the log. Lazy losses make several tallies: one for each set of terms."""

    def __init__(self, tallies: Iterable[TermRows] = (), turn: int = 0) -> None:
        self.rows_by_names = {tuple(tally.names): tally for tally in tallies}
        self.turn = turn

    def add(self, index: int, terms: dict[str, Tensor]) -> None:
        """Count the terms of one turn of training step `index` in, without waiting for the device."""
        tally = self.rows_by_names.setdefault(tuple(terms), TermRows(list(terms)))
        tally.add(self.turn, index, torch.stack([value.float() for value in terms.values()]))
        self.turn += 1

    def check(self) -> None:
        """Raise `Diverged` naming the first term that was not finite, and its step; waits for the device."""
        bad = [found for tally in self.rows_by_names.values() if (found := tally.first_bad())]
        if bad:
            _, index, name = min(bad)
            value = f"'{name}' is not a finite number at step {index}"
            raise Diverged(f"training diverged: the loss term {value}; try a lower learning rate or another loss")

    def means(self) -> dict[str, float]:
        """Each term's mean over the turns in which it was played, by name."""
        sums: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for tally in self.rows_by_names.values():
            for name, total in zip(tally.names, tally.values.double().sum(0).tolist(), strict=True):
                sums[name] += total
                counts[name] += len(tally.turns)
        return {name: sums[name] / counts[name] for name in sorted(sums)}
