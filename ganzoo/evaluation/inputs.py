"""Real inputs and labels of the samples that are measured.

Inputs are distinct ones of the data where these are here, else the kept ones. Labels are those of real samples, so that
each combination is as frequent as in the data.
"""

import logging
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ganzoo.data.base import Data
from ganzoo.errors import BadInput
from ganzoo.evaluation.real import SEED, RealSamples
from ganzoo.evaluation.suites import Suite
from ganzoo.zoo.inputs import find_labels
from ganzoo.zoo.kept import read_real
from ganzoo.zoo.model import Model

logger = logging.getLogger(__name__)

MAX_BYTES = 2**28
"""Memory for real inputs; where there are fewer than samples, they are used again."""


def inputs_to_measure(model: Model, real: RealSamples, n: int) -> tuple[dict[str, Tensor], str]:
    """Return real inputs for `n` samples of a model, and what a protocol says of them; nothing where it needs none.

    They belong to other real samples than those that `RealSamples.pieces` yields first, if there are enough. Raises
    `BadInput` where the data are not here and no inputs are kept.
    """
    needed = [key for key, each in model.inputs.known.items() if each.needed]
    if not needed:
        return {}, ""
    if (data := open_with(model, real, needed)) is not None:
        count = data.count or n
        found = read_real(data, needed, min(n, count), SEED, MAX_BYTES, used=n if count >= 2 * n else 0)
        return found, f"{len(found[needed[0]])} real ones of {real.name}"
    kept = model.inputs.repeated_for({})
    return kept, f"{len(kept[needed[0]])} real ones that are kept with it"


def labels_to_measure(model: Model, real: RealSamples, suite: Suite[Any], n: int) -> tuple[dict[str, Tensor], str]:
    """Return labels of real samples for `n` samples of a model, and what a protocol says of them.

    Nothing where the model has none, or the data have others or are not here; the generator then draws each evenly. So
    it does for a suite that knows the classes itself.
    """
    generator = model.generator
    if suite.classes or not (generator.categorical or generator.amounts):
        return {}, ""
    data = open_labelled(model, real)
    keys = find_labels(generator, data.specs) if data else []
    if not data or not keys:
        return {}, "drawn evenly"
    found = read_real(data, keys, min(n, data.count or n), SEED)
    return found, f"those of {len(found[keys[0]])} samples of {real.name}"


def open_labelled(model: Model, real: RealSamples) -> Data | None:
    """Open the real samples; return None where they cannot be, or have not the labels that the model learned."""
    if (data := open_if_here(real, "labels are drawn evenly")) is None:
        return None
    generator = model.generator
    same = all(data.classes_of(key) == model.classes_of(key) for key in generator.categorical)
    return data if same and generator.amounts.keys() <= data.specs.keys() else None


def open_with(model: Model, real: RealSamples, needed: Sequence[str]) -> Data | None:
    """Open the real samples; return None where they cannot be, or have not what the model needs."""
    if (data := open_if_here(real, "samples are made from the inputs that are kept with the model")) is None:
        return None
    shapes = {key: data.specs[key].shape for key in needed if key in data.specs}
    wanted = {key: spec.shape for key in needed if (spec := model.inputs.known[key].spec)}
    return data if shapes.keys() == {*needed} and shapes | wanted == shapes else None


def open_if_here(real: RealSamples, otherwise: str) -> Data | None:
    """Open the real samples; return None where they cannot be, and log what is done `otherwise`."""
    try:
        return real.data
    except BadInput as error:
        logger.info("%s: %s", otherwise, error)
        return None
