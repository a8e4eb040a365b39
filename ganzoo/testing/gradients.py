"""Whether gradients reach all that a network trains: from what it returns, or from the losses of a recipe."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import torch
from torch import Tensor

from ganzoo.contract import Step
from ganzoo.engine.loop import Engine
from ganzoo.engine.scheduled import Scheduled
from ganzoo.errors import Error
from ganzoo.testing.check import describe_options, prefix_failures, require
from ganzoo.testing.games import Game, Players
from ganzoo.testing.plays import TRAINING_STEPS
from ganzoo.testing.turns import all_scores, freeze_other_side, images_by_key, make_step, perturb, set_up
from ganzoo.testing.variants import Options, by_dotted_name

Source = Callable[[Step], Sequence[Tensor]]
"""Returns the tensors of a turn that have the gradient."""


def gradient_reaches_the_generator(game: Game) -> str:
    """On its turn all of its parameters get a gradient, and none of the discriminator's does.

    It comes from scores and extras, or from the losses of a recipe, as that of an encoder which only a loss calls.
    """
    return check_gradient("generator", game)


def gradient_reaches_the_discriminator(game: Game) -> str:
    """On its turn all of its parameters get a gradient from scores and extras, and none of the generator's does."""
    return check_gradient("discriminator", game)


def check_gradient(turn: str, game: Game) -> str:
    """Check that every parameter of a side is trained somewhere; return which parts a recipe leaves as they are."""
    plays = [game, *game.others]
    untrained = [find_untrained(turn, play) for play in plays]
    require_none(turn, [name for name in untrained[0] if all(name in names for names in untrained)])
    for options in game.variants[1:]:
        with prefix_failures(describe_options(by_dotted_name(options))):
            if game.accepted(options):
                require_none(turn, [name for name in find_untrained(turn, game, options) if name not in untrained[0]])
    return "; ".join(filter(None, (describe_left_alone(turn, play) for play in plays if play.recipe)))


def require_none(turn: str, names: Sequence[str]) -> None:
    """Raise `AssertionError` for the first of these parameters, which nothing trains."""
    if names:
        advice = "remove what is not used, and detach nothing on the way"
        raise AssertionError(f"no gradient reaches the {turn}'s '{names[0]}' on its turn: {advice}")


def find_untrained(turn: str, game: Game, options: Options | None = None) -> list[str]:
    """Return the trainable parameters of a side that neither its outputs nor the losses of its recipe train."""
    left = find_unreached(turn, game.players(options), game, trainable_outputs)
    for find in (find_untrained_by_losses, find_unchanged) if game.recipe else ():
        if left:
            others = find(turn, game, options)
            left = [name for name in left if name in others]
    return left


def find_untrained_by_losses(turn: str, game: Game, options: Options | None = None) -> list[str]:
    """Return the trainable parameters of a side that the losses of its recipe do not train; all where one refuses."""
    players, losses = game.players(options), game.make_losses()
    try:
        for loss in losses:
            set_up(loss, players, game.batch())
        return find_unreached(turn, players, game, lambda step: terms_with_gradient(losses, step), losses)
    except Error:
        return [name for name, _ in trainable(turn, players)]


def find_unchanged(turn: str, game: Game, options: Options | None = None) -> list[str]:
    """Return the trainable parameters of a side that a training of the recipe leaves as they were.

    Parts of networks that grow play only at some time of it. Schedules have ended after `TRAINING_STEPS`.
    """
    engine = game.make_engine(game.make_losses(), options=options)
    before = {name: parameter.detach().clone() for name, parameter in named_parameters(engine, turn).items()}
    with suppress(Error):  # which other checks report
        engine.run([game.batch(0), game.batch(1)], steps=game.steps + TRAINING_STEPS)
    return [name for name, parameter in named_parameters(engine, turn).items() if parameter.equal(before[name])]


def named_parameters(engine: Engine, turn: str) -> dict[str, torch.nn.Parameter]:
    """Return the parameters that an engine trains on a turn, by name."""
    player = engine.players[turn]
    return dict(zip(player.names, player.parameters, strict=True))


def terms_with_gradient(losses: Sequence[Scheduled], step: Step) -> list[Tensor]:
    """Return the terms of all losses on a turn that have a gradient."""
    return [term for loss in losses for term in loss.weigh(loss.terms(step))]


def find_unreached(
    turn: str, players: Players, game: Game, source: Source, losses: Sequence[Scheduled] = ()
) -> list[str]:
    """Return the parameters of a side that get no gradient; those that start at zero get a second try elsewhere."""
    batches = [game.batch(seed) if losses else game.full_batch(seed) for seed in range(2)]
    left = backward_from(make_step(turn, players, batches[0], losses), source)
    if left:
        perturb(players)
        again = backward_from(make_step(turn, players, batches[1], losses), source)
        left = [name for name in left if name in again]
    return left


def backward_from(step: Step, source: Source) -> list[str]:
    """Return the trainable parameters of the side whose turn it is that get no gradient from these tensors."""
    own, other = freeze_other_side(step)
    own.zero_grad()
    outputs = [value for value in source(step) if value.requires_grad]
    if outputs:
        torch.autograd.backward([(value * torch.randn_like(value)).sum() for value in outputs])
    reached = any(parameter.grad is not None for parameter in other.parameters())
    require(not reached, f"on the {step.turn}'s turn a gradient reaches the other side")
    trained = trainable(step.turn, (step.generator, step.discriminator))
    return [name for name, parameter in trained if parameter.grad is None or not parameter.grad.any()]


def trainable(turn: str, players: Players) -> list[tuple[str, torch.nn.Parameter]]:
    """Return the parameters of a side that are trained, by name."""
    side = players[0] if turn == "generator" else players[1]
    return [(name, parameter) for name, parameter in side.named_parameters() if parameter.requires_grad]


def trainable_outputs(step: Step) -> list[Tensor]:
    """Return all of which a loss could make terms on a turn: scores, extras, and outputs that are not fakes."""
    fake = [*all_scores(step, "fake_scores"), *step.fake_extras.values()]
    if step.turn == "discriminator":
        return [*all_scores(step, "real_scores"), *fake, *step.real_extras.values()]
    makes = images_by_key(step.generator, step.real)
    further = [value for key, value in images_by_key(step.generator, step.fake).items() if key not in makes]
    return [*fake, *further, *step.generator_extras.values()]


def describe_left_alone(turn: str, game: Game) -> str:
    """Return which parts of a side a recipe does not train, as one that is a phase of a longer training."""
    left = set(find_untrained_by_losses(turn, game))
    parts: dict[str, list[bool]] = {}
    for name, _ in trainable(turn, game.players()):
        parts.setdefault(name.partition(".")[0], []).append(name in left)
    alone = [part for part, untrained in parts.items() if all(untrained)]
    if not alone or not game.recipe:
        return ""
    what = f"the {turn}" if len(alone) == len(parts) else f"the {turn}'s {', '.join(map(repr, alone))}"
    return f"the recipe '{game.recipe.name}' does not train {what}"
