"""Was it copied? How near samples are to the pictures of the training, beside how near unseen pictures are."""

import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo.errors import BadInput, Error
from ganzoo.evaluation import prdc
from ganzoo.evaluation.features import MIN_SAMPLES, check_same_shape, count_comparable
from ganzoo.evaluation.lite0 import Lite0Suite
from ganzoo.evaluation.pixels import check_visible, on_white, round_to_bytes
from ganzoo.evaluation.real import RealSamples
from ganzoo.evaluation.suites import Metric, Pieces, Suite
from ganzoo.layers import load_lite0
from ganzoo.pictures.grid import draw_tiles, to_bytes

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger("ganzoo")
NEIGHBOUR_METRICS = ("copied-pixels", "copied-lite0")
QUANTILE = 0.01
"""A sample is as near as a copy where it is nearer than all but this share of unseen pictures."""
MOST_TRAINED = 100_000
"""Pictures of the training that are looked at; their features are in memory at once."""
LARGEST_SIDE = 64
"""Pictures with a shorter side above it are made smaller before their pixels are compared."""
SHOWN = 8
"""Samples, and unseen pictures, that are shown beside their nearest pictures."""
DECIMALS = 4
"""Distances are rounded: two equal pictures may have slightly different features."""


@dataclass
class Nearest:
    """The `distances` (n,) of samples to their nearest pictures of the training, and the `SHOWN` nearest samples.

    Of these: the `samples`, the nearest first, and in `indices` which picture of the training each is near to.
    """

    distances: Tensor
    samples: Tensor
    indices: list[int]


