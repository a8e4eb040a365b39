"""What a measurement is made of: metrics, and the suite that says which of them judge samples of one kind of data."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganzoo.errors import BadInput

Pieces = Iterable[tuple[Any, dict[str, Tensor]]]
"""Samples piece by piece, each with the latents that it was made from, as `Model.blocks` gives them."""


@dataclass(frozen=True)
class Metric:
    """One number that says how good samples are.

    `measure` takes what the suite observed and returns it; `label` is what tables call it, `better` which way is good
    ("higher" or "lower"), `least` the fewest samples that it can be had from, `labelled` whether each sample needs a
    label. `control` returns it for a number of real samples, where that is not `measure` of the suite's control.
    """

    label: str
    measure: Callable[[Any], float]
    better: str
    least: int = 2
    labelled: bool = False
    control: Callable[[int], float] | None = None


class Suite(ABC):
    """The metrics for samples of one kind of data, the real samples they are compared with, and the protocol.

    `metrics` has the metrics by name, in the order of a table. `watched` names those that a training logs; the best
    generator is the best by the first of them. `classes` are the names of the classes that labels mean, if any do.
    """

    name: str
    """What sees the samples, as the protocol calls it."""
    metrics: Mapping[str, Metric]
    watched: tuple[str, ...]
    classes: Sequence[str] = ()

    @abstractmethod
    def observe(self, pieces: Pieces) -> Any:
        """All that the metrics look at, of samples as `Model.blocks` gives them."""

    @abstractmethod
    def control(self, n: int) -> Any:
        """What `observe` would return of `n` real samples that no training has seen. Raises `BadInput` for too many."""

    @abstractmethod
    def protocol(self, n: int) -> dict[str, Any]:
        """The conditions of a measurement of `n` samples, as plain values: without them no number says anything."""

    @abstractmethod
    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` where samples as a config's `data` describes them cannot be measured here."""


def are_finite(samples: Any) -> bool:
    """Whether all outputs of a generator are finite; some metrics would not notice, others end the process."""
    outputs = samples.values() if isinstance(samples, dict) else [samples]
    return all(bool(values.isfinite().all()) for values in outputs)


def select_outputs(kind: str, shape: Sequence[int], samples: Any) -> Tensor:
    """The samples of that kind, one or several outputs of a generator. Raises `BadInput` for none of that shape."""
    found = samples.get(kind) if isinstance(samples, dict) else samples
    if found is None or tuple(found.shape[1:]) != tuple(shape):
        made = "none" if found is None else tuple(found.shape[1:])
        raise BadInput(f"{kind}s of shape {tuple(shape)} were to be measured, and this model makes {made}")
    return found
