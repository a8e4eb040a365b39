"""Metrics, and the suites that say which metrics measure samples of one kind of data."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from torch import Tensor

from ganzoo.contract import Images
from ganzoo.errors import BadInput

if TYPE_CHECKING:
    from PIL import Image

    from ganzoo.evaluation.real import RealSamples

Observed = TypeVar("Observed")
"""What the metrics of a suite are computed from, such as the features of images."""
Pieces = Iterable[tuple[Images, dict[str, Tensor]]]
"""Samples in pieces, each with the latents that it was made from, as `Model.blocks` yields them."""
Better = Literal["higher", "lower"]
"""Which values of a metric are good."""


@dataclass(frozen=True)
class Metric(Generic[Observed]):
    """One number that says how good samples are.

    `label` is its name in tables, `measure` computes it, `least` is the smallest number of samples that it needs.
    A `labelled` metric needs the label of each sample. `control` computes it for a number of real samples where that
    differs from `measure` of the suite's control.
    """

    label: str
    measure: Callable[[Observed], float]
    better: Better
    least: int = 2
    labelled: bool = False
    control: Callable[[int], float] | None = None


class Suite(ABC, Generic[Observed]):
    """The metrics for samples of a data set or of a kind, the real samples to compare with, and the protocol.

    A plugin registers it for data sets by name or for a kind of samples. `name` is the name of the measuring network or
    mixture in the protocol. `metrics` are the metrics by name, in the order of a table. `watched` are the names of
    those that a training logs (`train.evaluate_every`); the first decides which generator is the best. `classes` are
    the names of the classes, empty where samples have no labels.

    The constructor gets what it names of these: `real`, the real samples, and `name`, the name of the data. Samples are
    as users get them: images in [0, 1].
    """

    name: str
    metrics: Mapping[str, Metric[Observed]]
    watched: tuple[str, ...] = ()
    classes: Sequence[str] = ()
    uses_pretrained: tuple[str, ...] = ()
    """Names of pretrained networks in it. A model whose training has seen one is measured by others, see `Loss`."""
    on_request: str = ""
    """Why its metrics are measured only where the user names them; "" for a suite that is measured by itself."""

    def __init__(self, real: "RealSamples") -> None:
        self.real = real

    @abstractmethod
    def observe(self, pieces: Pieces) -> Observed:
        """Return what the metrics need to know of samples. Raises `BadInput` for samples of another shape."""

    def control(self, n: int) -> Observed:
        """Return what `observe` returns, for `n` real samples, if possible outside the training set; by default of it.

        It is called once before the first metric is measured. Every call with the same `n` takes the same samples.
        Raises `BadInput` if there are too few.
        """
        return self.observe(self.real.pieces(n))

    def picture(self, samples: Observed, control: Observed) -> "Image.Image | None":
        """Return a picture that shows what was measured, by what `observe` and `control` found; None for none."""
        return None

    def most_samples(self) -> int | None:
        """Return how many samples can be measured at most; None, the default, where there is no limit.

        So many are measured where the user does not say a number. Raises `BadInput` if there are too few real ones.
        """
        return None

    def protocol(self, n: int) -> dict[str, Any]:
        """Return the conditions of a measurement of `n` samples as plain values: scores are comparable only by them."""
        return {"real": f"{n} samples of {self.real.name}"}

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` unless the suite measures samples of these data, described as in the config of a model.

        By default all data for which it is registered.
        """
        return None


class Gauge(Protocol):
    """Measures the samples of a training from time to time.

    `key` is the result that decides which generator is the best, `count` the number of samples for one measurement;
    0 means that nothing can be measured.
    """

    key: str
    better: Better
    count: int

    def measure(self, pieces: Pieces) -> dict[str, float]:
        """Return the results by name; empty where the samples cannot be measured."""


def select_output(kind: str, shape: Sequence[int], samples: Images) -> Tensor:
    """Return the output of that kind, "image" or "point". Raises `BadInput` if there is none with that shape."""
    output = samples.get(kind) if isinstance(samples, dict) else samples
    if output is None or tuple(output.shape[1:]) != tuple(shape):
        made = "none" if output is None else tuple(output.shape[1:])
        raise BadInput(f"{kind}s of shape {tuple(shape)} were to be measured, and this model makes {made}")
    return output
