"""What a plugin author writes against: `Generator`, `Loss`, and the `Step` that a loss is given.

A discriminator (or critic) needs no base class. It is any `nn.Module` whose `forward(images, given)` returns raw scores
(no sigmoid): a tensor of any shape, or a list of such score maps where there are several judges. With more to say it
returns a pair `(scores, extras)`, where `extras` is a dict of tensors.
The first axis of every tensor is the sample; n is the number of samples in a batch.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from ganzoo._draws import Batch as Batch
from ganzoo._draws import Draws
from ganzoo._draws import batch_length as batch_length
from ganzoo._outputs import Judges, NetworkCall, split_samples, split_scores
from ganzoo.dataset import Spec
from ganzoo.errors import BadInput

T = TypeVar("T")

Images = Tensor | dict[str, Tensor]
"""Samples of one kind, or of several kinds by their batch key."""
Extras = dict[str, Tensor]
"""What a network returns beside samples or scores, by names of its own."""
Made = Images | tuple[Images, Extras]
"""What a generator returns, with or without extras."""


class Generator(nn.Module):
    """One side of the game: makes samples from latents. The other side is the discriminator.

    Constructors of networks receive what the data say in the parameters that they name: the shape of each key, such as
    `image=(channels, height, width)`, the number of `classes`, and the data set's own facts. Every other parameter is
    an option of a recipe. To refuse an option or the data, raise `ValueError` with one sentence.
    """

    latent_size: int = 100
    """Length of the noise vector that the default `latent` draws."""

    makes: str | tuple[str, ...] = "image"
    """The batch key that this generator imitates; several keys if `forward` returns a dict with these keys."""

    needs: tuple[str, ...] | Mapping[str, Spec] = ()
    """Batch keys that this architecture cannot work without, such as ("label",) or ("grey",).

    Those that `latent` does not draw are inputs of `Model.sample`. The data say what a key holds, or a mapping does,
    such as {"grey": ganzoo.Spec("image", (1, 64, 64))}.
    """

    takes: tuple[str, ...] | Mapping[str, Spec] = ()
    """Inputs that `forward` uses where they are given and does without otherwise, such as a mask; as `needs`."""

    categorical: Mapping[str, int] = MappingProxyType({})
    """Latent keys that hold one category per sample, each with its number of categories, such as {"label": 10}.

    The default `latent` draws them. A value that a user fixes is checked, and pictures show one row per category.
    """

    amounts: Mapping[str, tuple[float, float]] = MappingProxyType({})
    """Latent keys that hold one amount per sample, each with the least and the greatest, such as {"age": (18, 80)}.

    The default `latent` draws them evenly, and users may fix them within these limits.
    """

    labels: Literal["real", "drawn"]
    """Which categories fakes have in training where the batch has them too: its own (the default) or drawn ones."""

    ranges: Mapping[str, tuple[float, float]]
    """Latent keys with the least and the greatest value that users may fix, such as {"truncation": (0, math.inf)}."""

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw everything that `n` samples need, on the CPU and from `rng`.

        By default {"z": standard normal (n, latent_size)}, for each key of `categorical` integers of shape (n,),
        uniform in [0, number of categories), and for each of `amounts` numbers of shape (n,).
        No key may be called "n" or "seed", which `Model.sample` takes.
        """
        drawn = {"z": torch.randn(n, self.latent_size, generator=rng)}
        drawn |= {key: torch.randint(count, (n,), generator=rng) for key, count in self.categorical.items()}
        limits = self.amounts.items()
        return drawn | {key: low + (high - low) * torch.rand(n, generator=rng) for key, (low, high) in limits}

    def forward(self, given: dict[str, Tensor]) -> Made:
        """Return one sample for each row of `given`, which is the latent and, in training, the real batch.

        Images have shape (n, channels, height, width) and values in [-1, 1], points have shape (n, dimensions); other
        data have their own shape. Return a dict of such tensors if `makes` has several keys, and a pair
        `(samples, extras)` to show losses more.
        """
        raise NotImplementedError

    if TYPE_CHECKING:  # a method `finish` would hide a network of this name; nn.Module says that a call returns Any

        def finish(self, batches: Iterable[dict[str, Tensor]]) -> None:
            """Change the copy of the averaged generator that is being saved as a model, such as standing statistics.

            It is in `eval()`, without gradients. `batches` are 128 dicts that `forward` takes, of 64 samples each, the
            same ones for each model of a run. The training goes on as if this had not been called.
            """

        def __call__(self, given: dict[str, Tensor]) -> Made:
            """Call `forward`."""


