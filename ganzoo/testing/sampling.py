"""What every generator promises of its samples, each as a function of the `Game` in which it is checked."""

import torch
from safetensors.torch import load as tensors_from_bytes
from torch import Tensor

from ganzoo._seeds import make_rng
from ganzoo.contract import Generator
from ganzoo.testing.check import require
from ganzoo.testing.games import COUNT, Game
from ganzoo.testing.turns import by_key, call, shake
from ganzoo.zoo.config import CheckedData
from ganzoo.zoo.sampling import BLOCK, concatenate, draw
from ganzoo.zoo.weights import build_with_weights, serialize_weights

CLOSE = 1e-5
"""How far two images may lie apart that are meant to be the same, in units of their range from -1 to 1."""
MIXED = [0, COUNT + 1, COUNT + 2, 3, COUNT + 4, 5, 6, COUNT + 7]
"""Rows of one batch and, from `COUNT` on, of another: pairs, halves and every other row hold some of both."""


def same_seed_same_latents(game: Game) -> None:
    """`latent` draws from the `rng` it is given, on the CPU, and from nothing else."""
    generator, _ = game.players()
    first = latents(generator, seed=0, elsewhere=0)
    for key, value in first.items():
        require(isinstance(value, Tensor), f"the latent '{key}' is a {type(value).__name__}, not a tensor")
        require(value.device.type == "cpu", f"the latent '{key}' is on {value.device}: draw on the CPU")
        require(value.shape[:1] == (COUNT,), f"the latent '{key}' of {COUNT} samples has shape {tuple(value.shape)}")
    again, other = latents(generator, seed=0, elsewhere=1), latents(generator, seed=1, elsewhere=0)
    told = "latent gives other numbers for an equal rng: draw from the rng that it is given, and from nothing else"
    require(all(value.equal(again[key]) for key, value in first.items()), told)
    drawn = [key for key, value in first.items() if not value.equal(other[key])]
    require(drawn or not first, "latent gives the same numbers for every rng: draw from the rng that it is given")
    many = generator.latent(BLOCK, make_rng(0))
    for key in drawn:
        told = f"latent gives every sample the same '{key}': draw numbers for each"
        require(not many[key].is_floating_point() or differ(many[key]), told)


def differ(samples: Tensor) -> bool:
    """Whether not all samples are the same."""
    return not samples.equal(samples[:1].expand_as(samples))


def latents(generator: Generator, seed: int, elsewhere: int) -> dict[str, Tensor]:
    """Latents from a seeded generator while torch's global one is at `elsewhere`."""
    torch.manual_seed(elsewhere)
    return generator.latent(COUNT, make_rng(seed))


def same_seed_same_sample(game: Game) -> None:
    """The same images for the same seed, however many are asked for, and other ones for another seed."""
    generator = trained_generator(game)
    many, again, few, other = (samples(game, generator, *n) for n in ((BLOCK,), (BLOCK,), (COUNT,), (BLOCK, 1)))
    require(alike(many, again), "sampling twice with one seed gives other images: forward has a memory of its own")
    if not draws_noise(game, generator):
        told = f"the first {COUNT} of {BLOCK} samples are not those of a sample of {COUNT}: they depend on the batch"
        require(alike({key: value[:COUNT] for key, value in many.items()}, few), told)
    drawn = generator.latent(1, make_rng("drawn"))
    require(
        not drawn or not equal(many, other),
        "another seed gives the same images: forward does not use what latent draws",
    )
    told = "all samples are the same: forward does not use what latent draws for each"
    require(not drawn or any(map(differ, many.values())), told)


def samples(game: Game, generator: Generator, n: int, seed: int = 0) -> dict[str, Tensor]:
    """`n` samples as the package draws them."""
    fixed = {key: value[:n] for key, value in game.needed(generator, 0, BLOCK).items()}
    drawn = draw(generator, n, seed, torch.device("cpu"), fixed)
    return by_key(generator, concatenate([made for made, _ in drawn]))


def draws_noise(game: Game, generator: Generator) -> bool:
    """Whether `forward` draws random numbers of its own from torch."""
    given = game.given(generator)
    return not equal(*(made(generator, given, elsewhere) for elsewhere in (0, 1)))


def made(generator: Generator, given: dict[str, Tensor], elsewhere: int = 0) -> dict[str, Tensor]:
    """What a generator makes while torch's global random generator is at `elsewhere`."""
    torch.manual_seed(elsewhere)
    before = {key: value.clone() for key, value in given.items()}
    with torch.no_grad():
        images = by_key(generator, call(generator, given))
    changed = [key for key, value in before.items() if not value.equal(given[key])]
    require(not changed, f"forward changes what it is given ({', '.join(changed)}): work on copies")
    return images


def samples_do_not_depend_on_batch_mates(game: Game) -> None:
    """In `eval()`, once training has moved whatever it moves."""
    generator = trained_generator(game)
    given, other = game.given(generator, 0), game.given(generator, 1)
    together = made(generator, mix_batches(given, other))
    alone = mix_batches(made(generator, given), made(generator, other))
    told = "a sample in eval() depends on the others of its batch, as with statistics over the batch"
    require(alike(alone, together), f"{told}: use running ones in eval()")


def mix_batches(first: dict[str, Tensor], second: dict[str, Tensor]) -> dict[str, Tensor]:
    """Some samples of each, every one in its own row."""
    return {key: torch.cat([value, second[key]])[MIXED] for key, value in first.items()}


def weights_survive_safetensors(game: Game) -> None:
    """A new generator with the saved weights makes the same samples: there is no state beside them."""
    generator = trained_generator(game)
    weights = tensors_from_bytes(serialize_weights(generator))
    torch.manual_seed(1)  # what a constructor draws must not happen to be the same
    facts = CheckedData.model_validate(game.description).facts
    copied = build_with_weights(game.parts().generator, facts, weights).eval()
    for name, tensor in generator.state_dict().items():
        require(tensor.equal(copied.state_dict()[name]), f"'{name}' is not what it was after saving and loading")
    given = game.given(generator)
    told = "a new generator with the same weights makes other samples: keep all of its state in parameters and buffers"
    require(equal(made(generator, given), made(copied, given)), told)


def trained_generator(game: Game) -> Generator:
    """A generator in `eval()` with other weights and statistics than those it was built with."""
    players = game.players()
    shake(players)
    generator = players[0].train()
    for seed in range(3):
        made(generator, game.given(generator, seed))
    return generator.eval()


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two samples are the same to the last bit."""
    return all(value.equal(second[key]) for key, value in first.items())


def alike(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two samples are the same but for rounding; where images hardly differ, less counts."""
    return all(
        value.shape == second[key].shape
        and (value - second[key]).abs().max().item() <= min(CLOSE, 1e-3 * value.float().std().item())
        for key, value in first.items()
    )
