"""Sizes, channels and what is refused, for all three architectures."""

import re
from itertools import pairwise

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_resnet import biggan, sagan, sngan
from ganzoo_resnet.blocks import DownBlock, SelfAttention, UpBlock

ALL = (sngan, sagan, biggan)
TINY = {"width": 2, "max_width": 4}


def networks(module, image, **options):
    return [getattr(module, side)(image=image, **options) for side in ("Generator", "Discriminator")]


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("image", [(1, 28, 28), (3, 32, 32), (4, 16, 48), (2, 96, 64), (3, 128, 128)], ids=str)
@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_images_have_the_shape_of_the_data_and_each_gets_one_raw_score(module, image, classes):
    generator, discriminator = networks(module, image, classes=classes, **TINY)
    given = generator.latent(3, torch.Generator().manual_seed(0))
    images = generator(given)
    assert images.shape == (3, *image)
    assert images.std() > 0 and images.abs().max() <= 1
    assert discriminator(images, given).shape == (3,)
    assert ("label" in given, "label" in generator.needs, "label" in discriminator.needs) == (bool(classes),) * 3


def table(network):
    """Input and output channels of the convolutions of each block; where the size changes, with an arrow."""
    return [
        (block.conv1.in_channels, block.conv2.out_channels, isinstance(block, UpBlock) or block.halves)
        for block in network.modules()
        if isinstance(block, UpBlock | DownBlock)
    ]


def changes(*counts):
    return [(before, after, True) for before, after in pairwise(counts)]


@pytest.mark.parametrize(
    ("module", "image", "generator", "discriminator"),
    [
        (sngan, 32, changes(256, 256, 256, 256), [*changes(3, 128, 128), (128, 128, False), (128, 128, False)]),
        (sngan, 48, changes(512, 256, 128, 64), [*changes(3, 64, 128, 256, 512), (512, 1024, False)]),
        (
            sngan,
            128,
            changes(1024, 1024, 512, 256, 128, 64),
            [*changes(3, 64, 128, 256, 512, 1024), (1024, 1024, False)],
        ),
        (
            biggan,
            128,
            changes(1536, 1536, 768, 384, 192, 96),
            [*changes(3, 96, 192, 384, 768, 1536), (1536, 1536, False)],
        ),
    ],
)
def test_channels_are_those_of_the_papers_tables(module, image, generator, discriminator, monkeypatch):
    monkeypatch.setattr(module, "normalise_spectrally", lambda *_, **__: None)
    monkeypatch.setattr("ganzoo_resnet.networks.initialise", lambda *_: None)
    monkeypatch.setattr(module, "initialise", lambda *_: None)
    widths = {"Generator": (256, 256), "Discriminator": (128, 128)} if image == 32 else {}
    usual = (96, 1536) if module is biggan else (64, 1024)
    with torch.device("meta"):
        for side, expected in (("Generator", generator), ("Discriminator", discriminator)):
            width, most = widths.get(side, usual)
            network = getattr(module, side)(image=(3, image, image), width=width, max_width=most)
            assert table(network) == expected


def test_biggan_has_as_many_channels_inside_a_block_as_at_its_end_and_sngan_as_at_its_beginning():
    for module, inside in ((sngan, [4, 4, 8]), (biggan, [4, 8, 8])):
        _, discriminator = networks(module, (3, 28, 28), width=4, max_width=8)
        blocks = [block for block in discriminator.modules() if isinstance(block, DownBlock)]
        assert [block.conv1.out_channels for block in blocks[:3]] == inside


@pytest.mark.parametrize(
    ("module", "image", "attention", "side"),
    [
        (sagan, (3, 128, 128), None, 32),
        (biggan, (3, 128, 128), None, 64),
        (sagan, (3, 32, 32), None, 16),
        (biggan, (3, 32, 32), 8, 8),
        (sagan, (3, 64, 96), 16, 16),
        (sagan, (3, 32, 32), 0, None),
        (sngan, (3, 32, 32), ..., None),
    ],
)
def test_one_map_of_each_network_has_attention(module, image, attention, side):
    options = {} if attention is ... else {"attention": attention}
    generator, discriminator = networks(module, image, **options, **TINY)
    given, seen = generator.latent(2, torch.Generator()), []
    for network in (generator, discriminator):
        for layer in network.modules():
            if isinstance(layer, SelfAttention):
                layer.register_forward_hook(lambda _, inputs, __: seen.append(min(inputs[0].shape[2:])))
    discriminator(generator(given), given)
    assert seen == ([side] * 2 if side else [])


@pytest.mark.parametrize(
    ("module", "generator", "embeddings"), [(sngan, False, True), (sagan, True, True), (biggan, True, True)]
)
def test_spectral_norm_is_where_the_papers_have_it(module, generator, embeddings):
    sides = networks(module, (3, 16, 16), classes=3, **TINY)
    for network, everywhere in zip(sides, (generator, True), strict=True):
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        assert {hasattr(layer, "parametrizations") for layer in layers} == {everywhere}
    assert hasattr(sides[1].head.embed, "parametrizations") is embeddings


