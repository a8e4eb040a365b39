"""Turns and short trainings of a game, played as the engine plays them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ganzoo._faults import call_plugin, network_name
from ganzoo._seeds import make_rng
from ganzoo.contract import Generator, Images, Loss, Step, batch_length
from ganzoo.engine.checks import eval_mode
from ganzoo.engine.hardware import Hardware, map_tensors
from ganzoo.engine.scheduled import Scheduled
from ganzoo.errors import Error
from ganzoo.testing.check import Skipped, require
from ganzoo.testing.games import Game, Players
from ganzoo.training.runs import snapshot

T = TypeVar("T")

WARM_UP = 8
"""Forward passes of a training after which the power iteration of spectral norm has settled."""
HARDWARE = Hardware("cpu", "fp32", channels_last=False)


def make_step(turn: str, players: Players, batch: dict[str, Tensor], losses: Sequence[Scheduled] = ()) -> Step:
    """Return one turn of the game, in float32."""
    generator, discriminator = players
    return Step(
        turn,
        0,
        batch,
        call_plugin(network_name(generator), generator.latent, batch_length(batch), make_rng("latent", 0)),
        generator=generator,
        discriminator=discriminator,
        call=call_network,
        rng=make_rng("step"),
        views=[loss.view for loss in losses],
    )


def call_network(network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
    """Run a network; the message of what it raises begins with its name."""
    return call_plugin(network_name(network), HARDWARE.call, network, *inputs, twice=twice)


def freeze_other_side(step: Step) -> tuple[nn.Module, nn.Module]:
    """Return the network whose turn it is and the other one, which is frozen from here on."""
    if step.turn == "generator":
        return step.generator, step.discriminator.requires_grad_(False)
    return step.discriminator, step.generator.requires_grad_(False)


def gradient_penalty(step: Step) -> Tensor:
    """Return the squared gradient of the scores with respect to the real images, itself differentiable."""
    images = map_tensors(lambda image: image.detach().requires_grad_(image.is_floating_point()), step.real)
    # Without trained weights torch takes the result of a once_differentiable function for a constant.
    scores = [step.score(images, step.batch, twice=True) for _ in step._judges.each()]
    weighted = torch.stack([(each * torch.ones_like(each).requires_grad_()).sum() for each in scores]).sum()
    inputs = [image for image in images_by_key(step.generator, images).values() if image.requires_grad]
    gradients = torch.autograd.grad(weighted, inputs, create_graph=True, allow_unused=len(inputs) > 1)
    return torch.stack([gradient.square().sum() for gradient in gradients if gradient is not None]).sum()


def set_up(loss: Scheduled, players: Players, batch: dict[str, Tensor]) -> None:
    """Set a loss up as the engine does before training. Raises `BadInput` where it refuses the game."""
    step = make_step("discriminator", players, batch, [loss])
    loss.loss.eval().requires_grad_(False)
    with torch.no_grad(), eval_mode(players):
        loss.call("setup", step)
    loss.loss.eval().requires_grad_(False)


Losses = Callable[[], Sequence[Loss | Scheduled]]
"""Makes the losses of a training anew."""


def check_training(game: Game, make_losses: Losses, precision: str) -> None:
    """Check that a few training steps in a precision give finite numbers; raise `Diverged` where they do not."""
    engine = game.make_engine(make_losses(), precision)
    engine.run([game.batch(0), game.batch(1)], steps=game.steps)
    engine.check()


def check_bfloat16(game: Game, make_losses: Losses) -> None:
    """Check a few training steps under autocast. Raises `Skipped` where an operation has no bfloat16 at all here."""
    try:
        check_training(game, make_losses, "bf16")
    except Error as error:
        if "not implemented for 'BFloat16'" not in str(error):
            raise
        reason = " ".join(str(error).split())
        raise Skipped(f"{reason}: trainings with train.precision = 'auto' take fp32 here") from error


def check_resume(game: Game, make_losses: Losses) -> None:
    """Check that a training that is saved and restored goes on as without it, to the last bit."""
    first, second = game.make_engine(make_losses()), game.make_engine(make_losses())
    half = (game.steps + 1) // 2
    batches = [game.batch(seed) for seed in range(2 * half * first.train.critic_steps)]
    stream = iter(batches)
    first.run(stream, steps=half)
    state = snapshot.capture(first)
    # Step by step, since the first term that differs shows best what was forgotten.
    expected = [first.run(stream, steps=1) for _ in range(half)]
    second.prepare(batches[0])
    snapshot.restore(second, state)
    advice = "is another after a resume than without it: keep whatever changes in training in buffers, which are saved"
    stream = iter(batches[half * first.train.critic_steps :])
    for terms in expected:
        resumed = second.run(stream, steps=1)
        for name, value in terms.items():
            require(resumed.get(name) == value, f"the term '{name}' {advice}")
    tensors = snapshot.collect_module_tensors(second)
    for name, tensor in snapshot.collect_module_tensors(first).items():
        require(tensor.equal(tensors[name]), f"'{name}' {advice}")


@torch.no_grad()
def warm_up(game: Game, players: Players) -> Players:
    """Let statistics that a training moves settle, such as those of spectral norm, and return the players."""
    for seed in range(WARM_UP):
        step = make_step("discriminator", (players[0].train(), players[1].train()), game.full_batch(seed))
        _ = step.real_scores, step.fake
    return players


def all_scores(step: Step, which: str) -> list[Tensor]:
    """Return the scores of every judge, "real_scores" or "fake_scores"."""
    found: list[Tensor] = [getattr(step, which) for _ in step._judges.each()]
    return found


@torch.no_grad()
def perturb(players: Players) -> None:
    """Move every parameter a little, so that nothing is exactly zero."""
    for player in players:
        for parameter in player.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))


def images_by_key(generator: Generator, images: Images) -> dict[str, Tensor]:
    """Return images by the key of a batch that they imitate."""
    return images if isinstance(images, dict) else {str(generator.makes): images}