class Loss(nn.Module):
    """Terms that the generator, the discriminator or both minimise. Override the methods that the loss needs.

    Penalties, weight clipping and augmentation are losses too. The engine adds up the terms of all losses, and the
    engine alone calls `backward` and steps the optimizers. Several judges count alike: a loss that looks at scores is
    asked once for each, and the mean counts; `setup` and `after` see the first. Four rules hold for every loss:

    - It has no trainable parameters. The engine freezes networks inside it and keeps them in `eval()`.
    - Its state lives in buffers, which checkpoints save, and changes only in `after`.
    - The names of its terms may depend on the step, but not on the values of the samples.
    - It has no options `weight`, `every`, `start` and `stop`: these recipe keys work for any loss, in the engine.
    """

    schedulable: tuple[str, ...] = ()
    """Options that may vary, `strength = {from = 0, to = 1}`: the engine sets the attribute, a float, before a turn."""

    def setup(self, step: "Step") -> None:
        """Make buffers, or refuse a game that cannot work; called once before training, without gradients.

        To refuse, raise `ValueError` with one sentence. A copy with the last values of options that vary is asked, too.
        """

    def discriminator(self, step: "Step") -> dict[str, Tensor]:
        """Return scalar terms by name that the discriminator minimises. A term without gradient is only logged."""
        return {}

    def generator(self, step: "Step") -> dict[str, Tensor]:
        """Return scalar terms by name that the generator minimises. A term without gradient is only logged."""
        return {}

    def after(self, step: "Step", terms: dict[str, Tensor]) -> None:
        """Update buffers or clip weights; called once after each optimizer step, without gradients.

        `terms` are this loss's own terms of that turn: detached, without `weight`, and averaged over the parts of the
        batch and over processes. If the batch was split (`train.accumulate`), `step` has what all parts had, together.
        """

    def view(self, step: "Step", images: Images, given: dict[str, Tensor]) -> Made:
        """Return what the discriminator sees of `images`, real or fake: augmentation, instance noise, packing.

        Return `(images, given)` to change what belongs to the images with them.
        """
        return images

    def seen_facts(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the discriminator's constructor receives, if `view` changes shapes.

        `facts` are those that the data say, or what an earlier loss has made of them, such as {"image": (3, 32, 32)}.
        """
        return facts


class Step:
    """One turn of the game, as a loss sees it.

    `turn`: "generator" or "discriminator", the side that is updated. `index`: the training step, from 0, of `total` in
    all, which is an estimate where the time ends the training, and infinite where nobody knows.
    `batch`: the real data. `latent`: fresh noise. `given`: both together; where both have a key, the batch counts, but
    for categories if `Generator.labels` is "drawn".
    `generator`, `discriminator`: the networks, to read; only methods of this class call them (precision, views).
    `rank`, `processes`: where several processes train together, `batch` is the part of process number `rank`, from 0.
    `sees_real`: in a `view`, whether the images are judged with `batch`, as real ones are, and not with `given`.
    The properties are computed on first access and then kept.
    """

    def __init__(
        self,
        turn: str,
        index: int,
        batch: dict[str, Tensor],
        latent: dict[str, Tensor],
        *,
        generator: Generator,
        discriminator: nn.Module,
        call: NetworkCall,
        rng: torch.Generator,
        views: Sequence[Callable[..., Made]] = (),
        rank: int = 0,
        processes: int = 1,
        parts: int = 1,
        total: float = math.inf,
    ) -> None:
        self.turn, self.index, self.total, self.rank, self.processes = turn, index, total, rank, processes
        self.batch, self.latent = Batch(batch), Batch(latent)
        own = generator.categorical.keys() & latent if getattr(generator, "labels", "real") == "drawn" else ()
        self.given = Batch(latent | batch | {key: latent[key] for key in own})
        self.generator, self.discriminator = generator, discriminator
        self._call, self._views, self._judges, self.sees_real = call, views, Judges(), False
        self._draws = Draws(rng, batch, rank, processes, parts)

    @property
    def progress(self) -> float:
        """How much of the training is done before this step, from 0 to below 1; 0 where nobody knows."""
        return min(1.0, self.index / self.total)

    @cached_property
    def real(self) -> Images:
        """The real samples: `batch["image"]`, or the key or keys that the generator `makes`."""
        makes = self.generator.makes
        return self.batch[makes] if isinstance(makes, str) else {key: self.batch[key] for key in makes}

    @property
    def fake(self) -> Images:
        """As many generated samples, made from `given`; they have a graph on the generator's turn only."""
        return self._made[0]

    @property
    def generator_extras(self) -> Extras:
        """The extras that the generator returned with `fake`; empty if it returns samples alone."""
        return self._made[1]

    @property
    def real_scores(self) -> Tensor:
        """Raw scores of `real`, in float32 or wider, in the discriminator's own shape; of one judge, see `Loss`."""
        return self._judges.pick(self._judged_real[0])

    @property
    def fake_scores(self) -> Tensor:
        """Raw scores of `fake`; otherwise as `real_scores`."""
        return self._judges.pick(self._judged_fake[0])

    @property
    def real_extras(self) -> Extras:
        """The extras that the discriminator returned for `real`; empty if it returns scores alone."""
        return self._judged_real[1]

    @property
    def fake_extras(self) -> Extras:
        """The extras that the discriminator returned for `fake`; otherwise as `real_extras`."""
        return self._judged_fake[1]

    def make(self, given: dict[str, Tensor], twice: bool = False) -> tuple[Images, Extras]:
        """Return samples and extras for `given`, without graph on the discriminator's turn.

        Pass `twice=True` if the result will be differentiated twice: the network then runs in fp32, uncompiled.
        """
        with torch.set_grad_enabled(self.turn == "generator" and torch.is_grad_enabled()):
            return split_samples(self.generator, self._call(self.generator, given, twice=twice))

    def generate(self, given: dict[str, Tensor], twice: bool = False) -> Images:
        """Return the samples of `make`."""
        return self.make(given, twice)[0]

    def judge(self, images: Images, given: dict[str, Tensor], twice: bool = False) -> tuple[Tensor, Extras]:
        """Return raw scores and extras of any images after the `view` of every loss; `twice` as in `make`."""
        scores, extras = self._score(images, given, twice)
        return self._judges.pick(scores), extras

    def see(self, images: Images, given: dict[str, Tensor]) -> tuple[Images, dict[str, Tensor]]:
        """Return what the discriminator sees of images, and what belongs to them, after the `view` of every loss."""
        self.sees_real = given is self.batch
        for view in self._views:
            seen = view(self, images, given)
            images, given = seen if isinstance(seen, tuple) else (seen, given)
        return images, given

    def score(self, images: Images, given: dict[str, Tensor], twice: bool = False) -> Tensor:
        """Return the scores of `judge`."""
        return self.judge(images, given, twice)[0]

    def call(self, network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
        """Return `network(*inputs)` for a part of a network, such as `step.generator.encoder`; `twice` as in `make`."""
        return self._call(network, *inputs, twice=twice)

    def gradient(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Return the gradient of the summed scores with respect to `images`, in their shape, itself differentiable.

        R1, R2 and other penalties are made of it. `images` are detached first. Raises `BadInput` for a dict of them.
        """
        if not isinstance(images, Tensor):
            raise BadInput(f"a gradient needs one tensor of images, not several ({', '.join(images)})")
        with torch.enable_grad():
            images = images.detach().requires_grad_()
            scores = self.score(images, given, twice=True)
            return torch.autograd.grad(scores.sum(), images, create_graph=True)[0]

    def rand(self, *shape: int) -> Tensor:
        """Draw uniform numbers in [0, 1), in torch's default dtype, from the run's random generator.

        If the first axis is as long as the batch, or a multiple of it, it counts as samples: the numbers are drawn for
        the whole batch, and each process gets those of its own part. Other shapes are the same in all processes.
        """
        return self._draws.draw(torch.rand, *shape)

    def randn(self, *shape: int) -> Tensor:
        """Draw standard normal numbers; otherwise as `rand`."""
        return self._draws.draw(torch.randn, *shape)

    def another_latent(self) -> dict[str, Tensor]:
        """Draw a second, independent latent for the same batch, as for style mixing and diversity terms."""
        return Batch(self._draws.latent(self.generator.latent))

    @cached_property
    def _made(self) -> tuple[Images, Extras]:
        return self.make(self.given)

    @cached_property
    def _judged_real(self) -> tuple[list[Tensor], Extras]:
        return self._score(self.real, self.batch)

    @cached_property
    def _judged_fake(self) -> tuple[list[Tensor], Extras]:
        return self._score(self.fake, self.given)

    def _score(self, images: Images, given: dict[str, Tensor], twice: bool = False) -> tuple[list[Tensor], Extras]:
        return split_scores(self.discriminator, self._call(self.discriminator, *self.see(images, given), twice=twice))
