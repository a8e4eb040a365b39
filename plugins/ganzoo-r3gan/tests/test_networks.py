import re

import pytest
import torch
from torch import nn

from ganzoo_r3gan.blocks import Residual
from ganzoo_r3gan.networks import Discriminator, Generator

SIZES = [(16, 16), (28, 28), (32, 32), (64, 64), (128, 128), (256, 256), (32, 64), (128, 32), (48, 64)]
TINY = {"width": 2, "max_width": 4, "blocks": 1, "group_size": 2}


def noise(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


def trained(network):
    """The network with weights that are no longer those of its beginning, at which blocks are the identity."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("channels, size", [(1 + place % 4, size) for place, size in enumerate(SIZES)], ids=str)
def test_images_of_every_size_are_made_and_judged(size, channels):
    image = (channels, *size)
    generator, discriminator = trained(Generator(image=image, **TINY)), trained(Discriminator(image=image, **TINY))
    images = generator(noise(3, generator))
    assert images.shape == (3, *image)
    assert images.std() > 0
    scores = discriminator(images, {})
    assert scores.shape == (3,)
    assert scores.std() > 0
    assert (discriminator(1e20 * images, {}).abs() > 1).all()


def test_maps_have_the_sizes_and_widths_of_their_stages():
    generator = Generator(image=(3, 32, 64), width=32, max_width=96)
    blocks = [block.widen.in_channels for block in generator.modules() if isinstance(block, Residual)]
    assert blocks == [96, 96, 96, 96, 64, 64, 32, 32]  # 4 x 8, 8 x 16, 16 x 32, 32 x 64
    assert generator.basis.map.shape == (96, 4, 8)
    discriminator = Discriminator(image=(3, 32, 64), width=32, max_width=96)
    assert [b.widen.in_channels for b in discriminator.modules() if isinstance(b, Residual)] == blocks[::-1]
    assert discriminator.head.pool.weight.shape == (96, 1, 4, 8)


def test_the_paper_has_three_by_three_convolutions_of_twice_the_width_in_groups_of_16():
    block = next(m for m in Generator(image=(3, 32, 32), width=768, max_width=768).modules() if isinstance(m, Residual))
    assert (block.mix.in_channels, block.mix.out_channels, block.mix.groups) == (1536, 1536, 96)


@pytest.mark.parametrize("side", [Generator, Discriminator])
def test_there_is_no_normalisation(side):
    kinds = {type(module).__name__ for module in side(image=(3, 32, 32)).modules()}
    assert {kind for kind in kinds if "Norm" in kind} == set()


@pytest.mark.parametrize("conditional", [False, True])
def test_with_colours_an_image_mixes_as_many_as_it_has(conditional):
    generator = trained(Generator(image=(3, 32, 48), classes=3, conditional=conditional, colours=2, **TINY))
    images = generator(noise(5, generator) | ({"label": torch.tensor([0, 1, 2, 0, 1])} if conditional else {}))
    assert images.shape == (5, 3, 32, 48)
    for image in images.detach().flatten(2):  # two colours and what lies between them are points of one line
        assert torch.linalg.matrix_rank(image - image[:, :1], rtol=1e-4) == 1


def test_each_image_is_judged_by_itself():
    discriminator = trained(Discriminator(image=(1, 16, 16), **TINY)).double()
    images = torch.randn(6, 1, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(discriminator(images, {})[:2], discriminator(images[:2], {}))


CONDITIONAL = {"image": (1, 16, 16), "classes": 4, "conditional": True, "embedding": 5, **TINY}


def test_a_label_changes_image_and_score():
    generator, discriminator = trained(Generator(**CONDITIONAL)), trained(Discriminator(**CONDITIONAL))
    assert generator.needs == discriminator.needs == ("label",)
    drawn = noise(64, generator)
    assert set(drawn["label"].tolist()) == {0, 1, 2, 3}
    one, other = (drawn | {"label": torch.full((64,), label)} for label in (0, 1))
    assert (generator(one) - generator(other)).abs().amax((1, 2, 3)).min() > 0
    images = generator(one)
    assert (discriminator(images, one) != discriminator(images, other)).all()


@torch.no_grad()
def test_a_conditional_score_is_a_projection_on_the_labels_embedding():
    discriminator = trained(Discriminator(**CONDITIONAL)).double()
    images, label = torch.randn(3, 1, 16, 16, dtype=torch.float64), torch.tensor([2, 0, 2])
    features = discriminator.head(discriminator.stages(discriminator.from_image(images)))
    rows = discriminator.embed.weight[label]
    expected = [sum(a * b for a, b in zip(*pair, strict=True)) / 5**0.5 for pair in zip(features, rows, strict=True)]
    torch.testing.assert_close(discriminator(images, {"label": label}), torch.stack(expected))


def test_without_the_option_labels_are_not_used():
    generator = Generator(image=(1, 16, 16), classes=4, **TINY)
    assert (generator.embed, generator.needs, dict(generator.categorical)) == (None, (), {})
    assert not any(isinstance(module, nn.Embedding) for module in Discriminator(image=(1, 16, 16), classes=4).modules())


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize("size, nearest", [((8, 8), 16), ((30, 30), 32), ((64, 30), [64, 32])], ids=str)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(side, size, nearest):
    with pytest.raises(ValueError, match=f"^images must be multiples of 4 .*, data.size = {re.escape(str(nearest))}$"):
        side(image=(1, *size))


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"width": 0}, r"width must be at least 1 and at most max_width \(128\), got 0"),
        ({"width": 256}, r"width must be at least 1 and at most max_width \(128\), got 256"),
        ({"blocks": 0}, "blocks must be at least 1, got 0"),
        ({"expansion": 0}, "expansion must be at least 1, got 0"),
        ({"group_size": 0}, "group_size must be at least 1, got 0"),
        ({"group_size": 24}, "group_size 24 does not divide the 128 x 2 channels inside a block; .*"),
        ({"conditional": True}, "conditional = true needs data with labels, .*"),
        ({"conditional": True, "classes": 3, "embedding": 0}, "embedding must be at least 1, got 0"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    if "group_size" in options and side is Discriminator:
        sentence = sentence.replace("128 x 2", "32 x 2")
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 32, 32), **options)


@pytest.mark.parametrize("colours", [1, -2])
def test_one_colour_and_fewer_are_refused(colours):
    with pytest.raises(ValueError, match=f"colours must be 0, for none, or at least 2, got {colours}"):
        Generator(image=(3, 32, 32), colours=colours)


def test_a_latent_of_no_length_is_refused():
    with pytest.raises(ValueError, match="latent_size must be at least 1, got 0"):
        Generator(image=(1, 32, 32), latent_size=0)
