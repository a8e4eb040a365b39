"""What the generator learns from beside, or in place of, the scores of all its samples."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.layers import single
from ganzoo_losses.penalties import Images

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class TopK(ganzoo.Loss):
    """The generator learns from its best samples alone, whatever loss it is trained with (Sinha et al. 2020).

    Algorithm 1: the gradient of the k samples with the highest scores counts, as the mean over k, that of the others
    is zero. k is `share` of the batch, rounded, at least 1; samples with several scores are compared by their mean.
    The paper multiplies k by gamma = 0.99 in each epoch, down to nu = 0.5 of the batch, after 69 epochs: that is
    `share = {from = 1, to = 0.5, over = STEPS, kind = "exponential"}`, with the steps of 69 epochs. The best are chosen
    in each process's part of a batch, and in each part of `train.accumulate`. It has no terms, and costs nothing.

    Raises `ValueError` for a share that is not in (0, 1], and for a generator that makes several kinds of image.
    """

    schedulable = ("share",)

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {share}")
        self.share = share

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator that makes several kinds of image."""
        single(step.real)

    def view(self, step: ganzoo.Step, images: Images, given: dict[str, Tensor]) -> Images:
        """Return the images; on the generator's turn their gradient is that of the best alone."""
        seen = single(images).view_as(single(images))
        if step.turn == "generator" and seen.requires_grad:
            seen.register_hook(partial(self._keep_best, step))  # type: ignore[no-untyped-call]  # torch has no types here
        return seen

    def _keep_best(self, step: ganzoo.Step, gradient: Tensor) -> Tensor:
        scores = step.fake_scores.detach().reshape(len(step.fake), -1).mean(1)
        count = max(1, round(self.share * len(scores)))
        kept = torch.zeros_like(scores).index_fill(0, scores.topk(count).indices, len(scores) / count)
        return gradient * kept.view(-1, *[1] * (gradient.dim() - 1))


class FeatureMatching(ganzoo.Loss):
    """The mean features of generated samples approach those of real ones (Salimans et al. 2016, section 3.1).

    The generator minimises || mean f(x) - mean f(G(z)) ||^2, a sum over all features f of an intermediate layer of the
    discriminator: its extra "features", if it returns that; else the input of its module `layer`, by default of its
    last convolution or linear layer, which costs one more forward pass of real and of fake, in full precision. The
    means are over each process's part of a batch. The discriminator needs a loss of its own. Raises `ValueError` for a
    layer that the discriminator does not have or call.
    """

    def __init__(self, layer: str = "") -> None:
        super().__init__()
        self.layer = layer

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a discriminator without such features."""
        if self.layer or "features" not in step.real_extras:
            self.features(step, step.real, step.batch)

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "distance"."""
        if not self.layer and "features" in step.fake_extras:
            real, fake = step.real_extras["features"], step.fake_extras["features"]
        else:
            real, fake = self.features(step, step.real, step.batch), self.features(step, step.fake, step.given)
        return {"distance": (real.mean(0) - fake.mean(0)).square().sum()}

    def features(self, step: ganzoo.Step, images: Images, given: dict[str, Tensor]) -> Tensor:
        """Return what the layer is given for these images."""
        name, layer = find_layer(step.discriminator, self.layer)
        with inputs_of(layer) as seen:
            step.judge(images, given, twice=True)  # twice: the plain network, as a compiled one does not call hooks
        if not seen:
            raise ValueError(f"the discriminator does not call its layer '{name}'; name another with layer = ...")
        return seen[-1]


def find_layer(network: nn.Module, name: str) -> tuple[str, nn.Module]:
    """Return a module by name, or the last convolution or linear layer, with its name. Raises `ValueError`."""
    modules = dict(network.named_modules())
    if not name:
        name = next((each for each in reversed(modules) if isinstance(modules[each], LAYERS)), "")
        if not name:
            raise ValueError("the discriminator has no convolution or linear layer; name one of its modules as layer")
    if name not in modules:
        nearest = get_close_matches(name, modules, 1, 0.0)[0]
        raise ValueError(f"the discriminator has no layer '{name}'; did you mean '{nearest}'?")
    return name, modules[name]


@contextmanager
def inputs_of(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Yield a list of what a module is given meanwhile, in float32 or wider."""
    seen: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(inputs[0])

    handle = layer.register_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
