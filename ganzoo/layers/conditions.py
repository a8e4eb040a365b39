"""What conditional networks are told of a sample: the classes of one key or several, and amounts."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

LABEL = "label"
LABELLED = "data with labels, such as a folder with one sub-folder per class"
Amount = tuple[float, float]
"""The least and the greatest value of an amount."""
LabelFacts = Mapping[str, int | Sequence[float]]
"""What data with several labels say of each: the number of its classes, or the least and the greatest amount."""


class MissingLabels(ValueError):
    """A conditional network is to be made for data without labels."""


class Conditions:
    """The keys that a conditional network looks at: `categories`, each with its number of classes, and `amounts`.

    A network makes them of what the data say, see `find_conditions`, and takes `needs`, `categorical` and `amounts`
    over; a discriminator `needs` alone.
    """

    def __init__(self, categories: Mapping[str, int], amounts: Mapping[str, Amount]) -> None:
        self.categorical, self.amounts = dict(categories), dict(amounts)

    @property
    def needs(self) -> tuple[str, ...]:
        """All keys, classes first."""
        return (*self.categorical, *self.amounts)

    @property
    def count(self) -> int:
        """The number of classes of all keys together, and of amounts."""
        return sum(self.categorical.values()) + len(self.amounts)

    @property
    def single(self) -> str | None:
        """The only key, where that holds classes; None where there are several keys."""
        return next(iter(self.categorical)) if len(self.needs) == len(self.categorical) == 1 else None


def find_conditions(conditional: bool, classes: int | None, conditions: LabelFacts | None = None) -> Conditions | None:
    """Return what a network is told of a sample; None unless it is conditional.

    `classes` and `conditions` are what the data say to constructors that name them: the number of classes of the key
    `label`, and, where there are other keys with classes or amounts, all of them, each with its number of classes or
    with the least and the greatest amount. Raises `ValueError` for a conditional network where the data have no labels.
    """
    if conditional and not (classes or conditions):
        raise MissingLabels(f"conditional = true needs {LABELLED}")
    return read_conditions(classes, conditions) if conditional else None


def read_conditions(classes: int | None, conditions: LabelFacts | None) -> Conditions:
    """Return what a network that is always conditional is told of a sample; as `find_conditions`."""
    if conditions:
        limits = {key: each for key, each in conditions.items() if not isinstance(each, int)}
        amounts = {key: (float(low), float(high)) for key, (low, high) in limits.items()}
        return Conditions({key: each for key, each in conditions.items() if isinstance(each, int)}, amounts)
    if not classes:
        raise MissingLabels(f"a conditional network needs {LABELLED}")
    return Conditions({LABEL: classes}, {})


class ConditionEmbedding(nn.Embedding):
    """A learned vector of `length` for each class of each key, and for each amount; that of a sample is their sum.

    An amount counts from -1, the least one of the data, to 1. With one key it is torch's `Embedding`.
    """

    def __init__(self, conditions: Conditions, length: int) -> None:
        super().__init__(conditions.count, length)
        self.conditions = conditions

    def forward(self, given: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Return a vector (n, length) for each sample, whose classes and amounts `given` has, (n,) for each key.

        Of a single key the classes alone may be given.
        """
        known, first = self.conditions, 0
        if isinstance(given, Tensor) or known.single is not None:
            return super().forward(given if isinstance(given, Tensor) else given[known.single or LABEL])
        parts = list[Tensor]()
        for key, classes in known.categorical.items():
            parts.append(super().forward(given[key] + first))
            first += classes
        for row, (key, (low, high)) in enumerate(known.amounts.items(), first):
            place = 2 * (given[key] - low) / (high - low) - 1
            parts.append(place[:, None].to(self.weight.dtype) * self.weight[row])
        return torch.stack(parts).sum(0)
