"""Training loops of the modern recipes written by hand, as people write them for one network, to compare ganzoo with.

Each loop trains the networks of a recipe on the same images with the recipe's losses, precision, batch and optimizer:
data in memory, fused Adam, the other side frozen, channels last, autocast, an averaged generator. The losses are
written out here, but for transforms of images and three long formulas, which are called.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from ganzoo import Recipe
from ganzoo.engine.schedule import at
from ganzoo_augment.ada import PIPELINE
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.transforms import cut_out, recolour, translate

Given = dict[str, Tensor]
Scores = list[Tensor]


class Loop:
    """The part that is the same for all: data, optimizers, turns, average. Subclasses have the losses."""

    def __init__(self, recipe: Recipe, networks: tuple[Any, nn.Module], data: Given, bf16: bool) -> None:
        self.recipe, self.data, self.bf16 = recipe, data, bf16
        self.generator, self.discriminator = (each.to(memory_format=torch.channels_last) for each in networks)
        self.average = deepcopy(self.generator).eval().requires_grad_(False)
        sides = ((self.generator, "generator"), (self.discriminator, "discriminator"))
        self.g_optimizer, self.d_optimizer = (make_adam(network, recipe, side) for network, side in sides)
        self.options = {use.name.rpartition(":")[2]: use for use in recipe.loss}
        self.transforms = find_transforms({name: use.options() for name, use in self.options.items()})
        self.rng, self.indices = torch.Generator().manual_seed(0), self._endless()
        self.step_number = 0

    def _endless(self) -> Iterator[Tensor]:
        count, batch = len(self.data["image"]), self.recipe.train.batch
        while True:
            order = torch.randperm(count)
            yield from (order[first : first + batch] for first in range(0, count - batch + 1, batch))

    def run(self, steps: int) -> None:
        """Run that many training steps."""
        for _ in range(steps):
            for _ in range(self.recipe.train.critic_steps):
                batch = self.next_batch()
                self.play(self.d_optimizer, self.generator, self.discriminator_loss, batch)
            self.play(self.g_optimizer, self.discriminator, self.generator_loss, batch)
            self.step_number += 1
            if self.step_number % self.recipe.train.ema_every == 0:
                self.update_average()

    def next_batch(self) -> Given:
        """Return the next real batch, images in [-1, 1]."""
        rows = next(self.indices)
        batch = {key: value[rows] for key, value in self.data.items()}
        return {**batch, "image": batch["image"].float().div_(127.5).sub_(1)}

    def play(
        self, optimizer: torch.optim.Optimizer, other: nn.Module, loss: Callable[[Given], Tensor], batch: Given
    ) -> None:
        """Play one turn: the other side is frozen."""
        other.requires_grad_(False)
        torch.autograd.backward(loss(batch))
        optimizer.step()
        optimizer.zero_grad()
        other.requires_grad_(True)

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average towards the generator."""
        torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 0.01)
        for kept, buffer in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(buffer)

    def given(self, batch: Given) -> Given:
        """Draw what fakes are made from; labels are those of the batch."""
        return {**self.generator.latent(self.recipe.train.batch, self.rng), **batch}

    def make(self, given: Given, twice: bool = False) -> tuple[Tensor, Given]:
        """Return fakes, and what the generator returns beside them."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16 and not twice):
            found = self.generator(given)
        images, extras = found if isinstance(found, tuple) else (found, {})
        return images.float(), extras

    def judge(self, images: Tensor, given: Given, twice: bool = False) -> tuple[Scores, Given]:
        """Return scores, of each judge, and what the discriminator returns beside them."""
        images = self.see(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16 and not twice):
            found = self.discriminator(images, given)
        scores, extras = found if isinstance(found, tuple) else (found, {})
        scores = scores if isinstance(scores, list) else [scores]
        return [each.float() for each in scores], {key: value.float() for key, value in extras.items()}

    def fake(self, given: Given) -> Tensor:
        """Return fakes without a graph."""
        with torch.no_grad():
            return self.make(given)[0]

    def see(self, images: Tensor) -> Tensor:
        """Return images after the transforms of the recipe: of DiffAugment, or of ADA with a probability that stays."""
        for change in self.transforms:
            images = change(images, Numbers(self, images))  # type: ignore[arg-type]  # it draws numbers, too
        return images

    def is_due(self, name: str) -> bool:
        """Return whether a lazy loss plays in this step."""
        return name in self.options and self.step_number % self.options[name].every == 0

    def factor(self, name: str) -> float:
        """Return what a lazy loss counts."""
        return self.options[name].every * number(self.options[name].weight)

    def slope(self, images: Tensor, given: Given) -> Tensor:
        """Return the mean squared norm of the gradient of scores with respect to images."""
        images = images.detach().requires_grad_()
        scores, _ = self.judge(images, given, twice=True)
        return squared_norm(sum(each.sum() for each in scores), images)

    def rand(self, *shape: int) -> Tensor:
        """Draw uniform numbers, for transforms."""
        return torch.rand(shape, generator=self.rng)

    def randn(self, *shape: int) -> Tensor:
        """Draw normal numbers."""
        return torch.randn(shape, generator=self.rng)

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return what the discriminator minimises."""
        raise NotImplementedError

    def generator_loss(self, batch: Given) -> Tensor:
        """Return what the generator minimises."""
        raise NotImplementedError


