"""What every recipe promises."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ganzoo._numbers import parse_size
from ganzoo._seeds import make_rng
from ganzoo.data.options import DEFAULT_SIZE
from ganzoo.engine.validation import validate
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.recipe import Recipe
from ganzoo.testing.check import Skipped
from ganzoo.testing.games import MakeBatch
from ganzoo.testing.models import check_samples
from ganzoo.testing.plays import load_recipe, shorten
from ganzoo.testing.sources import open_own_data
from ganzoo.testing.variants import Options
from ganzoo.training.finish import limit_batches
from ganzoo.training.train import train
from ganzoo.zoo.model import load

IMAGE_SIZES = {"mnist": (1, 28), "fashion-mnist": (1, 28), "cifar10": (3, 32)}
"""Channels and side length of the images of data sets that are not downloaded."""
FALLBACK_CLASSES = 10
FINISHING_BATCHES = 2
"""Batches for `Generator.finish`, which may take as long as many steps."""


def trains_and_samples(thing: Registration, make_batch: MakeBatch | None, options: Mapping[str, Options]) -> None:
    """A few training steps by the recipe leave a model that can be loaded and sampled."""
    recipe = shorten(load_recipe(thing, options))
    batches = None
    if open_own_data(recipe) is None:
        classes = recipe.data.classes or FALLBACK_CLASSES
        batches = [random_batch(recipe, classes, make_batch)]
        # All other keys, and options such as a count, are for the data that they stand in for.
        recipe = validate(Recipe, {**recipe.written_out(), "data": {"name": "batches", "classes": classes}})
    with TemporaryDirectory() as folder, limit_batches(FINISHING_BATCHES):
        run = train(recipe, batches, Path(folder) / "run", "cpu", quiet=True)
        check_samples(load(run.path, "cpu", offline=True), make_batch)


def random_batch(recipe: Recipe, classes: int, make_batch: MakeBatch | None) -> dict[str, Tensor]:
    """Return a random batch in place of data that would have to be downloaded, or that Python code provides."""
    if recipe.data.from_python and not make_batch:
        raise Skipped("it learns from batches that Python code gives: give checks(..., batch=function(n, rng) -> dict)")
    channels, side = IMAGE_SIZES.get(recipe.data.name, (3, DEFAULT_SIZE))
    channels, size = recipe.data.channels or channels, parse_size(recipe.data.size or side)
    n, rng = recipe.train.batch, make_rng("stand-in")
    batch = {"image": torch.rand(n, channels, *size, generator=rng) * 2 - 1}
    batch["label"] = torch.randint(classes, (n,), generator=rng)
    return batch | dict(make_batch(n, rng) if make_batch else {})


CHECKS: tuple[Callable[[Registration, MakeBatch | None, Mapping[str, Options]], None], ...] = (trains_and_samples,)
