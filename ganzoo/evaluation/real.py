"""Real samples that generated ones are compared with, in the form of generated ones; read when first needed."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ganzoo._faults import call_plugin
from ganzoo.contract import Images
from ganzoo.data.base import Data
from ganzoo.dataset import NOTHING
from ganzoo.errors import BadInput
from ganzoo.evaluation.suites import Pieces
from ganzoo.kind import Kind
from ganzoo.kinds.outputs import Outputs, read_specs
from ganzoo.zoo.sampling import concatenate

READ_BATCH = 64
"""Samples that are read at once."""
SEED = 0
"""Seed of their order, so that they do not depend on the seed of the generated samples."""


class RealSamples:
    """Real samples of the data that a model learned from, or of those that the user names.

    `description` is the data's, as in the config of a model. Nothing is opened before `pieces` or `data` is used.
    """

    def __init__(
        self, description: Mapping[str, Any], open_data: Callable[[], Data], outputs: Outputs | None = None
    ) -> None:
        self.description, self._open = dict(description), open_data
        self._outputs = outputs

    @classmethod
    def of(cls, data: Data, outputs: Outputs | None = None) -> "RealSamples":
        """Return the samples of data that are open already."""
        return cls(data.description, lambda: data, outputs)

    @cached_property
    def data(self) -> Data:
        """The data. Raises `BadInput` where they are not on this machine."""
        return self._open()

    @property
    def name(self) -> str:
        """The name of the data."""
        name = str(self.description.get("name", "unknown"))
        # Where a folder lies on this machine belongs into no scores.
        return Path(name).name if self.description.get("opened_as") == "folder" else name

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the data tell networks, such as {"rate": 16000}."""
        return self.description.get("facts") or NOTHING

    @cached_property
    def outputs(self) -> Outputs:
        """The kinds of the samples; of data alone those of their first key."""
        return self._outputs or Outputs(next(iter(read_specs(self.description)), "other"), self.description)

    @property
    def kind(self) -> Kind:
        """The kind of the samples."""
        return self.outputs.kind

    @property
    def held_out(self) -> "RealSamples | None":
        """The part of the data that was held out of the training (`data.holdout`); None where nothing was."""
        held = self.data.held_out
        return None if held is None else RealSamples(self.description, lambda: held, self._outputs)

    def pieces(self, n: int, skip: int = 0) -> Pieces:
        """Yield `n` real samples in the form of `Model.blocks`: users' samples, with the batch that they come from.

        The first `skip` of a fixed random order are left out, so that two calls can have different samples. Raises
        `BadInput` where the data have too few.
        """
        count = self.data.count
        if count is not None and count < n + skip:
            raise BadInput(f"{self.name} has {count:,} samples, and {n + skip:,} are needed: choose a smaller -n")
        with contextlib.closing(self.data.batches(READ_BATCH, SEED, used=skip)) as batches:
            for done in range(0, n, READ_BATCH):
                yield self._read(batches, n - done)

    @torch.no_grad()
    def _read(self, batches: Iterator[dict[str, torch.Tensor]], most: int) -> tuple[Images, dict[str, torch.Tensor]]:
        """Return the next samples and their batch. Gradients are not off while a piece is looked at.

        An iteration that an error ends is closed at some later time, and would put back what it had found before.
        """
        part = {key: value[:most] for key, value in call_plugin("the data", next, batches).items()}
        return self._select(part), concatenate([part])

    def _select(self, batch: Mapping[str, torch.Tensor]) -> Any:
        """Return what generated samples imitate, as users get it."""
        if missing := [key for key in self.outputs.kinds if key not in batch]:
            raise BadInput(f"{self.name} has no '{missing[0]}' to compare with; it has {', '.join(map(repr, batch))}")
        found = concatenate([{key: batch[key] for key in self.outputs.kinds}])
        return self.outputs.to_public(found if len(found) > 1 else found[self.outputs.main])
