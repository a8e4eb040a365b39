"""Conformance checks for plugin authors: whether all that a plugin brings keeps the promises of the contract.

A plugin's whole test is one line after its import:

    import ganzoo
    test_plugin = ganzoo.testing.checks("ganzoo-dcgan")

`ganzoo check` makes the same checks without pytest.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ganzoo._seeds import make_rng
from ganzoo.data.batches import Batches
from ganzoo.data.mixtures import MIXTURES
from ganzoo.data.sources import DEFAULT_SIZE
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.recipe import Recipe
from ganzoo.testing import architectures, callbacks, losses
from ganzoo.testing.cases import LossCase
from ganzoo.testing.check import Check, Skipped, require, title_of
from ganzoo.testing.games import COUNT, IMAGES, Game, MakeBatch
from ganzoo.training.train import train
from ganzoo.zoo.model import Model, load, load_local
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model

__all__ = ["Check", "Skipped", "checks", "checks_of"]

BUNDLED = ("mnist-10k", *MIXTURES)
"""The data sets that need no download."""
SIZES = {"mnist": (1, 28), "fashion-mnist": (1, 28), "cifar10": (3, 32)}
"""Channels and side of the images of other data sets, which are not downloaded."""
CLASSES = 10
STEPS = 5


def checks(
    distribution: str, *, image: tuple[int, int, int] | None = None, batch: MakeBatch | None = None
) -> Callable[..., None]:
    """A parametrized pytest function: one named test for each check of each thing that a distribution registers.

    `image` is the shape (channels, height, width) for which architectures are built; by default the first of
    some usual ones, from 1 x 28 x 28 to 3 x 256 x 256, that they do not refuse. `batch(n, rng)` returns a dict of
    tensors for architectures that need more than images and labels. Raises `BadInput` where pytest is not installed.
    """
    try:
        import pytest
    except ImportError as error:
        raise BadInput("ganzoo.testing.checks needs pytest: pip install pytest; or run 'ganzoo check'") from error

    @pytest.mark.parametrize("check", checks_of(distribution, image=image, batch=batch), ids=lambda check: check.id)
    def test_plugin(check: Check) -> None:
        try:
            check()
        except Skipped as reason:
            pytest.skip(str(reason))

    return test_plugin


def checks_of(
    distribution: str, *, image: tuple[int, int, int] | None = None, batch: MakeBatch | None = None
) -> list[Check]:
    """Every check of what a distribution registers, as in `checks`. One that does not work has one failing check."""
    try:
        found = catalog().of(distribution)
    except BadInput as unknown:
        return [failing(distribution, str(unknown))]
    broken = [plugin for plugin in found if plugin.status not in ("ok", "conflict")]
    if broken:
        return [failing(distribution, f"{plugin.status}: {plugin.reason}") for plugin in broken]
    things = [thing for plugin in found for thing in plugin.provides]
    shapes = (image,) if image else IMAGES
    games = {thing.full_name: Game(thing.full_name, shapes, batch) for thing in things if thing.kind == "architecture"}
    made = [Check("plugin", distribution, title_of(imports_no_torch), partial(imports_no_torch, distribution))]
    for thing in things:
        named = functions_of(thing, games)
        made += [Check(thing.kind, thing.name, title, function) for title, function in named.items()]
    return made


def failing(distribution: str, sentence: str) -> Check:
    """A check of a plugin that cannot be checked."""
    return Check("plugin", distribution, "works", partial(require, False, sentence))


def functions_of(thing: Registration, games: dict[str, Game]) -> dict[str, Callable[[], None]]:
    """Every check of one thing, by its title."""
    functions, subject = functions_and_subject(thing, games)
    return {title_of(function): partial(function, *subject) for function in functions}


def functions_and_subject(thing: Registration, games: dict[str, Game]) -> tuple[Sequence[Callable[..., None]], tuple]:
    """What checks a thing, and the arguments that they take."""
    if thing.kind == "architecture":
        return architectures.CHECKS, (games[thing.full_name],)
    if thing.kind == "loss":
        return losses.CHECKS, (LossCase(thing.full_name, list(games.values())),)
    if thing.kind == "callback":
        return callbacks.CHECKS, (thing,)
    own = next((game.own for game in games.values()), None)
    return [{"recipe": trains_and_samples, "model": loads_and_samples}[thing.kind]], (thing, own)


def imports_no_torch(distribution: str) -> None:
    """What a plugin's registration imports must not cost the start-up time of every command."""
    others = [name for p in catalog().plugins for name in (p.distribution, p.entry_point)]
    mine = {name for p in catalog().of(distribution) for name in (p.distribution, p.entry_point)}
    blocked = {"GANZOO_DISABLE_PLUGINS": ",".join(name for name in others if name not in mine)}
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "import sys; from ganzoo.plugins.catalog import catalog; catalog(); sys.exit(3 * ('torch' in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code],  # -P: nothing of the current folder is imported
        env={**os.environ, **path, **blocked},
        capture_output=True,
        text=True,
        check=False,
    )
    advice = "register 'package.module:Class' and import torch in that module only"
    require(ended.returncode != 3, f"registering imports torch: {advice}")
    require(
        not ended.returncode, f"a new process cannot list the plugin: {ended.stderr.strip().rpartition(chr(10))[2]}"
    )


