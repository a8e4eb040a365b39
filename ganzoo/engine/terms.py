"""The log of loss terms since the last line of metrics, and the check that they are finite."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from ganzoo.errors import BadInput, Diverged

TURNS_PER_BLOCK = 64
"""Turns whose values stay separate tensors before they are stacked."""


@dataclass
class TermRows:
    """The values of one set of terms, a row for each turn that had exactly these; `turns` are (turn, training step).

    The values stay on the device until they are read, so that no turn waits for them.
    """

    names: list[str]
    turns: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[Tensor] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)

    def add(self, turn: int, index: int, row: Tensor) -> None:
        """Record the values of one turn."""
        self.turns.append((turn, index))
        self.rows.append(row)
        if len(self.rows) == TURNS_PER_BLOCK:
            self.blocks.append(torch.stack(self.rows))
            self.rows = []

    @property
    def values(self) -> Tensor:
        """All rows as (turns, terms), on the CPU; waits for the device."""
        return torch.cat([*self.blocks, *(row[None] for row in self.rows)]).cpu()

    def first_bad(self) -> tuple[int, int, str] | None:
        """Return turn, training step and name of the first value that is not finite; None if all are."""
        bad = (~self.values.isfinite()).nonzero().tolist()
        return (*self.turns[bad[0][0]], self.names[bad[0][1]]) if bad else None


class TermLog:
    """The terms of all turns since the last line of metrics; `turn` counts these turns.

    Lazy losses do not play on every turn, so that turns differ in their terms: each set of names has its own rows.
    """

    def __init__(self, tables: Iterable[TermRows] = (), turn: int = 0) -> None:
        self.rows_by_names = {tuple(rows.names): rows for rows in tables}
        self.turn = turn

    def add(self, index: int, terms: dict[str, Tensor]) -> None:
        """Record the terms of one turn of training step `index`, without waiting for the device."""
        rows = self.rows_by_names.setdefault(tuple(terms), TermRows(list(terms)))
        rows.add(self.turn, index, torch.stack([value.float() for value in terms.values()]))
        self.turn += 1

    def check(self) -> None:
        """Raise `Diverged` with the first term that is not finite, and its training step; waits for the device."""
        bad = [found for rows in self.rows_by_names.values() if (found := rows.first_bad())]
        if bad:
            _, index, name = min(bad)
            value = f"'{name}' is not a finite number at step {index}"
            raise Diverged(f"training diverged: the loss term {value}; try a lower learning rate or another loss")

    def means(self) -> dict[str, float]:
        """Return the mean of each term, by name, over the turns that had it; waits for the device."""
        sums: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for rows in self.rows_by_names.values():
            for name, total in zip(rows.names, rows.values.double().sum(0).tolist(), strict=True):
                sums[name] += total
                counts[name] += len(rows.turns)
        return {name: sums[name] / counts[name] for name in sorted(sums)}


def mean_terms(loss: str, parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of each term of a loss over judges or parts of a batch.

    Raises `BadInput` if these differ in the names of their terms.
    """
    if len(parts) == 1:
        return parts[0]
    for other in parts:
        if other.keys() != parts[0].keys():
            names = " and ".join(", ".join(part) or "none" for part in (parts[0], other))
            raise BadInput(f"loss '{loss}': the names of its terms may not depend on scores or samples: {names}")
    return {name: cast("Tensor", sum(part[name] for part in parts)) / len(parts) for name in parts[0]}
