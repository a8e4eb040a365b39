"""Turns and short trainings of a game, played as the engine plays them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo._faults import call_plugin, network_name
from ganzoo._seeds import make_rng
from ganzoo.contract import Generator, Loss, Step, batch_length
from ganzoo.engine.checks import eval_mode
from ganzoo.engine.hardware import Hardware, map_tensors
from ganzoo.engine.loop import Engine
from ganzoo.engine.scheduled import Scheduled
from ganzoo.testing.check import require
from ganzoo.testing.games import Game, Players
from ganzoo.training import checkpoint

HARDWARE = Hardware("cpu", "fp32", channels_last=False)


def turn_of(turn: str, players: Players, batch: dict[str, Tensor], losses: Sequence[Scheduled] = ()) -> Step:
    """A turn of the game, in float32."""
    generator, discriminator = players
    return Step(
        turn,
        0,
        batch,
        call_plugin(network_name(generator), generator.latent, batch_length(batch), make_rng("latent", 0)),
        generator=generator,
        discriminator=discriminator,
        call=call,
        rng=make_rng("step"),
        views=[partial(use.call, "view") for use in losses],
    )


def call(network: nn.Module, *inputs: Any, twice: bool = False) -> Any:
    """Run a network; what it raises comes with its name."""
    return call_plugin(network_name(network), HARDWARE.call, network, *inputs, twice=twice)


def sides_of(step: Step) -> tuple[nn.Module, nn.Module]:
    """The side whose turn it is, and the other one, which is frozen from here on."""
    own, other = step.generator, step.discriminator
    if step.turn == "discriminator":
        own, other = other, own
    return own, other.requires_grad_(False)


def penalty(step: Step) -> Tensor:
    """The squared gradient of the scores with respect to the real images, itself differentiable."""
    images = map_tensors(lambda image: image.detach().requires_grad_(image.is_floating_point()), step.real)
    scores = step.score(images, step.batch, twice=True)
    # Without weights that are trained torch takes what is once_differentiable at the end for a constant.
    weighted = (scores * torch.ones_like(scores).requires_grad_()).sum()
    wanted = [image for image in by_key(step.generator, images).values() if image.requires_grad]
    return sum(each.square().sum() for each in torch.autograd.grad(weighted, wanted, create_graph=True))


def set_up(use: Scheduled, players: Players, batch: dict[str, Tensor]) -> None:
    """What the engine does with a loss before training. Raises `BadInput` where it refuses the game."""
    step = turn_of("discriminator", players, batch, [use])
    use.loss.eval().requires_grad_(False)
    with torch.no_grad(), eval_mode(players):
        use.call("setup", step)
    use.loss.eval().requires_grad_(False)


def engine_of(players: Players, losses: Sequence[Loss | Scheduled], precision: str = "fp32") -> Engine:
    """An engine on the CPU."""
    return Engine(*players, losses, train={"precision": precision}, device="cpu")


def plays(game: Game, make_losses: Callable[[], list[Any]], precision: str) -> None:
    """Whether a few training steps in a precision give finite numbers; else `Diverged`."""
    engine = engine_of(game.players(), make_losses(), precision)
    engine.run([game.batch(0), game.batch(1)], steps=3)
    engine.check()


def resumes(game: Game, make_losses: Callable[[], list[Any]]) -> None:
    """Whether a training that is saved and restored goes on as if nothing had happened, to the last bit."""
    batches = [game.batch(seed) for seed in range(6)]
    first, second = engine_of(game.players(), make_losses()), engine_of(game.players(), make_losses())
    first.run(batches[:3], steps=3)
    state = checkpoint.capture(first)
    # One by one, since the first term that differs tells best what was forgotten.
    wanted = [first.run([batch], steps=1) for batch in batches[3:]]
    second.prepare(batches[0])
    checkpoint.restore(second, state)
    said = "is another after a resume than without it: keep whatever changes in training in buffers, which are saved"
    for batch, terms in zip(batches[3:], wanted, strict=True):
        again = second.run([batch], steps=1)
        for name, value in terms.items():
            require(again.get(name) == value, f"the term '{name}' {said}")
    after = checkpoint.modules(second)
    for name, tensor in checkpoint.modules(first).items():
        require(tensor.equal(after[name]), f"'{name}' {said}")


@torch.no_grad()
def shake(players: Players) -> None:
    """Move every parameter a little, so that nothing is exactly zero."""
    for player in players:
        for parameter in player.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))


def by_key(generator: Generator, images: Any) -> dict[str, Tensor]:
    """Images by the key of a batch that they imitate."""
    return images if isinstance(images, dict) else {generator.makes: images}
