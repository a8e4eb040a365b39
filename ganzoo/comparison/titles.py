"""Say in a few words what sets recipes apart: recipe, losses, data, steps, seed, and any other key. No torch here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganzoo.recipe.names import bare_name
from ganzoo.recipe.overrides import flatten
from ganzoo.recipe.recipe import key_losses_by_name

FIRST = ("recipe", "loss", "data", "steps", "seed")
"""The facts that are named first, and compared between any two recipes."""
UNTOLD = {
    *("name", "data.root", "data.workers", "data.name", "train.steps", "train.epochs", "train.seed", "train.precision"),
    *("train.log_every", "train.sample_every", "train.save_every", "train.evaluate_every", "train.evaluate_samples"),
    *("train.profile", "train.show_augmented", "train.tensorboard", "train.channels_last", "train.compile"),
}
"""Keys that are among the first facts, or do not change what is learned."""
MAX_WORDS = 5
"""Facts in a title; what is more is counted."""


def tell_apart(recipes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each recipe, as plain values, the facts that it does not share with all others, by a short name.

    Recipes of different names differ in most keys; so further keys are compared among those of one name.
    """
    facts = [first_facts(recipe) for recipe in recipes]
    keys = [further_keys(recipe) for recipe in recipes]
    found = []
    for own, flat in zip(facts, keys, strict=True):
        told = {key: own[key] for key in FIRST if key in own and differs(key, own, facts)}
        if told.get("data") == told.get("recipe"):  # ring8 on ring8
            told.pop("data", None)
        kin = [other for fact, other in zip(facts, keys, strict=True) if fact.get("recipe") == own.get("recipe")]
        differing = [key for key in flat if differs(key, flat, kin)]
        found.append(told | dict(zip(shorten(differing), (flat[key] for key in differing), strict=True)))
    return found


def differs(key: str, own: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> bool:
    """Return True if another one has another value for a key. A loss or network without the key does not count."""
    if key.startswith(("loss.", "architecture.")):
        others = [other for other in others if key in other]
    return any(other.get(key) != own[key] for other in others)


def first_facts(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return recipe, losses, data, steps and seed of a recipe, as far as it has them."""
    train, data = recipe.get("train", {}), recipe.get("data", {})
    facts = {
        "recipe": recipe.get("name"),
        "loss": " + ".join(bare_name(str(loss["name"])) for loss in recipe.get("loss", [])) or None,
        "data": str(data["name"]).rpartition("/")[2] if "name" in data else None,
        "steps": train.get("steps"),
        "seed": train.get("seed"),
    }
    return {key: value for key, value in facts.items() if value is not None}


def further_keys(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a recipe that make a difference to what is learned, beside the first facts."""
    flat = flatten(key_losses_by_name({"loss": [], **recipe}), values=())
    named = {key: bare_name(value) if key.endswith("name") else value for key, value in flat.items()}
    return {key: value for key, value in named.items() if key not in UNTOLD and not is_loss_name(key)}


def is_loss_name(path: str) -> bool:
    """Return True for the key with the name of a loss, which is among the first facts."""
    return path.startswith("loss.") and path.endswith(".name")


def shorten(paths: Sequence[str]) -> list[str]:
    """Return dotted paths without the section, where that leaves no two of them alike."""
    short = [path.partition(".")[2] or path for path in paths]
    return [path if short.count(each) > 1 else each for path, each in zip(paths, short, strict=True)]


def write_title(facts: Mapping[str, Any]) -> str:
    """Return facts in one line: "hinge + r1, 3,000 steps, seed 1, optimizer lr 0.001"."""
    words = [write_fact(key, value) for key, value in facts.items()]
    more = [f"{len(words) - MAX_WORDS} more"] if len(words) > MAX_WORDS else []
    return ", ".join([*words[:MAX_WORDS], *more])


def write_fact(key: str, value: Any) -> str:
    """Return one fact in words."""
    if key in ("recipe", "loss", "data"):
        return str(value)
    return f"{value:,} steps" if key == "steps" else f"{key} {write_value(value)}"


def write_value(value: Any) -> str:
    """Return a value as one would type it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