class NeighbourSuite(Suite[Nearest]):
    """The share of samples that are nearer to a picture of the training than 99 % of unseen pictures are.

    A class names the metric by `prefix`, and what is compared by `extract`. Unseen pictures are those that were held
    out (`data.holdout`). Where nothing was held out, they are pictures of the training and compared with all others.
    A model that copies nothing has about the share of unseen pictures, 1 %.
    """

    prefix: str
    on_request = "they look at every picture of the training"

    def __init__(self, real: RealSamples) -> None:
        super().__init__(real)
        name = f"copied-{self.prefix}"
        self.metrics = {name: Metric(f"copied ({self.prefix})", self.copied_share, "lower", MIN_SAMPLES)}
        self._threshold: float | None = None

    @abstractmethod
    def extract(self, samples: Tensor) -> Tensor:
        """Return what is compared, (n, d), of images in [0, 1]."""

    def describe(self) -> dict[str, Any]:
        """Return what a protocol says of that which is compared."""
        return {}

    def observe(self, pieces: Pieces) -> Nearest:
        """Find the nearest picture of the training of each sample."""
        return self._find(self.real.outputs.select(samples) for samples, _ in pieces)

    def control(self, n: int) -> Nearest:
        """Find that of up to `n` unseen pictures, and the distance that only 1 % of them have, or less."""
        real, held = self.real, self.real.held_out
        pieces = (held or real).pieces(min(n, self._count_unseen()))
        unseen = self._find((real.outputs.select(samples) for samples, _ in pieces), apart=held is None)
        self._threshold = torch.quantile(unseen.distances, QUANTILE, interpolation="lower").item()
        return unseen

    def copied_share(self, samples: Nearest) -> float:
        """Return the share of samples that are as near as copies. Raises `ValueError` before the first `control`."""
        if self._threshold is None:
            raise ValueError("there is nothing to compare with: call control(n) first")
        return (samples.distances <= self._threshold).double().mean().item()

    def picture(self, samples: Nearest, control: Nearest) -> "Image.Image":
        """Show the nearest samples and unseen pictures, each above its picture of the training."""
        names = ["nearest samples", "of the training", "nearest unseen", "of the training"]
        rows = [part for each in (samples, control) for part in (each.samples, self._read_trained(each.indices))]
        return draw_tiles(to_bytes(torch.cat(rows)), len(samples.samples), names)

    def most_samples(self) -> int | None:
        """Return the number of samples that other suites measure at most, so that one protocol holds for all."""
        return count_comparable(self.real)

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise `BadInput` for images of another shape, for data without end, and for too few unseen ones."""
        check_same_shape(data, self.real)
        check_visible(self.name, data)
        if self.real.data.count is None:
            raise BadInput(f"{self.real.name} has no end, so that no picture of it is the nearest")
        if (count := self._count_unseen()) < MIN_SAMPLES:
            raise BadInput(f"{self.real.name} has {count} pictures to compare with, and {MIN_SAMPLES} are needed")

    def protocol(self, n: int) -> dict[str, Any]:
        """Return the counts, and what is compared."""
        name, held = self.real.name, self.real.held_out is not None
        unseen = f"{min(n, self._count_unseen())} of {name}"
        return {
            **self.describe(),
            "trained": f"{self._count_trained()} of {name}",
            "real": unseen + (" that were held out" if held else ", each with all others"),
            "copied": f"as near as {QUANTILE:.0%} of them",
        }

    def _count_trained(self) -> int:
        return min(self.real.data.count or 0, MOST_TRAINED)

    def _count_unseen(self) -> int:
        held = self.real.held_out
        return (held.data.count or 0) if held else self._count_trained()

    @cached_property
    def _trained(self) -> Tensor:
        select = self.real.outputs.select
        return torch.cat([self.extract(select(part)).cpu() for part, _ in self.real.pieces(self._count_trained())])

    def _find(self, parts: Iterable[Tensor], apart: bool = False) -> Nearest:
        """Find the nearest pictures of samples; with `apart` sample i is picture i, and not its own neighbour."""
        distances: list[float] = []
        shown: list[tuple[float, int, Tensor]] = []
        for part in parts:
            near = self._find_part(part, own=len(distances) if apart else None)
            distances += near.values.tolist()
            found = zip(near.values.tolist(), near.indices.tolist(), part.cpu(), strict=True)
            shown = sorted([*shown, *found], key=itemgetter(0))[:SHOWN]
        _, indices, samples = zip(*shown, strict=True)
        return Nearest(torch.tensor(distances).round(decimals=DECIMALS), torch.stack(samples), list(indices))

    def _find_part(self, samples: Tensor, own: int | None) -> Any:
        rows = torch.cat(list(prdc.distances(self.extract(samples).cpu(), self._trained)))
        if own is not None:
            rows.diagonal(own).fill_(torch.inf)
        return rows.min(dim=1)

    def _read_trained(self, indices: Sequence[int]) -> Tensor:
        select, wanted, found, first = self.real.outputs.select, set(indices), dict[int, Tensor](), 0
        for part, _ in self.real.pieces(max(indices) + 1):
            images = select(part)
            found |= {index: images[index - first] for index in wanted if first <= index < first + len(images)}
            first += len(images)
        return torch.stack([found[index] for index in indices])


class PixelNeighbours(NeighbourSuite):
    """By the pixels of pictures of at most 64 pixels."""

    name, prefix = "pixel-neighbours", "pixels"

    def extract(self, samples: Tensor) -> Tensor:
        """Return the levels (n, d) of all pixels as uint8, transparent parts white."""
        images = on_white(samples)
        if (scale := LARGEST_SIDE / min(images.shape[2:])) < 1:
            images = interpolate(images, scale_factor=scale, mode="area")
        return round_to_bytes(images).flatten(1)

    def describe(self) -> dict[str, Any]:
        """Return the size of the pictures that are compared."""
        return {"largest_side": LARGEST_SIDE}


class Lite0Neighbours(NeighbourSuite):
    """By the features of EfficientNet-Lite0."""

    name, prefix, uses_pretrained = "lite0-neighbours", "lite0", Lite0Suite.uses_pretrained

    @cached_property
    def _suite(self) -> Lite0Suite:
        return Lite0Suite(self.real)

    def extract(self, samples: Tensor) -> Tensor:
        """Return the features (n, 1280) of images in [0, 1]."""
        return self._suite.extract(samples)

    def describe(self) -> dict[str, Any]:
        """Return the hash of the weights, and how images become what the network sees."""
        return self._suite.describe()


def list_neighbour_metrics() -> list[str]:
    """Return the metrics that tell copies: by pixels, and by features where the weights of the network are here."""
    try:
        load_lite0()
    except Error as error:
        logger.warning("copies are looked for by pixels alone: %s", error)
        return [NEIGHBOUR_METRICS[0]]
    return [*NEIGHBOUR_METRICS]
