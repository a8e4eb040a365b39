"""What every model in a plugin's package promises."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganzoo._seeds import make_rng
from ganzoo.plugins.registration import Registration
from ganzoo.testing.check import Skipped, require
from ganzoo.testing.games import BATCH_SIZE, MakeBatch
from ganzoo.testing.sources import draw_samples
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model


def loads_and_samples(thing: Registration, make_batch: MakeBatch | None) -> None:
    """A model in the package is what the registry pins, and can be loaded and sampled without a network."""
    entry = Registry().find(thing.full_name)
    if entry is None or entry.folder is None:
        raise Skipped("it is on the Hub, and checks use no network")
    check_samples(load_local(resolve_model(entry, offline=True, everything=True), "cpu"), make_batch)


def check_samples(model: Model, make_batch: MakeBatch | None) -> None:
    """Check that a model gives samples, and that they are finite."""
    samples = model.sample(BATCH_SIZE, **fixed_latents(model, make_batch))
    for each in samples.values() if isinstance(samples, dict) else [samples]:
        require(each.isfinite().all(), "a sample has a value that is not finite")


def fixed_latents(model: Model, make_batch: MakeBatch | None) -> dict[str, Any]:
    """Return the inputs that a model needs and does not have.

    Raises `Skipped` where nobody provides them and nothing says what they are.
    """
    rng, stated = make_rng("sample"), {key: each.spec for key, each in model.inputs.known.items() if each.spec}
    known: dict[str, Tensor] = {"label": torch.arange(BATCH_SIZE) % max(1, len(model.classes))}
    known |= {key: draw_samples(spec, BATCH_SIZE, rng) for key, spec in stated.items()}
    known |= dict(make_batch(BATCH_SIZE, rng) if make_batch else {})
    if missing := [key for key in model.inputs.missing if key not in known]:
        raise Skipped(f"needs {', '.join(map(repr, missing))}: give checks(..., batch=function(n, rng) -> dict)")
    return model.inputs.to_public({key: known[key] for key in model.inputs.missing})


CHECKS: tuple[Callable[[Registration, MakeBatch | None], None], ...] = (loads_and_samples,)
