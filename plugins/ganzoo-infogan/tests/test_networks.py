import re

import pytest
import torch

from ganzoo_infogan.networks import Discriminator, Generator

SIZES = [(16, 16), (28, 28), (32, 32), (64, 64), (16, 48), (36, 20)]
CODES = {"codes": 7, "continuous": 3}


def networks(size=(28, 28), channels=1, **options):
    return [side(image=(channels, *size), **options) for side in (Generator, Discriminator)]


def drawn(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


def settled(generator):
    """In `eval()`, with batch norm's averages as a batch of its own images has them."""
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    generator(drawn(64, generator))
    return generator.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_have_the_shape_of_the_data_and_scores_and_guesses_that_of_the_codes(size, channels):
    generator, discriminator = networks(size, channels, width=2, **CODES)
    images = generator(drawn(4, generator))
    assert images.shape == (4, channels, *size)
    assert images.std() > 0 and images.abs().max() <= 1
    scores, guesses = discriminator.eval()(1e10 * images, {})
    assert scores.shape == (4,)
    assert scores.abs().max() > 1
    assert {key: tuple(guess.shape) for key, guess in guesses.items()} == {
        "code": (4, 7), "c1": (4,), "c2": (4,), "c3": (4,)
    }  # fmt: skip


def test_the_latent_holds_noise_a_code_and_a_number_between_minus_one_and_one_for_each_continuous_code():
    given = drawn(1000, Generator(image=(1, 28, 28), width=2, latent_size=5, **CODES))
    assert list(given) == ["z", "code", "c1", "c2", "c3"]
    assert given["z"].shape == (1000, 5)
    assert sorted(set(given["code"].tolist())) == list(range(7))
    for key in ("c1", "c2", "c3"):
        assert given[key].shape == (1000,)
        assert -1 <= given[key].min() < -0.99 and 0.99 < given[key].max() <= 1
    assert not torch.equal(given["c1"], given["c2"])


@pytest.mark.parametrize("key, value", [("code", 6), ("c1", 0.5), ("c3", -1.0)])
@torch.no_grad()
def test_each_code_changes_the_image_by_itself(key, value):
    torch.manual_seed(0)
    generator = settled(networks(width=4, **CODES)[0])
    given = drawn(1, generator) | {"code": torch.tensor([2])}
    other = given | {key: torch.tensor([value])}
    assert (generator(given) - generator(other)).abs().max() > 1e-3


@torch.no_grad()
def test_guesses_and_scores_come_from_the_same_features():
    torch.manual_seed(0)
    discriminator = networks(width=4, **CODES)[1].double().eval()
    images = torch.randn(5, 1, 28, 28, dtype=torch.float64)
    scores, guesses = discriminator(images, {})
    features = discriminator.body(images)
    torch.testing.assert_close(scores, features @ discriminator.judge[0].weight[0], rtol=0, atol=1e-12)
    both = torch.cat([guesses["code"], *(guesses[key][:, None] for key in ("c1", "c2", "c3"))], 1)
    torch.testing.assert_close(both, discriminator.guess(features), rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_gradient_of_scores_and_guesses_reaches_every_parameter(batch_norm):
    generator = Generator(image=(3, 28, 28), width=4, **CODES)
    discriminator = Discriminator(image=(3, 28, 28), width=4, batch_norm=batch_norm, **CODES)
    scores, guesses = discriminator(generator(drawn(64, generator)), {})
    sum((value * torch.randn_like(value)).sum() for value in (scores, *guesses.values())).backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        # A bias that cancels in the next layer's batch norm has none but rounding.
        if not (batch_norm and name == "guess.0.bias"):
            assert parameter.grad.abs().sum() > 0, name


def test_without_continuous_codes_there_is_the_categorical_one_alone():
    generator, discriminator = networks(width=2, continuous=0)
    given = drawn(4, generator)
    assert list(given) == ["z", "code"]
    assert list(discriminator(generator(given), given)[1]) == ["code"]


def test_channels_double_inwards_up_to_max_width():
    for side in networks((64, 64), width=4, max_width=16):
        weights = [
            module.weight.shape for module in side.modules() if isinstance(module, torch.nn.modules.conv._ConvNd)
        ]
        assert sorted({count for shape in weights for count in shape[:2]}) == [1, 4, 8, 16]


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize("size, nearest", [((8, 8), 16), ((14, 16), 16), ((64, 30), [64, 32])], ids=str)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(side, size, nearest):
    allowed = "images must be multiples of 4 pixels from 16 up, high and wide"
    with pytest.raises(
        ValueError, match=f"^{allowed}, got {size[0]} x {size[1]}; .*, data.size = {re.escape(str(nearest))}$"
    ):
        side(image=(1, *size))


@pytest.mark.parametrize(
    "side, options, sentence",
    [
        (Generator, {"latent_size": 0}, "latent_size must be at least 1, got 0"),
        (Generator, {"codes": 1}, "codes must be at least 2 and continuous at least 0, got 1 and 2"),
        (Discriminator, {"continuous": -1}, "codes must be at least 2 and continuous at least 0, got 10 and -1"),
        (Generator, {"width": 0}, r"width must be at least 1 and at most max_width \(512\), got 0"),
        (Discriminator, {"width": 8, "max_width": 4}, r"width must be at least 1 and at most max_width \(4\), got 8"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 28, 28), **options)
