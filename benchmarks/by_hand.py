"""Training loops of the modern recipes written by hand, as people write them for one network, to compare ganzoo with.

Each loop trains the networks of a recipe on the same images with the recipe's losses, precision, batch and optimizer:
data in memory, fused Adam, the other side frozen, channels last, autocast, an averaged generator. The losses are
written out in `by_hand_games.py`, but for transforms of images and three long formulas, which are called.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

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


def find_transforms(losses: Mapping[str, Mapping[str, Any]]) -> list[Callable[..., Tensor]]:
    """Return the transforms of images that the losses of a recipe, by name, ask for."""
    if "diffaugment" in losses:
        return [recolour, translate, cut_out]
    if "ada" not in losses:
        return []
    options = losses["ada"]
    policy, p = options.get("policy", ("blit", "geometric", "colour")), torch.tensor(number(options.get("p", 0.0)))
    return [partial(PIPELINE[group], p=p) for group in policy]


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
