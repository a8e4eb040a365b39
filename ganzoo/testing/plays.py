"""Recipes as the kit plays them: with their own options, losses and settings, but short and with an early schedule."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ganzoo._numbers import parse_size
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import LENGTHS, SIDES
from ganzoo.engine.validation import is_schedule, validate
from ganzoo.errors import Error
from ganzoo.plugins.registration import Registration
from ganzoo.recipe import build
from ganzoo.recipe.names import bare_name, may_be_same
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.outline import outlining

TRAINING_STEPS = 5
"""Training steps that follow the last moment at which a loss of a recipe begins or ends."""
MOST_LAZY = 2
"""The largest `every` that is played: each loss has its turns within so few steps."""
MOST_PARTS = 2
"""The most parts into which a batch is split (`train.accumulate`)."""
LARGE = 64
"""Larger images, in pixels, are played in the first of these sizes that the networks do not refuse."""
SMALLER = (32, 64, 128)


def load_recipes(things: Iterable[Registration], options: Mapping[str, Mapping[str, Any]]) -> list[Recipe]:
    """Return the recipes of a plugin that can be read; the others fail in checks of their own."""
    found = []
    for thing in things:
        if thing.kind == "recipe":
            with suppress(Error):
                found.append(load_recipe(thing, options))
    return found


def load_recipe(thing: Registration, options: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return a recipe, with the options that an author gives for what it uses, by name."""
    recipe = Recipe.load(thing.targets["file"])
    table = recipe.written_out()
    used = [table["architecture"], table["data"], *table["loss"], *table.get("callback", ())]
    for section in used:
        section.update(options.get(bare_name(section.get("name", "")), {}))
    for side in SIDES:
        section = table["architecture"].get(side, {})
        own = options.get(bare_name(section.get("name", "")), {})
        section.update({key: value for key, value in own.items() if key not in SIDES} | own.get(side, {}))
    return validate(Recipe, table) if options else recipe


def recipes_with_architecture(recipes: Iterable[Recipe], name: str) -> list[Recipe]:
    """Return the recipes in which this architecture plays both sides, those of large images and networks last."""
    own = [each for each in recipes if all(may_be_same(each.architecture.side_name(side), name) for side in SIDES)]
    return sorted(own, key=is_large)


def recipes_with_loss(recipes: Iterable[Recipe], name: str) -> list[Recipe]:
    """Return the recipes that use this loss."""
    return [each for each in recipes if any(may_be_same(use.name, name) for use in each.loss)]


def shorten(recipe: Recipe) -> Recipe:
    """Return the recipe with few steps and small batches, without what needs a network, a compiler or an extra.

    Losses begin and end in the order of their schedule, within so few steps that each of them plays. Large images are
    made small, so that a recipe for a GPU is played in seconds.
    """
    recipe, batch, parts = shrink(recipe), recipe.train.batch, recipe.train.accumulate
    parts = MOST_PARTS if parts > MOST_PARTS and batch % MOST_PARTS == 0 else parts
    while batch >= 16 and batch % (2 * parts) == 0:
        batch //= 2
    losses, steps = bring_forward(recipe)
    without = dict.fromkeys(("compile", "tensorboard", "trackio", "profile"), False)
    # "auto" compares the speed of fp32 and bf16, which is nothing to check; fp16 is for GPUs.
    precision = "bf16" if recipe.train.precision == "bf16" else "fp32"
    changes = {
        "precision": precision,
        "steps": steps,
        "batch": batch,
        "accumulate": parts,
        "init": None,
        "evaluate_every": 0,
        "patience": 0,
        **without,
    }
    table = recipe.written_out()
    train, optimizer = ({**hasten(table[section])} for section in ("train", "optimizer"))
    for key in LENGTHS:
        train.pop(key, None)
    for rates in (optimizer, *(optimizer.get(side, {}) for side in SIDES)):
        rates.pop("start", None)
    return validate(Recipe, {**table, "loss": hasten(losses), "train": train | changes, "optimizer": optimizer})


def is_large(recipe: Recipe) -> bool:
    """Return whether a recipe is for images that are played smaller."""
    return bool(recipe.data.size) and max(parse_size(recipe.data.size)) > LARGE


def shrink(recipe: Recipe) -> Recipe:
    """Return a recipe of large images with smaller ones, if its networks can be built for them."""
    if not is_large(recipe):
        return recipe
    smaller = [side for side in SMALLER if side < min(parse_size(recipe.data.size))]
    side = next((side for side in smaller if can_build(recipe, side)), None)
    return recipe.replace(data={"size": side}) if side else recipe


def can_build(recipe: Recipe, side: int) -> bool:
    """Return whether a recipe's networks do not refuse images of this height and width."""
    facts = {"image": (recipe.data.channels or 3, side, side), "classes": recipe.data.classes or 2}
    try:
        found = build.resolve_architecture(recipe.architecture, facts=facts)
        with outlining():
            for _, player in found.items():
                player.make(**facts)
    except Error:
        return False
    return True


def hasten(value: Any) -> Any:
    """Return a part of a recipe in which every schedule begins at once and has ended within a few steps."""
    if is_schedule(value):
        return {**value, "start": 0, "over": TRAINING_STEPS}
    if isinstance(value, Mapping):
        return {key: hasten(each) for key, each in value.items()}
    return [hasten(each) for each in value] if isinstance(value, list) else value


def bring_forward(recipe: Recipe) -> tuple[list[dict[str, Any]], int]:
    """Return a recipe's losses with a schedule of few steps, and how many steps are more than it has."""
    moments = sorted({0, *(moment for use in recipe.loss for moment in (use.start, use.stop) if moment is not None)})
    losses = []
    for use in recipe.loss:
        early = {
            key: MOST_LAZY * moments.index(at) for key in ("start", "stop") if (at := getattr(use, key)) is not None
        }
        losses.append(use.model_dump(exclude_none=True) | early | {"every": min(use.every, MOST_LAZY)})
    return losses, MOST_LAZY * (len(moments) - 1) + TRAINING_STEPS


def make_losses(recipe: Recipe) -> Sequence[Scheduled]:
    """Return new losses, each with its weight and schedule in the recipe."""
    return [build.schedule(section, build.resolve_loss(section)) for section in recipe.loss]
