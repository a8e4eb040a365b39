"""All that a plugin author sees: `Generator`, `Loss`, and the `Step` that a loss is given.

A discriminator (or critic) needs no base class: it is any `nn.Module` whose `forward(images, given)` returns raw
scores (no sigmoid) of any shape, or a pair `(scores, extras)` where extras is a dict of tensors.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import BadInput

Images = Tensor | dict[str, Tensor]


class Batch(dict[str, Any]):
    """A dict of tensors whose first axis is the sample; asking for a key it lacks says which keys it has."""

    def __missing__(self, key: str) -> Tensor:
        raise BadInput(f"the batch has no '{key}'; it has {', '.join(map(repr, self)) or 'nothing'}")


class Generator(nn.Module):
    """One side of the game: makes samples from latents.

    An architecture's constructor is called with `image=(channels, height, width)` or, where it names these
    parameters, `point=(dimensions,)` and `classes=k` of the data; every further one is an option that a recipe may set.
    """

    latent_size: int = 100
    """Length of the noise vector that the default `latent` draws."""

    makes: str | tuple[str, ...] = "image"
    """The batch key that this generator imitates, or several where `forward` returns a dict with those keys."""

    needs: tuple[str, ...] = ()
    """Batch keys without which this architecture cannot work, such as "label"."""

    categorical: Mapping[str, int] = MappingProxyType({})
    """Latent keys that hold a number below so many for each sample, as {"label": 10} or InfoGAN's {"code": 10}.

    The default `latent` draws them; a value that somebody fixes is checked, and pictures show a row for each.
    """

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Everything that `n` samples need, drawn on the CPU from `rng`.

        By default {"z": (n, latent_size) normal} and for each key of `categorical` (n,) whole numbers, all equally
        likely. In training what the real batch has of these keys, such as its labels, takes their place.
        """
        drawn = {"z": torch.randn(n, self.latent_size, generator=rng)}
        return drawn | {key: torch.randint(count, (n,), generator=rng) for key, count in self.categorical.items()}

    def forward(self, given: dict[str, Tensor]) -> Images:
        """Images in [-1, 1] of shape (n, channels, height, width), points (n, dimensions), or what else the data is."""
        raise NotImplementedError


class Loss(nn.Module):
    """Terms that one or both sides minimise; penalties, clipping and augmentation are losses too.

    The engine adds the terms up and alone calls `backward` and `step`. A loss has no trainable parameter; state
    lives in buffers, which change only in `after`. Networks inside it stay frozen and in `eval()`. Which terms there
    are may depend on the step, and not on the samples.
    The recipe keys `weight`, `every`, `start` and `stop` belong to the engine and go with any loss.
    """

    def setup(self, step: "Step") -> None:
        """Called once, without gradient, before training: make buffers, or refuse what cannot work.

        Refuse by raising `ValueError` with one sentence that says what is wrong and what to do.
        """

    def discriminator(self, step: "Step") -> dict[str, Tensor]:
        """Named scalar terms that the discriminator minimises. A term without gradient is only logged."""
        return {}

    def generator(self, step: "Step") -> dict[str, Tensor]:
        """Named scalar terms that the generator minimises. A term without gradient is only logged."""
        return {}

    def after(self, step: "Step", terms: dict[str, Tensor]) -> None:
        """Called once after each optimizer step, without gradient, with this loss's own detached `terms`."""

    def view(self, step: "Step", images: Images, given: dict[str, Tensor]) -> Images:
        """What the discriminator sees of any image, real or fake: augmentation, instance noise, packing."""
        return images