class NonSaturating(Loop):
    """StyleGAN2 and progressive growing: cross entropy of scores, lazy R1, lazy path length."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.length = torch.zeros(())

    def next_batch(self) -> Given:
        """Return the next real batch, in the size that the networks have grown to."""
        batch = super().next_batch()
        if "growing" not in self.options:
            return batch
        from ganzoo_fastgan.growing import show_at

        return {**batch, "image": show_at(batch["image"], self.discriminator.growth.item())}

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return the cross entropy, and R1 where it is due."""
        (real,), _ = self.judge(batch["image"], batch)
        given = self.given(batch)
        (fake,), _ = self.judge(self.fake(given), given)
        loss = softplus(-real).mean() + softplus(fake).mean()
        if self.is_due("r1"):
            gamma = number(self.options["r1"].options()["gamma"])
            loss = loss + self.factor("r1") * gamma / 2 * self.slope(batch["image"], batch)
        return loss

    def generator_loss(self, batch: Given) -> Tensor:
        """Return the cross entropy, and path length where it is due."""
        given = self.given(batch)
        (fake,), _ = self.judge(self.make(given)[0], given)
        loss = softplus(-fake).mean()
        if self.is_due("path-length"):
            loss = loss + self.factor("path-length") * self.path_length(given)
        return loss

    def path_length(self, given: Given) -> Tensor:
        """Return the penalty of Karras et al. 2020, equation 4, of every second sample."""
        images, extras = self.make({key: value[::2] for key, value in given.items()}, twice=True)
        noise = torch.randn_like(images) / sqrt(images[0, 0].numel())
        (slopes,) = torch.autograd.grad((images * noise).sum(), extras["w"], create_graph=True)
        lengths = (slopes.square().sum(-1).mean(1) + 1e-12).sqrt()
        penalty = (lengths - self.length).square().mean()
        self.length.lerp_(lengths.detach().mean(), 0.01)
        return penalty


