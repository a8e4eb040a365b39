"""What every architecture promises, each as a function of the `Game` in which it is checked."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganzoo._outputs import split_scores
from ganzoo.contract import Step
from ganzoo.engine.checks import check_fit, check_players
from ganzoo.errors import BadInput, Failed
from ganzoo.testing.check import Skipped, Unplayable, describe_error, prefix_failures, require
from ganzoo.testing.games import Game, Players
from ganzoo.testing.sampling import (
    SAMPLE_TOLERANCE,
    same_seed_same_latents,
    same_seed_same_sample,
    samples_do_not_depend_on_batch_mates,
    weights_survive_safetensors,
)
from ganzoo.testing.toys import NonSaturating
from ganzoo.testing.turns import (
    call_network,
    check_resume,
    check_training,
    freeze_other_side,
    gradient_penalty,
    images_by_key,
    make_step,
    perturb,
)

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
        players, batch = game.players(with_classes=False), game.batch()
    except (BadInput, Skipped):
        return  # it says that it needs classes, or other batches
    if not any("label" in getattr(player, "needs", ()) for player in players):
        batch.pop("label", None)
    with prefix_failures("without classes"):
        network_outputs(make_step("discriminator", players, batch))


def fakes_are_like_the_data(game: Game) -> None:
    """Fakes have the keys, shapes and types of the real images, and lie in [-1, 1]."""
    batch = game.batch()

    def check_fakes(players: Players) -> None:
        for training in (True, False):
            step = make_step("discriminator", set_mode(players, training), batch)
            check_fit(step)
            fakes = images_by_key(step.generator, step.fake)
            for key in images_by_key(step.generator, step.real):
                check_like(key, fakes.get(key), batch[key])
        check_range(step)

    game.for_each_variant(check_fakes)


def check_like(key: str, fake: object, real: Tensor) -> None:
    """Check that what a generator makes has the shape, type and range of real data."""
    if not isinstance(fake, Tensor):
        raise AssertionError(f"the generator's '{key}' is a {type(fake).__name__}, not a tensor")
    shapes = f"{tuple(fake.shape)}, the data's has {tuple(real.shape)}"
    require(fake.shape == real.shape, f"the generator's '{key}' has the shape {shapes}")
    require(fake.dtype == real.dtype, f"the generator's '{key}' is {fake.dtype}, the data's is {real.dtype}")
    if key == "image":
        largest = fake.nan_to_num().abs().max().item()
        message = f"images reach {largest:.3g}, they must lie in [-1, 1]: end with a tanh"
        require(largest <= 1 + SAMPLE_TOLERANCE, message)


def check_range(step: Step) -> None:
    """Check that images fill [-1, 1] and stay inside even for latents that are far too large."""
    large = {key: 100 * value if value.is_floating_point() else value for key, value in step.latent.items()}
    images = images_by_key(step.generator, step.generate(step.given | large)).get("image")
    if images is None:
        return
    advice = "the data lie in [-1, 1]: end with a tanh"
    inside = images.nan_to_num().abs().max().item() <= 1 + SAMPLE_TOLERANCE
    require(inside, f"large latents give images outside that, {advice}")
    require(images.isnan().any() or images.min() < 0, f"no pixel is ever below 0, {advice}")


def everything_is_finite(game: Game) -> None:
    """Fakes, scores and extras are finite in `train()` and in `eval()`."""

    def check_finite(players: Players) -> None:
        for training in (True, False):
            step = make_step("discriminator", set_mode(players, training), game.batch())
            for name, tensor in network_outputs(step).items():
                mode = "train" if training else "eval"
                require(tensor.isfinite().all(), f"{name} has a value that is not finite in {mode}()")

    game.for_each_variant(check_finite)


def network_outputs(step: Step) -> dict[str, Tensor]:
    """Return every tensor that the networks of a step give, by its name in a sentence."""
    outputs = {f"the generator's '{key}'": value for key, value in images_by_key(step.generator, step.fake).items()}
    outputs |= {"a real score": step.real_scores, "a fake score": step.fake_scores}
    outputs |= {f"the real extra '{key}'": value for key, value in step.real_extras.items()}
    return outputs | {f"the fake extra '{key}'": value for key, value in step.fake_extras.items()}


def gradient_reaches_the_generator(game: Game) -> None:
    """On its turn all of its parameters get a gradient from scores and extras, and none of the discriminator's does."""
    game.for_each_variant(lambda players: check_gradient("generator", players, game.batch()))


def gradient_reaches_the_discriminator(game: Game) -> None:
    """On its turn all of its parameters get a gradient from scores and extras, and none of the generator's does."""
    game.for_each_variant(lambda players: check_gradient("discriminator", players, game.batch()))


