"""Views: what the discriminator sees of every picture, real or fake."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import single
from ganzoo_augment.numbers import Numbers
from ganzoo_augment.transforms import Transform, cut_out, mirror, recolour, translate

TRANSFORMS: Mapping[str, Transform] = {
    "mirror": mirror,
    "translation": translate,
    "cutout": cut_out,
    "colour": recolour,
}
"""Transforms by the words of a policy."""
MOVES = ("mirror", "translation", "blit", "geometric")
"""Words of transforms that move pixels. Pictures that the discriminator sees beside the image move with it."""
COLOURS = ("colour",)
"""Words of transforms of colour alone: opacity, the last of 2 or 4 channels, stays as it is."""

Word = Literal["mirror", "colour", "translation", "cutout"]


class View(ganzoo.Loss):
    """Base of views by a policy, which is a sequence of words. Subclasses say which transform each word means."""

    policy: Sequence[str] = ()

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for data other than one kind of pictures."""
        check_pictures(step, self.policy)

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return the images as the discriminator sees them, and what it sees beside them."""
        return see(step, single(images), given, self.policy, self.transforms())

    def transforms(self) -> Mapping[str, Transform]:
        """Return the transform of each word."""
        return TRANSFORMS


class Mirror(View):
    """Mirror every second picture, left to right, real and fake alike.

    The generator cannot tell mirrored pictures from others, and is free to make either. With `real_only` the fakes stay
    as they are: the data are then twice as many, and the generator learns mirrored pictures as well.
    """

    policy = ("mirror",)

    def __init__(self, real_only: bool = False) -> None:
        super().__init__()
        self.real_only = real_only

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return the images, half of them mirrored."""
        if self.real_only and not step.sees_real:
            return single(images)
        return super().view(step, images, given)


class DiffAugment(View):
    """Differentiable augmentation of every picture, real and fake (Zhao et al. 2020, section 3 and appendix).

    Option `policy`, some of "mirror", "colour", "translation" and "cutout", in the order in which they are applied; the
    paper's is the default. Colour adds [-0.5, 0.5) to the brightness and multiplies the saturation by [0, 2) and the
    contrast by [0.5, 1.5), for images in [-1, 1]. Translation moves by up to an eighth of height and width, cutout
    erases half of both. Raises `ValueError` for an empty policy.
    """

    def __init__(self, policy: tuple[Word, ...] = ("colour", "translation", "cutout")) -> None:
        super().__init__()
        check_policy(policy)
        self.policy = policy


def see(
    step: ganzoo.Step,
    images: Tensor,
    given: dict[str, Tensor],
    policy: Sequence[str],
    transforms: Mapping[str, Transform],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return images after the transforms of a policy; pictures beside them, such as inputs, move as they do."""
    beside = find_beside(step, images, given)
    stack = torch.cat([images, *(given[key] for key in beside)], 1) if beside else images
    stack = stack.float() if stack.dtype in (torch.float16, torch.bfloat16) else stack
    channels = [images.shape[1], *(given[key].shape[1] for key in beside)]
    for word in policy:
        stack = transform(stack, word, transforms[word], channels[0], Numbers(step, stack))
    seen = torch.split(stack.to(images.dtype), channels, 1)
    return seen[0], {**given, **dict(zip(beside, seen[1:], strict=True))} if beside else given


def transform(stack: Tensor, word: str, function: Transform, channels: int, numbers: Numbers) -> Tensor:
    """Return the pictures with one transform applied to those of their channels that it is for."""
    count = stack.shape[1] if word in MOVES else channels
    if word in COLOURS:
        count = {2: 1, 4: 3}.get(count, count)
    if count == stack.shape[1]:
        return function(stack, numbers)
    return torch.cat([function(stack[:, :count], Numbers(numbers.step, stack[:, :count])), stack[:, count:]], 1)


def find_beside(step: ganzoo.Step, images: Tensor, given: Mapping[str, Tensor]) -> list[str]:
    """Return the keys of pictures of the same size that the discriminator says it looks at, such as inputs."""
    names = [*getattr(step.discriminator, "needs", ()), *getattr(step.discriminator, "takes", ())]
    return [key for key in names if key in given and are_alike(given[key], images)]


def are_alike(pictures: Tensor, images: Tensor) -> bool:
    """Return whether these are pictures of the same size as the images."""
    return pictures.dim() == 4 and pictures.is_floating_point() and pictures.shape[2:] == images.shape[2:]


def check_pictures(step: ganzoo.Step, policy: Sequence[str]) -> None:
    """Raise `ValueError` unless the generator makes one kind of pictures, of colours that the policy can change."""
    shape = tuple(single(step.real).shape)
    if len(shape) != 4:
        raise ValueError(f"it changes images (n, channels, height, width), but the samples are {shape}")
    if shape[1] > 4 and set(policy) & set(COLOURS):
        advice = f"policy = {[word for word in policy if word not in COLOURS]}"
        raise ValueError(f"it changes the colour of images of 1 to 4 channels, got {shape[1]}; leave it out: {advice}")


def check_policy(policy: Sequence[str]) -> None:
    """Raise `ValueError` for a policy without a word."""
    if not policy:
        raise ValueError("policy needs at least one word; to see images as they are, leave out the loss")