class Relativistic(Loop):
    """R3GAN: paired scores, R1 and R2 on every turn.

    `shared` takes the penalties from the forwards of the scores, in full precision, as the authors do; else the scores
    have forwards of their own, in half precision, as ganzoo computes them.
    """

    shared = True

    @property
    def gamma(self) -> float:
        """The gamma of both penalties: of losses of their own, or options of `relativistic`."""
        if "r1" in self.options:
            return number(self.options["r1"].options()["gamma"])
        return number(self.options["relativistic"].options()["r1"])

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return the loss of pairs and both penalties."""
        given = self.given(batch)
        fake, real, gamma = self.fake(given), batch["image"], self.gamma
        if not self.shared:
            (on_real,), _ = self.judge(real, batch)
            (on_fake,), _ = self.judge(fake, given)
            penalty = self.slope(real, batch) + self.slope(fake, given)
        else:
            real, fake = real.requires_grad_(), fake.requires_grad_()
            (on_real,), _ = self.judge(real, batch, twice=True)
            (on_fake,), _ = self.judge(fake, given, twice=True)
            penalty = squared_norm(on_real.sum(), real) + squared_norm(on_fake.sum(), fake)
        return softplus(on_fake - on_real).mean() + gamma / 2 * penalty

    def generator_loss(self, batch: Given) -> Tensor:
        """Return the loss of pairs."""
        given = self.given(batch)
        with torch.no_grad():
            (real,), _ = self.judge(batch["image"], batch)
        (fake,), _ = self.judge(self.make(given)[0], given)
        return softplus(real - fake).mean()


class Separate(Relativistic):
    """The same, with forwards of their own for the penalties."""

    shared = False


class Hinge(Loop):
    """SNGAN, SAGAN, BigGAN, ReACGAN, FastGAN and projected discriminators: hinge, and what each has beside it."""

    def discriminator_loss(self, batch: Given) -> Tensor:
        """Return hinge, reconstruction and classes."""
        given = self.given(batch)
        real, extras = self.judge(batch["image"], batch)
        fake, _ = self.judge(self.fake(given), given)
        pairs = zip(real, fake, strict=True)
        loss = torch.stack([relu(1 - one).mean() + relu(1 + other).mean() for one, other in pairs]).mean()
        if "reconstruction" in self.options:
            loss = loss + self.reconstruct(extras)
        return loss + self.classes(extras, batch) if "d2d-ce" in self.options else loss

    def generator_loss(self, batch: Given) -> Tensor:
        """Return hinge, orthogonality and classes."""
        given = self.given(batch)
        fake, extras = self.judge(self.make(given)[0], given)
        loss = -torch.stack([each.mean() for each in fake]).mean()
        if "orthogonal" in self.options:
            from ganzoo_resnet.losses import find_filters, penalise

            loss = loss + 1e-4 * torch.stack([penalise(each) for each in find_filters(self.generator)]).sum()
        return loss + self.classes(extras, given) if "d2d-ce" in self.options else loss

    def classes(self, extras: Given, given: Given) -> Tensor:
        """Return the data-to-data cross entropy of ReACGAN, with its default margins."""
        label, embedding = given["label"], extras["embedding"]
        own = -relu(0.98 - extras["logits"].gather(1, label[:, None])) / 0.5
        others = (relu(embedding @ embedding.T - 0.02) / 0.5).masked_fill(label[:, None] == label, -torch.inf)
        return (torch.cat([own, others], 1).logsumexp(1) - own.squeeze(1)).mean()

    def reconstruct(self, extras: Given) -> Tensor:
        """Return how far decoded images are from those that the discriminator saw (FastGAN)."""
        seen, large, small = (extras[key] for key in ("seen", "large", "small"))
        half, pixels = large.shape[-1] // 2, seen.shape[-1] // large.shape[-1]
        corner = torch.randint(half + 1, (2,))
        rows, columns = (slice(int(at), int(at) + half) for at in corner)
        part = seen[:, :, rows.start * pixels : rows.stop * pixels, columns.start * pixels : columns.stop * pixels]
        decoders = self.discriminator.decoders
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            whole, decoded = decoders["whole"](small), decoders["part"](large[:, :, rows, columns])
        return distance(whole.float(), seen) + distance(decoded.float(), part)


def find_transforms(losses: Mapping[str, Mapping[str, Any]]) -> list[Callable[..., Tensor]]:
    """Return the transforms of images that the losses of a recipe, by name, ask for."""
    if "diffaugment" in losses:
        return [recolour, translate, cut_out]
    if "ada" not in losses:
        return []
    options = losses["ada"]
    policy, p = options.get("policy", ("blit", "geometric", "colour")), torch.tensor(number(options.get("p", 0.0)))
    return [partial(PIPELINE[group], p=p) for group in policy]


def distance(decoded: Tensor, images: Tensor) -> Tensor:
    """Return the mean absolute difference of decoded images from images of that size."""
    target = torch.nn.functional.adaptive_avg_pool2d(images, decoded.shape[2:])
    return (decoded - target).abs().mean()


def squared_norm(scores: Any, images: Tensor) -> Tensor:
    """Return the mean squared norm of a gradient, itself differentiable."""
    (gradient,) = torch.autograd.grad(scores, images, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def number(value: Any) -> float:
    """Return a number of a recipe, of one that varies its first value."""
    return float(value["from"] if isinstance(value, Mapping) else at(value, 0, 1.0))


def make_adam(network: nn.Module, recipe: Recipe, side: str) -> torch.optim.Optimizer:
    """Return Adam with the rate and betas of a recipe's side."""
    settings = recipe.optimizer.side(side)
    rate, betas = settings.rate(0, 10**9), settings.arguments().get("betas", (0.5, 0.999))
    return torch.optim.Adam(network.parameters(), rate, tuple(map(number, betas)), fused=True)


LOOPS: dict[str, type[Loop]] = {"non-saturating": NonSaturating, "relativistic": Relativistic, "hinge": Hinge}
"""The loop of a recipe by its first loss."""
