"""The numbers of a training that vary, for its log."""

from collections.abc import Mapping

from ganzoo.engine.loop import Engine
from ganzoo.engine.schedule import Schedule


def list_varying(engine: Engine) -> dict[str, float]:
    """Return the numbers that vary, by the recipe's key, as they were in the last training step."""
    index, steps = max(0, engine.index - 1), engine.steps
    sides = {side: player.settings.list_varying(index, steps) for side, player in engine.players.items()}
    schedules = {key: each for use in engine.losses for key, each in use.list_varying().items()}
    if isinstance(engine.train.ema, Schedule):
        schedules["train.ema"] = engine.train.ema
    return {**name_by_side(sides), **{key: each.at(index, steps) for key, each in schedules.items()}}


def name_by_side(sides: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return numbers of both sides by the keys of a recipe: once if both have the same, such as "optimizer.lr"."""
    one, other = sides.values()
    return {
        f"optimizer.{key}" if one.get(key) == other.get(key) else f"optimizer.{side}.{key}": value
        for side, numbers in sides.items()
        for key, value in numbers.items()
    }