def check_gradient(turn: str, players: Players, batch: dict[str, Tensor]) -> None:
    """Check that the gradient of a turn reaches its side; parameters that start at zero get a second try elsewhere."""
    without = parameters_without_gradient(turn, players, batch)
    if without:
        perturb(players)
        without = parameters_without_gradient(turn, players, batch)
    if without:
        advice = "remove what is not used, and detach nothing on the way"
        raise AssertionError(f"no gradient reaches the {turn}'s '{without[0]}' on its turn: {advice}")


def parameters_without_gradient(turn: str, players: Players, batch: dict[str, Tensor]) -> list[str]:
    """Return the trainable parameters of the side whose turn it is that get no gradient."""
    step = make_step(turn, players, batch)
    own, other = freeze_other_side(step)
    own.zero_grad()
    outputs = [value for value in trainable_outputs(step) if value.requires_grad]
    if outputs:
        torch.autograd.backward([(value * torch.randn_like(value)).sum() for value in outputs])
    reached = any(parameter.grad is not None for parameter in other.parameters())
    require(not reached, f"on the {turn}'s turn a gradient reaches the other side")
    trained = [(name, parameter) for name, parameter in own.named_parameters() if parameter.requires_grad]
    return [name for name, parameter in trained if parameter.grad is None or not parameter.grad.any()]


def trainable_outputs(step: Step) -> list[Tensor]:
    """Return all of which a loss could make terms on a turn: scores, extras, and outputs that are not fakes."""
    if step.turn == "discriminator":
        return [step.real_scores, step.fake_scores, *step.real_extras.values(), *step.fake_extras.values()]
    makes = images_by_key(step.generator, step.real)
    further = [value for key, value in images_by_key(step.generator, step.fake).items() if key not in makes]
    return [step.fake_scores, *step.fake_extras.values(), *further]


def scores_are_raw(game: Game) -> None:
    """Scores are unbounded: losses expect that there is no sigmoid or tanh at the end."""
    players = set_mode(game.players(), training=False)
    step = make_step("discriminator", players, game.batch())
    pushed = [push_scores(players[1], step, sign) for sign in (1, -1)]
    advice = "leave the final sigmoid (or tanh) away, losses take raw scores"
    beyond = any(not (scores.abs() <= 1).all() for way in pushed for scores in way)
    require(beyond, f"scores never leave [-1, 1]: {advice}")
    for start, half, end in pushed:
        stopped = (end - half).abs().max() <= SATURATION * (half - start).abs().max()
        require(not stopped, f"scores stop at {end.mean():.3g}, whatever training does: {advice}")


def push_scores(discriminator: nn.Module, step: Step, sign: int) -> list[Tensor]:
    """Train scores in one direction, and return them before, half way through and at the end."""
    discriminator = copy.deepcopy(discriminator)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.05)
    found = []
    for _ in range(2 * PUSH_STEPS + 1):
        judgement = call_network(discriminator, step.real, step.given)
        scores = torch.cat([scores.flatten() for scores in split_scores(discriminator, judgement)[0]])
        found.append(scores.detach())
        optimizer.zero_grad()
        torch.autograd.backward([-sign * scores.mean()])
        optimizer.step()
    return found[::PUSH_STEPS]


def plays_in_float32(game: Game) -> None:
    """A few training steps give finite numbers."""
    check_training(game, lambda: [NonSaturating()], "fp32")


def plays_in_bfloat16(game: Game) -> None:
    """A few training steps under autocast give finite numbers."""
    check_training(game, lambda: [NonSaturating()], "bf16")


def scores_can_be_differentiated_twice(game: Game) -> None:
    """Scores have a gradient of a gradient, which gradient penalties need."""
    step = make_step("discriminator", game.players(), game.batch())
    reason = "the scores cannot be differentiated twice, which gradient penalties do"
    try:
        torch.autograd.backward([gradient_penalty(step)])
    except (RuntimeError, Failed) as error:
        raise AssertionError(f"{reason}: {describe_error(error)}") from error
    gradients = [parameter.grad for parameter in step.discriminator.parameters() if parameter.grad is not None]
    require(gradients, f"{reason}: no parameter gets a gradient")
    require(all(gradient.isfinite().all() for gradient in gradients), f"{reason}: a gradient is not finite")


def state_survives_save_and_restore(game: Game) -> None:
    """A resumed training continues as if it had never stopped."""
    check_resume(game, lambda: [NonSaturating()])


def set_mode(players: Players, training: bool) -> Players:
    """Put both networks into `train()` or `eval()`, and return them."""
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
