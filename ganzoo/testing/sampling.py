"""What every generator promises of its samples, each as a function of the `Game` in which it is checked."""

import torch
from safetensors.torch import load as tensors_from_bytes
from torch import Tensor

from ganzoo._outputs import split_samples
from ganzoo._seeds import make_rng
from ganzoo.contract import Generator
from ganzoo.data.convert import RESERVED
from ganzoo.errors import BadInput
from ganzoo.testing.check import require
from ganzoo.testing.games import BATCH_SIZE, Game
from ganzoo.testing.turns import call_network, images_by_key, perturb
from ganzoo.zoo.sampling import BLOCK, check_ranges, concatenate, draw
from ganzoo.zoo.weights import build_with_weights, find_unsound, serialize_weights

SAMPLE_TOLERANCE = 1e-5
"""The largest difference between two images that count as the same, in units of their range from -1 to 1."""
MIXED_ROWS = [0, BATCH_SIZE + 1, BATCH_SIZE + 2, 3, BATCH_SIZE + 4, 5, 6, BATCH_SIZE + 7]
"""Rows of one batch and, from `BATCH_SIZE` on, of another: pairs, halves and every other row hold some of both."""

Samples = dict[str, Tensor]
"""Samples by the key of a batch that they imitate."""


def same_seed_same_latents(game: Game) -> None:
    """`latent` draws from the `rng` it is given, on the CPU, and from nothing else."""
    generator, _ = game.players()
    first = draw_latents(generator, seed=0, global_seed=0)
    taken = [key for key in (*first, *generator.needs) if key in RESERVED]
    require(not taken, f"no latent may be called {' or '.join(taken)}: Model.sample has parameters of that name")
    for key, value in first.items():
        check_latent(key, value)
    check_latent_ranges(generator, first)
    again = draw_latents(generator, seed=0, global_seed=1)
    other = draw_latents(generator, seed=1, global_seed=0)
    advice = "draw from the rng that it is given"
    same = all(value.equal(again[key]) for key, value in first.items())
    require(same, f"latent gives other numbers for an equal rng: {advice}, and from nothing else")
    random = [key for key, value in first.items() if not value.equal(other[key])]
    require(random or not first, f"latent gives the same numbers for every rng: {advice}")
    many = generator.latent(BLOCK, make_rng(0))
    for key in random:
        varied = not many[key].is_floating_point() or rows_differ(many[key])
        require(varied, f"latent gives every sample the same '{key}': draw numbers for each")


def check_latent(key: str, value: object) -> None:
    """Check that a latent is a tensor on the CPU with a row for each sample."""
    if not isinstance(value, Tensor):
        raise AssertionError(f"the latent '{key}' is a {type(value).__name__}, not a tensor")
    require(value.device.type == "cpu", f"the latent '{key}' is on {value.device}: draw on the CPU")
    shape = tuple(value.shape)
    require(value.shape[:1] == (BATCH_SIZE,), f"the latent '{key}' of {BATCH_SIZE} samples has shape {shape}")


def check_latent_ranges(generator: Generator, drawn: dict[str, Tensor]) -> None:
    """Check that what is drawn lies in the range that the generator states for users."""
    try:
        check_ranges(generator, drawn)
    except BadInput as error:
        raise AssertionError(f"latent draws what `ranges` does not let users fix: {error}") from error


def rows_differ(samples: Tensor) -> bool:
    """Return whether not all samples are the same."""
    return not samples.equal(samples[:1].expand_as(samples))


def draw_latents(generator: Generator, seed: int, global_seed: int) -> dict[str, Tensor]:
    """Return latents from a generator with one seed while torch's global one has another."""
    torch.manual_seed(global_seed)
    return generator.latent(BATCH_SIZE, make_rng(seed))


