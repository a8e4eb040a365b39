"""Tensors of another program by its own names, of which each is taken once, and what both layouts have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import ganzoo
from ganzoo.layers import list_channels
from ganzoo_stylegan.mapping import StyleMapping

TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])
"""The filter of changes of size: this plugin's networks have no other."""
MAPPING_RATE = 0.01
"""The rate of the mapping, by which both programs divide its weights; neither writes it down."""
MEAN_BATCHES, BATCH = 128, 64
"""Of how many noise vectors the mean style is taken where a file has none."""
MAX_SIDE = 4096
"""The longest side of images that is read; published networks end at 1024."""
GROUP = 4
"""How many samples both programs' discriminators compare."""
Weights = dict[str, Tensor]


class State:
    """Tensors by name. Each is taken once, so that nothing of a network can be forgotten."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = dict(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def take(self, name: str, axes: int) -> Tensor:
        """Take a tensor with that many axes, in float32. Raises `ValueError` where there is none."""
        found = self.tensors.pop(name, None)
        if found is None:
            raise ValueError(f"'{name}' is missing")
        if found.dim() != axes:
            raise ValueError(f"'{name}' must have {axes} axes, it has the shape {tuple(found.shape)}")
        return found.float()

    def take_number(self, name: str) -> Tensor:
        """Take a tensor of one number as a scalar."""
        found = self.tensors.pop(name, None)
        if found is None or found.numel() != 1:
            raise ValueError(f"'{name}' is missing, or not a single number")
        return found.float().reshape(())

    def drop(self, ending: str) -> None:
        """Leave out the tensors whose names end so, which this plugin's networks do without."""
        self.tensors = {name: value for name, value in self.tensors.items() if not name.endswith(ending)}

    def check_filters(self, ending: str) -> None:
        """Take all filters, whose names end so. Raises `ValueError` for one that is not 1 3 3 1."""
        wanted = torch.outer(TAPS, TAPS) / TAPS.sum() ** 2
        for name in [name for name in self.tensors if name.endswith(ending)]:
            kernel = self.take(name, 2)
            if kernel.shape != wanted.shape or not torch.allclose(kernel / kernel.sum(), wanted, atol=1e-5):
                raise ValueError(f"the filter '{name}' is not 1 3 3 1, the only one that is read")

    def check_empty(self) -> None:
        """Raise `ValueError` where a tensor was not taken."""
        if self.tensors:
            raise ValueError(f"there is no place for '{next(iter(self.tensors))}'")

    def count(self, pattern: str, start: int = 0) -> int:
        """Return how many names there are of a pattern such as "layers.{}.weight", without a gap."""
        number = start
        while pattern.format(number) in self:
            number += 1
        return number - start


def make_import(weights: Weights, judge: Weights | None, notes: Sequence[str]) -> ganzoo.Imported:
    """Return generator and discriminator, in this plugin's names, with the options that their shapes stand for."""
    image, classes = image_of(weights), classes_of(weights)
    options = {"conditional": True} if classes else {}
    both = {"generator": generator_options(weights), "discriminator": discriminator_options(judge) if judge else {}}
    data = {"image": ganzoo.Spec("image", image)}
    if classes:
        data["label"] = ganzoo.Spec("label", classes=tuple(map(str, range(classes))))
    return ganzoo.Imported(
        architecture="stylegan2",
        options={**options, **both},
        data=data,
        generator=weights,
        discriminator=judge,
        notes=tuple(notes),
    )


def image_of(weights: Weights) -> tuple[int, int, int]:
    """Return the shape of the images (channels, height, width). Raises `ValueError` for images that are far too large.

    Layers with one channel each would ask for them in a small file.
    """
    _, _, height, width = weights["synthesis.constant"].shape
    factor = 2 ** (count(weights, "synthesis.to_images.{}.bias") - 1)
    if max(height, width) * factor > MAX_SIDE:
        raise ValueError(f"its images have sides of more than {MAX_SIDE:,} pixels")
    return len(weights["synthesis.to_images.0.bias"]), height * factor, width * factor


def classes_of(weights: Weights) -> int:
    """Return the number of classes; 0 without labels."""
    return len(weights["mapping.embed.weight"]) if "mapping.embed.weight" in weights else 0


def generator_options(weights: Weights) -> dict[str, Any]:
    """Return the options of a generator with these weights."""
    maps = count(weights, "synthesis.to_images.{}.bias")
    w_size, inputs = weights["mapping.layers.0.weight"].shape
    return {
        "latent_size": inputs - w_size * bool(classes_of(weights)),
        "w_size": w_size,
        "mapping_layers": count(weights, "mapping.layers.{}.weight"),
        **find_width([weights[f"synthesis.to_images.{number}.weight"].shape[1] for number in range(maps)]),
    }


def discriminator_options(judge: Weights) -> dict[str, Any]:
    """Return the options of a discriminator with these weights."""
    blocks = count(judge, "blocks.{}.conv0.weight")
    widths = [judge[f"blocks.{number}.conv1.weight"].shape[0] for number in reversed(range(blocks))]
    found = find_width([*widths, judge["from_image.weight"].shape[0]])
    compares = judge["last.weight"].shape[1] > judge["last.weight"].shape[0]
    layers = count(judge, "mapping.layers.{}.weight")
    return {**found, "group": GROUP if compares else 1, **({"mapping_layers": layers} if layers else {})}


def find_width(widths: Sequence[int]) -> dict[str, int]:
    """Return the options `width` and `max_width` for maps of these widths, the smallest map first.

    Raises `ValueError` for widths that do not double from the image inwards up to a largest one.
    """
    options = {"width": widths[-1], "max_width": max(widths)}
    if list(widths) != list_channels(len(widths), **options)[::-1]:
        raise ValueError(f"its maps have {', '.join(map(str, widths))} channels, which do not double up to a largest")
    return options


def count(weights: Weights, pattern: str) -> int:
    """Return how many names there are of a pattern, without a gap."""
    return State(weights).count(pattern)


def try_discriminator(read: Callable[[], Weights], notes: list[str]) -> Weights | None:
    """Return the discriminator; None, and a note of why, where it is of another kind than this plugin's."""
    try:
        judge = read()
        discriminator_options(judge)
    except (ValueError, KeyError) as error:
        notes.append(f"the discriminator was left out: {error}")
        return None
    return judge


def measure_mean(weights: Weights) -> Tensor:
    """Return the mean style of a mapping without labels, of noise vectors that are always the same."""
    options = generator_options(weights)
    size = options["latent_size"]
    mapping = StyleMapping(size, options["w_size"], options["mapping_layers"], MAPPING_RATE)
    own = {name.removeprefix("mapping."): value for name, value in weights.items() if name.startswith("mapping.")}
    try:
        mapping.load_state_dict(own)
    except RuntimeError as error:
        raise ValueError("the layers of its mapping do not fit each other") from error
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        means = [mapping(torch.randn(BATCH, size, generator=rng), {}).mean(0) for _ in range(MEAN_BATCHES)]
    return torch.stack(means).mean(0)
