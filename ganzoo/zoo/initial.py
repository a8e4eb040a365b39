"""Begin a training with the weights of a pretrained generator."""

from contextlib import suppress
from pathlib import Path

import torch

from ganzoo.contract import Generator
from ganzoo.errors import BadInput, Diverged, Failed
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.weights import check_weights_fit

SAMPLES_TRIED = 8
"""Samples of a pretrained generator that are looked at before a training begins with it."""


def load_initial_weights(generator: Generator, source: str | Path) -> None:
    """Give a new generator the weights of a pretrained one. Raises `BadInput` where the two are built differently."""
    model = load(source, "cpu")
    weights = model.generator.state_dict()
    try:
        check_weights_fit(generator, weights)
    except ValueError as misfit:
        made = model.config["architecture"]
        built = ", ".join([made["name"], *(f"{key}={value}" for key, value in made["options"].items())])
        samples = f" for {model.outputs.kind.describe()}"
        raise BadInput(f"training cannot begin with '{source}', which is {built}{samples}: {misfit}") from misfit
    check_makes_samples(model, source)
    generator.load_state_dict(weights)


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