def same_seed_same_sample(game: Game) -> None:
    """The same seed gives the same images, however many are asked for, and another seed gives others."""
    generator = trained_generator(game)
    many, again = draw_samples(game, generator, BLOCK), draw_samples(game, generator, BLOCK)
    few, other = draw_samples(game, generator, BATCH_SIZE), draw_samples(game, generator, BLOCK, seed=1)
    require(close(many, again), "sampling twice with one seed gives other images: forward has a memory of its own")
    if not draws_noise(game, generator):
        first = {key: value[:BATCH_SIZE] for key, value in many.items()}
        reason = f"the first {BATCH_SIZE} of {BLOCK} samples are not those of a sample of {BATCH_SIZE}"
        require(close(first, few), f"{reason}: they depend on the batch")
    if not generator.latent(1, make_rng("drawn")):
        return
    advice = "forward does not use what latent draws"
    require(not equal(many, other), f"another seed gives the same images: {advice}")
    require(any(map(rows_differ, many.values())), f"all samples are the same: {advice} for each")


def draw_samples(game: Game, generator: Generator, n: int, seed: int = 0) -> Samples:
    """Return `n` samples as the package draws them."""
    fixed = {key: value[:n] for key, value in game.needed(generator, 0, BLOCK).items()}
    blocks = draw(generator, n, seed, torch.device("cpu"), fixed)
    return images_by_key(generator, concatenate([images for images, _ in blocks]))


def draws_noise(game: Game, generator: Generator) -> bool:
    """Return whether `forward` draws random numbers of its own from torch."""
    given = game.given(generator)
    return not equal(generate(generator, given, global_seed=0), generate(generator, given, global_seed=1))


def generate(generator: Generator, given: dict[str, Tensor], global_seed: int = 0) -> Samples:
    """Return what a generator makes while torch's global random generator has a seed."""
    torch.manual_seed(global_seed)
    before = {key: value.clone() for key, value in given.items()}
    with torch.no_grad():
        images = images_by_key(generator, split_samples(generator, call_network(generator, given))[0])
    changed = [key for key, value in before.items() if not value.equal(given[key])]
    require(not changed, f"forward changes what it is given ({', '.join(changed)}): work on copies")
    return images


def samples_do_not_depend_on_batch_mates(game: Game) -> None:
    """In `eval()` a sample does not depend on the others of its batch, once training has moved the statistics."""
    generator = trained_generator(game)
    given, other = game.given(generator, 0), game.given(generator, 1)
    together = generate(generator, mix_batches(given, other))
    alone = mix_batches(generate(generator, given), generate(generator, other))
    reason = "a sample in eval() depends on the others of its batch, as with statistics over the batch"
    require(close(alone, together), f"{reason}: use running ones in eval()")


def mix_batches(first: dict[str, Tensor], second: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return some samples of each, every one in its own row."""
    return {key: torch.cat([value, second[key]])[MIXED_ROWS] for key, value in first.items()}


def weights_survive_safetensors(game: Game) -> None:
    """A new generator with the saved weights makes the same samples: there is no other state."""
    generator = trained_generator(game)
    weights = tensors_from_bytes(serialize_weights(generator))
    unsound = find_unsound(generator)
    require(not unsound, f"'{unsound}' has a number that is not finite, with which no model is loaded")
    torch.manual_seed(1)  # so that what a constructor draws is not the same by chance
    copied = build_with_weights(game.resolve().generator, game.facts, weights).eval()
    loaded = copied.state_dict()
    for name, tensor in generator.state_dict().items():
        require(tensor.equal(loaded[name]), f"'{name}' is not what it was after saving and loading")
    given = game.given(generator)
    reason = "a new generator with the same weights makes other samples"
    same = equal(generate(generator, given), generate(copied, given))
    require(same, f"{reason}: keep all of its state in parameters and buffers")


def trained_generator(game: Game) -> Generator:
    """Return a generator in `eval()` whose weights and statistics are no longer those it was built with."""
    players = game.players()
    perturb(players)
    generator = players[0].train()
    for seed in range(3):
        generate(generator, game.given(generator, seed))
    return generator.eval()


def equal(first: Samples, second: Samples) -> bool:
    """Return whether two samples are the same to the last bit."""
    return all(value.equal(second[key]) for key, value in first.items())


def close(first: Samples, second: Samples) -> bool:
    """Return whether two samples are the same but for rounding; images that hardly vary get a smaller tolerance."""
    return all(
        value.shape == second[key].shape
        and (value - second[key]).abs().max().item() <= min(SAMPLE_TOLERANCE, 1e-3 * value.float().std().item())
        for key, value in first.items()
    )