def trains_and_samples(thing: Registration, own: MakeBatch | None) -> None:
    """A few training steps by a recipe leave a model that can be loaded and sampled."""
    recipe = small(Recipe.load(thing.targets["file"]))
    data = None if recipe.data.name in BUNDLED else stand_in(recipe, own)
    if data:
        recipe = recipe.replace(data={"size": None, "channels": None})
    with TemporaryDirectory() as folder:
        run = train(recipe, data, Path(folder) / "run", "cpu", quiet=True)
        sample(load(run.path, "cpu", offline=True), own)


def small(recipe: Recipe) -> Recipe:
    """The recipe for a few steps of small batches, without what needs a network, a compiler, an extra or much time."""
    batch = recipe.train.batch
    while batch >= 16 and batch % (2 * recipe.train.accumulate) == 0:
        batch //= 2
    plain = {"init": None, "compile": False, "tensorboard": False, "profile": False}
    plain |= {"evaluate_every": 0, "patience": 0}
    return recipe.replace(train={"steps": STEPS, "batch": batch, **plain})


def stand_in(recipe: Recipe, own: MakeBatch | None) -> Batches:
    """Random batches in place of data that would have to be downloaded, or that only Python code can give."""
    if recipe.data.from_python and not own:
        raise Skipped("it learns from batches that Python code gives: give checks(..., batch=function(n, rng) -> dict)")
    channels, side = SIZES.get(recipe.data.name, (3, DEFAULT_SIZE))
    side, classes, rng = recipe.data.size or side, recipe.data.classes or CLASSES, make_rng("stand-in")
    n, channels = recipe.train.batch, recipe.data.channels or channels
    batch = {"image": torch.rand(n, channels, side, side, generator=rng) * 2 - 1}
    batch["label"] = torch.randint(classes, (n,), generator=rng)
    return Batches([batch | dict(own(n, rng) if own else {})], classes)


def loads_and_samples(thing: Registration, own: MakeBatch | None) -> None:
    """A model that lies in the package is what the registry pins, and can be loaded and sampled without a network."""
    entry = Registry().find(thing.full_name)
    if entry is None or entry.folder is None:
        raise Skipped("it is on the Hub, and checks use no network")
    sample(load_local(resolve_model(entry, offline=True, everything=True), "cpu"), own)


def sample(model: Model, own: MakeBatch | None) -> None:
    """Whether a model gives samples that are finite."""
    classes, rng = model.config["data"].get("classes", ()), make_rng("sample")
    known = {"label": torch.arange(COUNT) % max(1, len(classes))} | dict(own(COUNT, rng) if own else {})
    drawn = model.generator.latent(1, rng)
    needed = [key for key in model.generator.needs if key not in drawn]
    if missing := [key for key in needed if key not in known]:
        raise Skipped(f"needs {', '.join(map(repr, missing))}: give checks(..., batch=function(n, rng) -> dict)")
    made = model.sample(COUNT, **{key: known[key] for key in needed})
    for each in made.values() if isinstance(made, dict) else [made]:
        require(each.isfinite().all(), "a sample has a value that is no finite number")
