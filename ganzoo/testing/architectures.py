"""What every architecture promises, each as a function of the `Game` in which it is checked."""

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ganzoo._outputs import split_scores
from ganzoo.contract import Step
from ganzoo.engine.checks import check_fit, check_players
from ganzoo.errors import BadInput, Failed
from ganzoo.testing.check import Skipped, Unplayable, describe_error, prefix_failures, require
from ganzoo.testing.games import Game, Players
from ganzoo.testing.gradients import gradient_reaches_the_discriminator, gradient_reaches_the_generator
from ganzoo.testing.sampling import (
    SAMPLE_TOLERANCE,
    same_seed_same_latents,
    same_seed_same_sample,
    samples_do_not_depend_on_batch_mates,
    weights_survive_safetensors,
)
from ganzoo.testing.turns import (
    all_scores,
    call_network,
    check_bfloat16,
    check_resume,
    check_training,
    gradient_penalty,
    images_by_key,
    make_step,
    warm_up,
)

FAR_OUT = 10
"""Images whose pixels have this mean size before any training are made for another range than [-1, 1]."""
TANH = "the data lie in [-1, 1]: end with a tanh, or with no activation"
PUSH_STEPS = 15
"""Steps in each half of a training that pushes scores in one direction."""
SATURATION = 1e-3
"""Scores have stopped if they move by at most this part of their way in the first half of such a training."""


def builds_with_every_option(game: Game) -> None:
    """It can be built with the defaults, and with each value of an option that has a few."""
    try:
        game.players()
    except Unplayable as refusal:
        raise AssertionError(str(refusal)) from refusal
    game.for_each_variant(lambda players: check_players(*players))
    if game.uses_labels:
        check_without_classes(game)


def check_without_classes(game: Game) -> None:
    """Check that an architecture that can be built without classes also samples and scores without labels."""
    try:
        players, batch = game.players(with_classes=False), game.full_batch()
    except (BadInput, Skipped):
        return  # it says that it needs classes, or other batches
    if not any("label" in getattr(player, "needs", ()) for player in players):
        batch.pop("label", None)
    with prefix_failures("without classes"):
        network_outputs(make_step("discriminator", players, batch))


def fakes_are_like_the_data(game: Game) -> None:
    """Fakes have the keys, shapes and types of the real images, and can fill [-1, 1]."""
    batch = game.full_batch()

    def check_fakes(players: Players) -> None:
        for _ in in_both_modes(game, players):
            step = make_step("discriminator", players, batch)
            check_fit(step)
            fakes = images_by_key(step.generator, step.fake)
            for key in images_by_key(step.generator, step.real):
                check_like(key, fakes.get(key), batch[key])
        check_range(step)

    game.for_each_variant(check_fakes)


def check_like(key: str, fake: object, real: Tensor) -> None:
    """Check that what a generator makes has the shape and type of real data."""
    if not isinstance(fake, Tensor):
        raise AssertionError(f"the generator's '{key}' is a {type(fake).__name__}, not a tensor")
    shapes = f"{tuple(fake.shape)}, the data's has {tuple(real.shape)}"
    require(fake.shape == real.shape, f"the generator's '{key}' has the shape {shapes}")
    require(fake.dtype == real.dtype, f"the generator's '{key}' is {fake.dtype}, the data's is {real.dtype}")


def check_range(step: Step) -> None:
    """Check that images can fill [-1, 1], also for latents that are far too large.

    A generator without a last activation learns that range and may leave it a little; one that has an activation for
    another range cannot learn it.
    """
    image = images_by_key(step.generator, step.fake).get("image")
    if image is None:
        return
    size = image.nan_to_num().abs().mean().item()
    require(size < FAR_OUT, f"pixels are about {size:.3g} large before any training, {TANH}")
    large = {key: 100 * value if value.is_floating_point() else value for key, value in step.latent.items()}
    images = images_by_key(step.generator, step.generate(step.given | large))["image"].nan_to_num()
    largest = images.abs().max().item()
    stuck = (images.abs() > (1 - SAMPLE_TOLERANCE) * largest).float().mean().item() > 1 / 4
    require(largest <= 1 + SAMPLE_TOLERANCE or not stuck, f"images stop at {largest:.3g}, {TANH}")
    require(images.min() < 0 or not images.any(), f"no pixel is ever below 0, {TANH}")


def everything_is_finite(game: Game) -> None:
    """Fakes, scores and extras are finite in `train()` and in `eval()`."""

    def check_finite(players: Players) -> None:
        for mode in in_both_modes(game, players):
            step = make_step("discriminator", players, game.full_batch())
            for name, tensor in network_outputs(step).items():
                require(tensor.isfinite().all(), f"{name} has a value that is not finite in {mode}()")

    game.for_each_variant(check_finite)


