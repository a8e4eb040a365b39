"""The layout of rosinality's stylegan2-pytorch: a table with the states "g_ema", perhaps "d", and "latent_avg"."""

from typing import Any

import ganzoo
from ganzoo_stylegan.importing.state import State, Weights, make_import, measure_mean, try_discriminator
from ganzoo_stylegan.importing.tensors import Container

FIRST = "input.input"
"""The name of the learned constant, by which the state of a generator is known."""


def is_layout(content: Any) -> bool:
    """Return whether a file has this layout: that of a training, or the state of a generator alone."""
    return isinstance(content, dict) and ("g_ema" in content or FIRST in content)


def read(container: Container) -> ganzoo.Imported:
    """Read the generator, and the discriminator if it is there. Raises `ValueError` for networks of another kind."""
    content, notes = container.content, ["read from the layout of rosinality's stylegan2-pytorch"]
    weights = read_generator(state_of(container, content.get("g_ema", content)))
    mean = container.tensor(content.get("latent_avg"))
    if mean is None:
        mean = measure_mean(weights)
        notes.append("the file has no mean style, so that it was measured")
    weights["w_mean"] = mean.float().flatten()
    judge = None
    if "d" in content:
        judge = try_discriminator(lambda: read_discriminator(state_of(container, content["d"])), notes)
    return make_import(weights, judge, notes)


def state_of(container: Container, table: Any) -> State:
    """Return the tensors of a state by name."""
    found = {key: container.tensor(value) for key, value in table.items()} if isinstance(table, dict) else {}
    return State({str(key): value for key, value in found.items() if value is not None})


def read_generator(source: State) -> Weights:
    """Return the weights of a generator by this plugin's names, without the mean style.

    The noise of each layer is drawn here, and not one that is kept.
    """
    source.check_filters(".kernel")
    source.tensors = {name: value for name, value in source.tensors.items() if not name.startswith("noises.")}
    weights = {"synthesis.constant": source.take(FIRST, 4)}
    for number in range(max(1, source.count("style.{}.weight", 1))):  # style.0 normalises and has no weights
        weights[f"mapping.layers.{number}.weight"] = source.take(f"style.{number + 1}.weight", 2)
        weights[f"mapping.layers.{number}.bias"] = source.take(f"style.{number + 1}.bias", 1)
    layers = ["conv1", *(f"convs.{number}" for number in range(source.count("convs.{}.conv.weight")))]
    for number, name in enumerate(layers):
        weights |= read_layer(source, name, f"synthesis.layers.{number}")
    images = ["to_rgb1", *(f"to_rgbs.{number}" for number in range(source.count("to_rgbs.{}.bias")))]
    for number, name in enumerate(images):
        weights |= read_modulated(source, name, f"synthesis.to_images.{number}")
        weights[f"synthesis.to_images.{number}.bias"] = source.take(f"{name}.bias", 4).flatten()
    source.check_empty()
    return weights


def read_layer(source: State, name: str, own: str) -> Weights:
    """Return the weights of a convolution with style, noise and activation."""
    return {
        **read_modulated(source, name, own),
        f"{own}.noise_strength": source.take_number(f"{name}.noise.weight"),
        f"{own}.bias": source.take(f"{name}.activate.bias", 1),
    }


def read_modulated(source: State, name: str, own: str) -> Weights:
    """Return the weights of a convolution with a style, which have a first axis for the sample."""
    return {
        f"{own}.weight": source.take(f"{name}.conv.weight", 5)[0],
        f"{own}.style.weight": source.take(f"{name}.conv.modulation.weight", 2),
        f"{own}.style.bias": source.take(f"{name}.conv.modulation.bias", 1),
    }


def read_discriminator(source: State) -> Weights:
    """Return the weights of a discriminator by this plugin's names."""
    source.check_filters(".kernel")
    weights = read_convolution(source, "convs.0", "from_image", 0)
    for number in range(source.count("convs.{}.conv1.0.weight", 1)):
        name = f"convs.{number + 1}"
        weights |= read_convolution(source, f"{name}.conv1", f"blocks.{number}.conv0", 0)
        weights |= read_convolution(source, f"{name}.conv2", f"blocks.{number}.conv1", 1)  # behind the filter
        weights[f"blocks.{number}.skip.weight"] = source.take(f"{name}.skip.1.weight", 4)
    weights |= read_convolution(source, "final_conv", "last", 0)
    for number, own in enumerate(("hidden", "score")):
        weights[f"{own}.weight"] = source.take(f"final_linear.{number}.weight", 2)
        weights[f"{own}.bias"] = source.take(f"final_linear.{number}.bias", 1)
    source.check_empty()
    return weights


def read_convolution(source: State, name: str, own: str, place: int) -> Weights:
    """Return the weights of a convolution at a place of a row of layers, and of the activation behind it."""
    return {
        f"{own}.weight": source.take(f"{name}.{place}.weight", 4),
        f"{own}.bias": source.take(f"{name}.{place + 1}.bias", 1),
    }
