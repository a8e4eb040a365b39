"""What every architecture promises, each as a function of the `Game` in which it is checked."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract import Step
from ganzoo.engine.checks import check_fit, check_players
from ganzoo.errors import BadInput, Failed
from ganzoo.testing.check import Skipped, Unplayable, require, saying, sentence_of
from ganzoo.testing.games import Game, Plain, Players
from ganzoo.testing.sampling import (
    CLOSE,
    same_seed_same_latents,
    same_seed_same_sample,
    samples_do_not_depend_on_batch_mates,
    weights_survive_safetensors,
)
from ganzoo.testing.turns import by_key, call, penalty, plays, resumes, shake, sides_of, turn_of

PUSHES, STOPPED = 15, 1e-3
"""Steps in each half of a training that pushes scores, and which part of the way of the first half is none."""


def builds_with_every_option(game: Game) -> None:
    """With the defaults, and with each value of an option that has a few."""
    try:
        game.players()
    except Unplayable as refusal:
        raise AssertionError(str(refusal)) from refusal
    game.each(lambda players: check_players(*players))
    if game.labelled:
        plays_without_classes(game)


def plays_without_classes(game: Game) -> None:
    """Whether an architecture that builds without classes also samples and scores without labels."""
    try:
        players, batch = game.players(classes=None), game.batch()
    except (BadInput, Skipped):
        return  # it says that it needs them, or other batches
    if not any("label" in getattr(player, "needs", ()) for player in players):
        batch.pop("label", None)
    with saying("without classes"):
        seen(turn_of("discriminator", players, batch))


def fakes_are_like_the_data(game: Game) -> None:
    """Their keys, shape and type are the real images', and their range is [-1, 1]."""
    batch = game.batch()

    def look(players: Players) -> None:
        for mode in (True, False):
            step = turn_of("discriminator", in_mode(players, mode), batch)
            check_fit(step)
            fakes = by_key(step.generator, step.fake)
            for key in by_key(step.generator, step.real):
                compare(key, fakes.get(key), batch[key])
        large = {key: 100 * value if value.is_floating_point() else value for key, value in step.latent.items()}
        images = by_key(step.generator, step.generate(step.given | large)).get("image")
        if images is not None:
            told = "{}, the data lie in [-1, 1]: end with a tanh"
            require(in_range(images.nan_to_num()), told.format("large latents give images outside that"))
            require(images.isnan().any() or images.min() < 0, told.format("no pixel is ever below 0"))

    game.each(look)


def compare(key: str, fake: Any, real: Tensor) -> None:
    """Whether what a generator makes could be real."""
    require(isinstance(fake, Tensor), f"the generator's '{key}' is a {type(fake).__name__}, not a tensor")
    shapes = f"{tuple(fake.shape)}, the data's has {tuple(real.shape)}"
    require(fake.shape == real.shape, f"the generator's '{key}' has the shape {shapes}")
    require(fake.dtype == real.dtype, f"the generator's '{key}' is {fake.dtype}, the data's is {real.dtype}")
    if key == "image":
        require(
            in_range(fake.nan_to_num()),
            f"images reach {fake.abs().max():.3g}, they must lie in [-1, 1]: end with a tanh",
        )


def in_range(images: Tensor) -> bool:
    """Whether images lie in [-1, 1]."""
    return images.abs().max().item() <= 1 + CLOSE


def everything_is_finite(game: Game) -> None:
    """Fakes, scores and extras in `train()` and in `eval()`."""

    def look(players: Players) -> None:
        for mode in (True, False):
            step = turn_of("discriminator", in_mode(players, mode), game.batch())
            for name, tensor in seen(step).items():
                told = f"{name} has a value that is no finite number in {'train' if mode else 'eval'}()"
                require(tensor.isfinite().all(), told)

    game.each(look)


def seen(step: Step) -> dict[str, Tensor]:
    """Every tensor that the networks of a step give."""
    found = {f"the generator's '{key}'": value for key, value in by_key(step.generator, step.fake).items()}
    found |= {"a real score": step.real_scores, "a fake score": step.fake_scores}
    found |= {f"the real extra '{key}'": value for key, value in step.real_extras.items()}
    return found | {f"the fake extra '{key}'": value for key, value in step.fake_extras.items()}


def gradient_reaches_the_generator(game: Game) -> None:
    """All of its parameters on its turn, from scores and extras, and none of the discriminator's."""
    game.each(lambda players: reaches("generator", players, game.batch()))


def gradient_reaches_the_discriminator(game: Game) -> None:
    """All of its parameters on its turn, from scores and extras, and none of the generator's."""
    game.each(lambda players: reaches("discriminator", players, game.batch()))