def network_outputs(step: Step) -> dict[str, Tensor]:
    """Return every tensor that the networks of a step give, by its name in a sentence."""
    outputs = {f"the generator's '{key}'": value for key, value in images_by_key(step.generator, step.fake).items()}
    outputs |= {f"the generator's extra '{key}'": value for key, value in step.generator_extras.items()}
    for name in ("real", "fake"):
        outputs[f"a {name} score"] = torch.cat([scores.flatten() for scores in all_scores(step, f"{name}_scores")])
    outputs |= {f"the real extra '{key}'": value for key, value in step.real_extras.items()}
    return outputs | {f"the fake extra '{key}'": value for key, value in step.fake_extras.items()}


def scores_are_raw(game: Game) -> None:
    """Scores are unbounded: losses expect that there is no sigmoid or tanh at the end."""
    players = set_mode(warm_up(game, game.players()), training=False)
    refuse_dummy(players[1])
    step = make_step("discriminator", players, game.full_batch())
    pushed = [push_scores(players[1], step, sign) for sign in (1, -1)]
    for number, ways in enumerate(zip(*pushed, strict=True), 1):
        check_unbounded(ways, f" of judge {number}" if len(pushed[0]) > 1 else "")


def refuse_dummy(discriminator: nn.Module) -> None:
    """Raise `Skipped` for a discriminator that stands in where a generator learns alone."""
    if not any(parameter.requires_grad for parameter in discriminator.parameters()):
        raise Skipped("the discriminator has nothing to train")


def check_unbounded(pushed: Sequence[Sequence[Tensor]], whose: str) -> None:
    """Check that training can push scores in either direction: `pushed` are those before, half way and at the end."""
    advice = "leave the final sigmoid (or tanh) away, losses take raw scores"
    beyond = any(not (scores.abs() <= 1).all() for way in pushed for scores in way)
    require(beyond, f"scores{whose} never leave [-1, 1]: {advice}")
    for start, half, end in pushed:
        stopped = (end - half).abs().max() <= SATURATION * (half - start).abs().max()
        require(not stopped, f"scores{whose} stop at {end.mean():.3g}, whatever training does: {advice}")


def push_scores(discriminator: nn.Module, step: Step, sign: int) -> list[list[Tensor]]:
    """Train all scores in one direction; return those of each judge before, half way through and at the end."""
    discriminator = copy.deepcopy(discriminator)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.05)
    found = []
    for _ in range(2 * PUSH_STEPS + 1):
        judges = split_scores(discriminator, call_network(discriminator, step.real, step.given))[0]
        found.append([scores.detach() for scores in judges])
        optimizer.zero_grad()
        torch.autograd.backward([-sign * torch.stack([scores.mean() for scores in judges]).sum()])
        optimizer.step()
    return [list(judge) for judge in zip(*found[::PUSH_STEPS], strict=True)]


def plays_in_float32(game: Game) -> None:
    """A few training steps give finite numbers."""
    check_training(game, game.make_losses, "fp32")


def plays_in_bfloat16(game: Game) -> None:
    """A few training steps under autocast give finite numbers."""
    check_bfloat16(game, game.make_losses)


def scores_can_be_differentiated_twice(game: Game) -> None:
    """Scores have a gradient of a gradient, which gradient penalties need."""
    step = make_step("discriminator", game.players(), game.full_batch())
    reason = "the scores cannot be differentiated twice, which gradient penalties do"
    refuse_dummy(step.discriminator)
    try:
        torch.autograd.backward([gradient_penalty(step)])
    except (RuntimeError, Failed) as error:
        raise AssertionError(f"{reason}: {describe_error(error)}") from error
    gradients = [parameter.grad for parameter in step.discriminator.parameters() if parameter.grad is not None]
    require(gradients, f"{reason}: no parameter gets a gradient")
    require(all(gradient.isfinite().all() for gradient in gradients), f"{reason}: a gradient is not finite")


def state_survives_save_and_restore(game: Game) -> None:
    """A resumed training continues as if it had never stopped."""
    check_resume(game, game.make_losses)


def in_both_modes(game: Game, players: Players) -> Iterator[str]:
    """Put both networks into `train()`, and then, when their statistics have settled, into `eval()`."""
    set_mode(players, training=True)
    yield "train"
    set_mode(warm_up(game, players), training=False)
    yield "eval"


def set_mode(players: Players, training: bool) -> Players:
    """Put both networks into `train()` or `eval()`, and return them."""
    return players[0].train(training), players[1].train(training)


CHECKS: tuple[Callable[[Game], str | None], ...] = (
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
