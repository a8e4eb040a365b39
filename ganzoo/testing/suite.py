"""All checks of a plugin, as a list and as a test function for pytest."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import ParamSpec

from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.registration import Registration
from ganzoo.testing import architectures, callbacks, losses, models, recipes
from ganzoo.testing.cases import LossCase
from ganzoo.testing.check import Check, Skipped, require, title_of
from ganzoo.testing.games import IMAGE_SHAPES, Game, MakeBatch
from ganzoo.testing.registering import imports_no_torch

P = ParamSpec("P")


def checks(
    distribution: str, *, image: tuple[int, int, int] | None = None, batch: MakeBatch | None = None
) -> Callable[[Check], None]:
    """Return a parametrized pytest function: one named test for each check of each thing that a distribution registers.

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
    """Return every check of what a distribution registers, as in `checks`; a broken plugin has one, which fails."""
    try:
        plugins = catalog().of(distribution)
    except BadInput as unknown:
        return [failing_check(distribution, str(unknown))]
    broken = [plugin for plugin in plugins if not plugin.works]
    if broken:
        return [failing_check(distribution, f"{plugin.status}: {plugin.reason}") for plugin in broken]
    things = [thing for plugin in plugins for thing in plugin.provides]
    shapes = (image,) if image else IMAGE_SHAPES
    games = {thing.full_name: Game(thing.full_name, shapes, batch) for thing in things if thing.kind == "architecture"}
    found = [Check("plugin", distribution, title_of(imports_no_torch), partial(imports_no_torch, distribution))]
    for thing in things:
        found += checks_of_thing(thing, games, batch)
    return found


def failing_check(distribution: str, reason: str) -> Check:
    """Return the one check of a plugin that cannot be loaded."""
    return Check("plugin", distribution, "works", partial(require, False, reason))


def checks_of_thing(thing: Registration, games: dict[str, Game], batch: MakeBatch | None) -> list[Check]:
    """Return every check of one thing. `games` are those of the plugin's architectures, by full name."""
    if thing.kind == "architecture":
        return bind(thing, architectures.CHECKS, games[thing.full_name])
    if thing.kind == "loss":
        return bind(thing, losses.CHECKS, LossCase(thing.full_name, list(games.values())))
    if thing.kind == "callback":
        return bind(thing, callbacks.CHECKS, thing)
    return bind(thing, recipes.CHECKS if thing.kind == "recipe" else models.CHECKS, thing, batch)


def bind(
    thing: Registration, functions: Iterable[Callable[P, None]], *arguments: P.args, **options: P.kwargs
) -> list[Check]:
    """Return a check of `thing` for each function, which will be called with these arguments."""
    return [
        Check(thing.kind, thing.name, title_of(function), partial(function, *arguments, **options))
        for function in functions
    ]