def reaches(turn: str, players: Players, batch: dict[str, Tensor]) -> None:
    """Whether the gradient of a turn reaches its side; what starts at zero gets a second chance elsewhere."""
    left_out = unreached(turn, players, batch)
    if left_out:
        shake(players)
        left_out = unreached(turn, players, batch)
    told = f"no gradient reaches the {turn}'s '{(left_out or [''])[0]}' on its turn"
    require(not left_out, f"{told}: remove what is not used, and detach nothing on the way")


def unreached(turn: str, players: Players, batch: dict[str, Tensor]) -> list[str]:
    """Trainable parameters of the side whose turn it is that get no gradient."""
    step = turn_of(turn, players, batch)
    own, other = sides_of(step)
    own.zero_grad()
    outputs = [value for value in judge_outputs(step) if value.requires_grad]
    if outputs:
        sum((value * torch.randn_like(value)).sum() for value in outputs).backward()
    told = f"on the {turn}'s turn a gradient reaches the other side"
    require(all(parameter.grad is None for parameter in other.parameters()), told)
    trained = [(name, parameter) for name, parameter in own.named_parameters() if parameter.requires_grad]
    return [name for name, parameter in trained if parameter.grad is None or not parameter.grad.any()]


def judge_outputs(step: Step) -> list[Tensor]:
    """All that a loss could make terms of on a turn: scores, extras, and outputs that are no fakes."""
    if step.turn == "discriminator":
        return [step.real_scores, step.fake_scores, *step.real_extras.values(), *step.fake_extras.values()]
    makes = by_key(step.generator, step.real)
    further = [value for key, value in by_key(step.generator, step.fake).items() if key not in makes]
    return [step.fake_scores, *step.fake_extras.values(), *further]


def scores_are_raw(game: Game) -> None:
    """No sigmoid or tanh at the end: a loss takes it for granted that there is none."""
    players = in_mode(game.players(), False)
    step = turn_of("discriminator", players, game.batch())
    ways = [push_scores(players[1], step, sign) for sign in (1, -1)]
    advice = "leave the final sigmoid (or tanh) away, losses take raw scores"
    beyond = any(not (scores.abs() <= 1).all() for way in ways for scores in way)
    require(beyond, f"scores never leave [-1, 1]: {advice}")
    for start, half, end in ways:
        stopped = (end - half).abs().max() <= STOPPED * (half - start).abs().max()
        require(not stopped, f"scores stop at {end.mean():.3g}, whatever training does: {advice}")


def push_scores(discriminator: nn.Module, step: Step, sign: int) -> list[Tensor]:
    """The scores before a training that pushes them in one direction, half way through it and at its end."""
    discriminator = copy.deepcopy(discriminator)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.05)
    found = []
    for _ in range(2 * PUSHES + 1):
        judgement = call(discriminator, step.real, step.given)
        scores = judgement[0] if isinstance(judgement, tuple) else judgement
        found.append(scores.detach())
        optimizer.zero_grad()
        (-sign * scores.mean()).backward()
        optimizer.step()
    return found[::PUSHES]


def plays_in_float32(game: Game) -> None:
    """A few training steps give finite numbers."""
    plays(game, lambda: [Plain()], "fp32")


def plays_in_bfloat16(game: Game) -> None:
    """A few training steps under autocast give finite numbers."""
    plays(game, lambda: [Plain()], "bf16")


def scores_can_be_differentiated_twice(game: Game) -> None:
    """As gradient penalties do."""
    step = turn_of("discriminator", game.players(), game.batch())
    told = "the scores cannot be differentiated twice, which gradient penalties do"
    try:
        penalty(step).backward()
    except (RuntimeError, Failed) as error:
        raise AssertionError(f"{told}: {sentence_of(error)}") from error
    gradients = [p.grad for p in step.discriminator.parameters() if p.grad is not None]
    require(gradients, f"{told}: no parameter gets a gradient")
    require(all(each.isfinite().all() for each in gradients), f"{told}: a gradient is not finite")


def state_survives_save_and_restore(game: Game) -> None:
    """A resumed training goes on as if nothing had happened."""
    resumes(game, lambda: [Plain()])


def in_mode(players: Players, training: bool) -> Players:
    """Both networks in `train()` or `eval()`."""
    return players[0].train(training), players[1].train(training)


CHECKS: tuple[Callable[[Game], None], ...] = (
    builds_with_every_option,
    fakes_are_like_the_data,
    everything_is_finite,
    same_seed_same_latents,
    same_seed_same_sample,
    samples_do_not_depend_on_batch_mates,
    gradient_reaches_the_generator,
    gradient_reaches_the_discriminator,
    scores_are_raw,
    weights_survive_safetensors,
    plays_in_float32,
    plays_in_bfloat16,
    scores_can_be_differentiated_twice,
    state_survives_save_and_restore,
)