def test_data_without_labels_make_the_networks_unconditional_and_other_heads_say_that_they_need_them():
    generator, discriminator = networks(biggan, (3, 16, 16), **TINY)
    assert list(generator.latent(2, torch.Generator())) == ["z", "truncation"]
    assert not generator.categorical and not discriminator.needs
    for side in ("Generator", "Discriminator"):
        with pytest.raises(ValueError, match=r"^head 'ac' needs data with labels, and these have none; head = 'none'"):
            getattr(biggan, side)(image=(3, 16, 16), head="ac")


@pytest.mark.parametrize("side", ["Generator", "Discriminator"])
@pytest.mark.parametrize(
    ("module", "image", "options", "sentence"),
    [
        (
            sngan,
            (8, 8),
            {},
            "multiples of 4 pixels, high and wide, and 16 or more, got 8 x 8; the nearest is 16 x 16, ",
        ),
        (sagan, (36, 36), {}, "multiples of 8 pixels, .*, got 36 x 36; the nearest is 32 x 32, data.size = 32"),
        (biggan, (64, 100), {}, r"got 64 x 100; the nearest is 64 x 96, data.size = \[64, 96\]"),
        (biggan, (126, 144), {}, r"got 126 x 144; the nearest is 128 x 128, data.size = 128"),
        (sngan, (32, 32), {"width": 0}, r"width must be at least 1 and at most max_width \(1024\), got 0"),
        (biggan, (32, 32), {"width": 9, "max_width": 8}, r"at most max_width \(8\), got 9"),
        (
            sagan,
            (32, 32),
            {"attention": 12},
            re.escape("attention is the side of a map (16, 8), or 0 for none, got 12"),
        ),
        (biggan, (16, 16), {"attention": 4}, re.escape("the side of a map (8), or 0 for none, got 4; try 8")),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(module, side, image, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        getattr(module, side)(image=(3, *image), **options)


@pytest.mark.parametrize(
    ("module", "options", "sentence"),
    [
        (sngan, {"latent_size": 0}, "^latent_size must be at least 1, got 0$"),
        (biggan, {"latent_size": 50}, "^latent_size must be a multiple of 4 for images of this size, .*nearest is 48$"),
        (biggan, {"embedding": 0}, "^embedding must be at least 1, got 0$"),
        (biggan, {"standing": -1}, r"^standing must lie in 0\.\.128, the batches that there are, got -1$"),
        (biggan, {"standing": 129}, r"^standing must lie in 0\.\.128, the batches that there are, got 129$"),
    ],
)
def test_options_of_the_generator_out_of_range_are_refused(module, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        module.Generator(image=(3, 32, 32), **options)


def test_the_recipes_say_what_the_papers_say():
    sngan_32, sagan_32, biggan_128 = map(ganzoo.Recipe.load, ("sngan-32", "sagan-32", "biggan-128"))
    assert (sngan_32.optimizer.lr, sngan_32.optimizer.betas) == (2e-4, (0.0, 0.9))
    assert [sagan_32.optimizer.side(side).lr for side in ("generator", "discriminator")] == [1e-4, 4e-4]
    assert [biggan_128.optimizer.side(side).lr for side in ("generator", "discriminator")] == [5e-5, 2e-4]
    assert (biggan_128.train.batch, biggan_128.train.critic_steps, biggan_128.train.ema) == (2048, 2, 0.9999)
    assert biggan_128.optimizer.betas == (0.0, 0.999)
    for recipe in (sngan_32, sagan_32, biggan_128):
        assert recipe.loss[0].name == "hinge"


def test_a_training_step_iterates_once_for_each_forward_and_a_look_at_the_game_never():
    generator, discriminator = networks(sagan, (3, 16, 16), **TINY)
    batch = {"image": torch.rand(4, 3, 16, 16)}
    losses = [ganzoo.testing.toys.NonSaturating()]
    engine = ganzoo.Engine(generator, discriminator, losses, device="cpu", train={"precision": "fp32"})
    engine.prepare(batch)
    vectors = {
        name: value for side in (generator, discriminator) for name, value in side.named_buffers() if "_u" in name
    }
    calls = {side: [] for side in ("generator", "discriminator")}
    for side, network in (("generator", generator.last), ("discriminator", discriminator.head.psi)):
        norm = network.parametrizations.weight[0]
        norm.register_forward_hook(lambda module, *_, side=side: calls[side].append(module.training))
    engine.step(iter([batch]))
    assert calls == {"generator": [True] * 2, "discriminator": [True] * 3}
    kept = {name: value.clone() for name, value in vectors.items()}
    with engine.observe(batch) as step:
        assert len(step.real_scores) == len(step.fake_scores) == 4
    engine.ema({"z": torch.randn(2, 128)})
    assert kept and all(value.equal(kept[name]) for name, value in vectors.items())
