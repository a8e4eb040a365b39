"""All checks of a plugin, as a list and as a test function for pytest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ParamSpec

from ganzoo.data.base import Data
from ganzoo.errors import BadInput, Error, suggest
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.recipe import Recipe
from ganzoo.testing import architectures, callbacks, datasets, importers, kinds, losses, metrics, models, recipes
from ganzoo.testing.cases import LossCase
from ganzoo.testing.check import Check, Skipped, require, title_of
from ganzoo.testing.datasets import DataCase
from ganzoo.testing.games import IMAGE_SHAPES, Game, MakeBatch
from ganzoo.testing.kinds import KindCase
from ganzoo.testing.metrics import SuiteCase
from ganzoo.testing.plays import load_recipes, recipes_with_architecture
from ganzoo.testing.registering import imports_no_torch
from ganzoo.testing.variants import Options

P = ParamSpec("P")
NO_OPTIONS: Mapping[str, Options] = MappingProxyType({})


def checks(
    distribution: str,
    *,
    image: tuple[int, int, int] | None = None,
    batch: MakeBatch | None = None,
    options: Mapping[str, Options] = NO_OPTIONS,
) -> Callable[[Check], None]:
    """Return a parametrized pytest function: one named test for each check of each thing that a distribution registers.

    `image` is the shape (channels, height, width) for which architectures are built; by default the first of
    some usual ones, from 1 x 28 x 28 to 3 x 256 x 256, that they do not refuse. `batch(n, rng)` returns a dict of
    tensors for architectures that need more than images and labels. `options` are options of what the distribution
    registers, by its name: `{"pairs": {"path": "photographs"}}`; what a recipe uses has that recipe's by default.
    Raises `BadInput` where pytest is not installed.
    """
    try:
        import pytest
    except ImportError as error:
        raise BadInput("ganzoo.testing.checks needs pytest: pip install pytest; or run 'ganzoo check'") from error

    found = checks_of(distribution, image=image, batch=batch, options=options)

    @pytest.mark.parametrize("check", found, ids=lambda check: check.id)
    def test_plugin(check: Check) -> None:
        try:
            check()
        except Skipped as reason:
            pytest.skip(str(reason))

    return test_plugin


def checks_of(
    distribution: str,
    *,
    image: tuple[int, int, int] | None = None,
    batch: MakeBatch | None = None,
    options: Mapping[str, Options] = NO_OPTIONS,
) -> list[Check]:
    """Return every check of what a distribution registers, as in `checks`; a broken plugin has one, which fails."""
    try:
        plugins = catalog().of(distribution)
    except BadInput as unknown:
        return [failing_check(distribution, str(unknown))]
    broken = [plugin for plugin in plugins if not plugin.works]
    if broken:
        return [failing_check(distribution, f"{plugin.status}: {plugin.reason}") for plugin in broken]
    things = [thing for plugin in plugins for thing in plugin.provides]
    refuse_unknown(distribution, things, options)
    bench = Bench(things, load_recipes(things, options), (image,) if image else IMAGE_SHAPES, batch, options)
    games = {thing.full_name: bench.game(thing) for thing in things if thing.kind == "architecture"}
    found = [Check("plugin", distribution, title_of(imports_no_torch), partial(imports_no_torch, distribution))]
    for thing in things:
        found += checks_of_thing(thing, games, bench)
    return found


def refuse_unknown(distribution: str, things: Sequence[Registration], options: Mapping[str, Options]) -> None:
    """Raise `BadInput` for options of something that a distribution does not register."""
    names = list(dict.fromkeys(thing.name for thing in things))
    for name, own in options.items():
        if name not in names:
            raise BadInput(f"options: {distribution} registers nothing called '{name}'; {suggest(name, names)}")
        if not isinstance(own, Mapping):
            raise BadInput(f"options: those of '{name}' must be a dict of options by name, got {own!r}")


@dataclass(frozen=True)
class Bench:
    """What the things of a plugin are checked with: what it registers, its recipes, and what its author gives."""

    things: Sequence[Registration]
    recipes: Sequence[Recipe]
    image_shapes: Sequence[tuple[int, int, int]]
    make_batch: MakeBatch | None
    options: Mapping[str, Options]

    def options_of(self, thing: Registration) -> Options:
        """Return the options that the author gives for a thing."""
        return self.options.get(thing.name, {})

    def data_case(self, thing: Registration) -> DataCase:
        """Return a data set with its options."""
        return DataCase(thing, self.recipes, self.options_of(thing))

    @property
    def data_cases(self) -> list[DataCase]:
        """All data sets of the plugin."""
        return [self.data_case(thing) for thing in self.things if thing.kind == "data"]

    def game(self, thing: Registration) -> Game:
        """Return the game of an architecture as its first recipe plays it, with those of further ones."""
        own = recipes_with_architecture(self.recipes, thing.full_name)
        options, shapes = self.options_of(thing), self.image_shapes
        make = partial(Game, thing.full_name, shapes, self.make_batch, options=options, open_data=self.open_data)
        return make(own[0] if own else None, others=[make(recipe) for recipe in own[1:]])

    def open_data(self) -> list[Data]:
        """Return the data sets of the plugin that can be opened here."""
        found = []
        for case in self.data_cases:
            with suppress(Skipped, Error):
                found.append(case.load())
        return found


def failing_check(distribution: str, reason: str) -> Check:
    """Return the one check of a plugin that cannot be loaded."""
    return Check("plugin", distribution, "works", partial(require, False, reason))


def checks_of_thing(thing: Registration, games: dict[str, Game], bench: Bench) -> list[Check]:
    """Return every check of one thing. `games` are those of the plugin's architectures, by full name."""
    if thing.kind == "architecture":
        return bind(thing, architectures.CHECKS, games[thing.full_name])
    if thing.kind == "loss":
        case = LossCase(thing.full_name, list(games.values()), bench.recipes, bench.options_of(thing))
        return bind(thing, losses.CHECKS, case)
    if thing.kind == "data":
        return bind(thing, datasets.CHECKS, bench.data_case(thing))
    if thing.kind == "kind":
        return bind(thing, kinds.CHECKS, KindCase(thing, bench.data_cases))
    if thing.kind == "metrics":
        return bind(thing, metrics.CHECKS, SuiteCase(thing, bench.data_cases))
    if thing.kind == "callback":
        return bind(thing, callbacks.CHECKS, thing, bench.options_of(thing))
    if thing.kind == "importer":
        return bind(thing, importers.CHECKS, thing, bench.options_of(thing))
    if thing.kind == "recipe":
        return bind(thing, recipes.CHECKS, thing, bench.make_batch, bench.options)
    return bind(thing, models.CHECKS, thing, bench.make_batch)


def bind(
    thing: Registration, functions: Iterable[Callable[P, str | None]], *arguments: P.args, **options: P.kwargs
) -> list[Check]:
    """Return a check of `thing` for each function, which will be called with these arguments."""
    return [
        Check(thing.kind, thing.name, title_of(function), partial(function, *arguments, **options))
        for function in functions
    ]
