"""Begin a training with the weights of a pretrained model, as far as they fit."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from ganzoo.engine.parts import find_part
from ganzoo.engine.schedule import Number
from ganzoo.errors import BadInput, Diverged, Failed
from ganzoo.zoo.discriminators import read_discriminator
from ganzoo.zoo.licenses import find_license
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import parse
from ganzoo.zoo.weights import find_misfit

logger = logging.getLogger("ganzoo")

SAMPLES_TRIED = 8
"""Samples of a pretrained generator that are looked at before a training begins with it."""
HOW_TO_KEEP = "that model has none; train.keep_discriminator keeps it with a model"


class InitialWeights:
    """The weights of a pretrained model: generator, and discriminator if it was kept. New networks take what fits.

    A layer is taken if all of its own parameters and buffers have the same names and shapes. `told` says of each
    network what it took and what not, `new` the layers of each that took nothing.
    """

    def __init__(self, source: str | Path) -> None:
        self.source, self.model = source, load(source, "cpu")
        self.weights = {"generator": self.model.generator.state_dict(), "discriminator": read_discriminator(self.model)}
        self.told: list[str] = []
        self.new: dict[str, list[str]] = {}
        self.misfits: list[str] = []

    def find_license(self) -> str:
        """Return the licence of these weights, as `licenses.find_license` does."""
        return find_license(parse(self.source), LocalModel(self.model.folder)) if self.model.folder else ""

    def give(self, side: str, network: nn.Module) -> None:
        """Give a new network what fits it."""
        own, weights = network.state_dict(), self.weights[side]
        layers = group_by_layer(own)
        self.new[side] = list(layers)
        if weights is None:
            self.told.append(f"the {side} is new: {HOW_TO_KEEP}")
            return
        misfits = {layer: find_layer_misfit(names, own, weights) for layer, names in layers.items()}
        taken = [name for layer, names in layers.items() if not misfits[layer] for name in names]
        self.new[side] = [layer for layer in layers if misfits[layer]]
        if taken and side == "generator":
            check_makes_samples(self.model, self.source)
        network.load_state_dict({name: weights[name] for name in taken}, strict=False)
        left = group_by_layer(name for name in weights if name not in own)
        self.told.append(describe_taken(side, misfits, shorten(left, group_by_layer(weights))))
        self.misfits += [misfit for misfit in misfits.values() if misfit] if not taken else []

    def check_frozen(self, side: str, parts: Mapping[str, Number]) -> None:
        """Raise `BadInput` where `optimizer.SIDE.parts` freezes what took nothing: it would stay as random as it is."""
        found = [find_part(layer, parts) for layer in self.new[side]]
        if frozen := [part for part in found if parts.get(part) == 0]:
            why = HOW_TO_KEEP if self.weights[side] is None else "what that model has there does not fit"
            raise BadInput(f"optimizer.{side}.parts freezes {frozen[0]}, which is new: {why}")

    def tell(self) -> None:
        """Log what the networks took. Raises `BadInput` where it was nothing."""
        if all(" takes " not in told for told in self.told):
            made = self.model.config["architecture"]
            built = ", ".join([made["name"], *(f"{key}={value}" for key, value in made["options"].items())])
            what = f"which is {built} for {self.model.outputs.kind.describe()}"
            raise BadInput(f"training cannot begin with '{self.source}', {what}: nothing fits, {self.misfits[0]}")
        logger.info("begins with '%s': %s", self.source, "; ".join(self.told))


def group_by_layer(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of tensors by the module that has them itself; what the whole network has, one by one.

    The weight of a parametrized layer, such as a spectrally normalised one, lies in modules of torch inside it.
    """
    layers: dict[str, list[str]] = {}
    for name in names:
        layer, inside, _ = name.partition(".parametrizations.")
        layers.setdefault((layer if inside else name.rpartition(".")[0]) or name, []).append(name)
    return layers


def find_layer_misfit(names: Iterable[str], own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str:
    """Return why a layer cannot take its weights, in words; empty where it can."""
    for name in names:
        misfit = find_misfit(name, own[name], weights[name]) if name in weights else f"'{name}' is missing"
        if misfit:
            return misfit
    return ""


def describe_taken(side: str, misfits: Mapping[str, str], left: Sequence[str]) -> str:
    """Return what a network took and what not: "the generator takes all but encoder"."""
    missing = [layer for layer, misfit in misfits.items() if misfit]
    over = f", and leaves {', '.join(left)} of that model" if left else ""
    if len(missing) == len(misfits):
        return f"the {side} is new, as nothing fits{over}"
    if not missing:
        return f"the {side} takes all{over}"
    return f"the {side} takes all but {', '.join(shorten(missing, misfits))}{over}"


def shorten(layers: Iterable[str], every: Iterable[str]) -> list[str]:
    """Return names of layers, or of a module whose layers are all among them in their place.

    A layer that has others inside it, of which some are not among them, keeps its own name.
    """
    chosen, others = list(layers), [layer for layer in every if layer not in set(layers)]
    found: dict[str, None] = {}
    for layer in chosen:
        words = layer.split(".")
        wholes = (".".join(words[:depth]) for depth in range(1, len(words) + 1))
        free = (whole for whole in wholes if not any(f"{other}.".startswith(f"{whole}.") for other in others))
        found[next(free, layer)] = None
    return list(found)


def check_makes_samples(model: Model, source: str | Path) -> None:
    """Raise `BadInput` for a pretrained generator whose samples are not finite numbers: no training can begin there."""
    fixed = {key: torch.tensor(0) for key in model.generator.needs if key not in model.inputs.kept}
    try:
        with suppress(BadInput, Failed):  # what it needs may be more than a number
            list(model.blocks_with(fixed, SAMPLES_TRIED, 0))
    except Diverged as error:
        raise BadInput(
            f"training cannot begin with '{source}': it makes samples that are not finite numbers"
        ) from error