class Step:
    """What a loss sees of one turn. Everything below is computed when first asked for, and then kept.

    `turn` is "discriminator" or "generator", `index` the training step from 0, `batch` the real data, `latent` the
    fresh noise, `given` = latent | batch (so a real label wins over a drawn one). `generator` and `discriminator`
    are the plain modules, to look at and not to change; the doors to *call* them are `generate`, `score` and
    `gradient`. Where several processes train together, `batch` is this one's part (`rank` of `processes`).
    """

    def __init__(
        self,
        turn: str,
        index: int,
        batch: dict[str, Tensor],
        latent: dict[str, Tensor],
        *,
        generator: nn.Module,
        discriminator: nn.Module,
        call: Callable[..., Any],
        rng: torch.Generator,
        views: Sequence[Callable[..., Images]] = (),
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.turn, self.index = turn, index
        self.batch, self.latent = Batch(batch), Batch(latent)
        self.given = Batch(latent | batch)
        self.generator, self.discriminator = generator, discriminator
        self._call, self._rng, self._views = call, rng, views
        self.rank, self.processes = rank, processes

    @cached_property
    def real(self) -> Images:
        """The real samples of the batch: `batch["image"]`, or the key or keys that the generator `makes`."""
        makes = getattr(self.generator, "makes", "image")
        return self.batch[makes] if isinstance(makes, str) else {key: self.batch[key] for key in makes}

    @cached_property
    def fake(self) -> Images:
        """As many generated samples; they carry a graph on the generator's turn only."""
        return self.generate(self.given)

    @property
    def real_scores(self) -> Tensor:
        """Raw scores of `real`, float32 (or wider)."""
        return self._real_judgement[0]

    @property
    def fake_scores(self) -> Tensor:
        """Raw scores of `fake`, float32 (or wider)."""
        return self._fake_judgement[0]

    @property
    def real_extras(self) -> dict[str, Tensor]:
        """What else the discriminator returned for `real`; empty where it returns scores alone."""
        return self._real_judgement[1]

    @property
    def fake_extras(self) -> dict[str, Tensor]:
        """What else the discriminator returned for `fake`; empty where it returns scores alone."""
        return self._fake_judgement[1]

    def generate(self, given: dict[str, Tensor], twice: bool = False) -> Images:
        """Samples for `given`, without graph on the discriminator's turn.

        `twice=True` is for what will be differentiated twice (path length): the plain module in full precision.
        """
        with torch.set_grad_enabled(self.turn == "generator" and torch.is_grad_enabled()):
            return self._call(self.generator, given, twice=twice)

    def score(self, images: Images, given: dict[str, Tensor], twice: bool = False) -> Tensor:
        """Raw scores of `images` as every loss's `view` shows them; `twice` as in `generate`."""
        return self._judge(images, given, twice)[0]

    def gradient(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Gradient of the summed scores with respect to `images` (same shape), itself differentiable.

        The heart of gradient penalties, R1, R2 and DRAGAN. `images` are detached first. Raises `BadInput` for a dict
        of several kinds of images: those are penalised one by one.
        """
        if not isinstance(images, Tensor):
            raise BadInput(f"a gradient needs one tensor of images, not several ({', '.join(images)})")
        with torch.enable_grad():
            images = images.detach().requires_grad_()
            scores = self.score(images, given, twice=True)
            return torch.autograd.grad(scores.sum(), images, create_graph=True)[0]

    def rand(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1), in torch's default dtype, from the run's random generator.

        A first axis as long as the batch, or several times so, means samples: of several processes each gets its part
        of what is drawn for the whole batch. Any other shape is drawn alike in all of them.
        """
        return self._draw(torch.rand, *shape)

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers, drawn as `rand` draws."""
        return self._draw(torch.randn, *shape)

    def another_latent(self) -> dict[str, Tensor]:
        """A second, independent latent for the same batch (style mixing, diversity terms)."""
        drawn = self.generator.latent(batch_length(self.batch) * self.processes, self._rng)
        return Batch({key: self._to_device(self._shard(value)) for key, value in drawn.items()})

    @cached_property
    def _real_judgement(self) -> tuple[Tensor, dict[str, Tensor]]:
        return self._judge(self.real, self.batch)

    @cached_property
    def _fake_judgement(self) -> tuple[Tensor, dict[str, Tensor]]:
        return self._judge(self.fake, self.given)

    def _judge(self, images: Images, given: dict[str, Tensor], twice: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
        for view in self._views:
            images = view(self, images, given)
        judged = self._call(self.discriminator, images, given, twice=twice)
        return judged if isinstance(judged, tuple) else (judged, {})

    def _draw(self, draw: Callable[..., Tensor], *shape: Any) -> Tensor:
        shape = tuple(shape[0]) if shape and not isinstance(shape[0], int) else shape  # a torch.Size will do as well
        if self.processes == 1 or not shape or shape[0] % batch_length(self.batch):
            return self._to_device(draw(*shape, generator=self._rng))
        return self._to_device(self._shard(draw(shape[0] * self.processes, *shape[1:], generator=self._rng)))

    def _shard(self, whole: Tensor) -> Tensor:
        if self.processes == 1:
            return whole
        return whole.unflatten(0, (-1, self.processes, batch_length(self.batch)))[:, self.rank].flatten(0, 1)

    def _to_device(self, drawn: Tensor) -> Tensor:
        return drawn.to(next(iter(self.batch.values())).device, non_blocking=True)


def batch_length(batch: dict[str, Tensor]) -> int:
    """Number of samples in a batch: the length of its first tensor."""
    return len(next(iter(batch.values())))
