import re

import pytest
import torch

import ganzoo
from ganzoo_conditional.networks import Discriminator, Generator

CLASSES = 7
SIZES = [(16, 16), (28, 28), (32, 32), (64, 64), (16, 48), (36, 20)]


class MeanScore(ganzoo.Loss):
    def generator(self, step):
        return {"fool": -step.fake_scores.mean()}


def networks(size=(28, 28), channels=1, **options):
    facts = {"image": (channels, *size), "classes": CLASSES}
    return Generator(**facts, **options), Discriminator(**facts, **options)


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
def test_images_have_the_shape_of_the_data_and_each_gets_one_raw_score(size, channels):
    generator, discriminator = networks(size, channels, width=2)
    given = drawn(4, generator)
    images = generator(given)
    assert images.shape == (4, channels, *size)
    assert images.std() > 0 and images.abs().max() <= 1
    scores = discriminator.eval()(1e20 * images, given)
    assert scores.shape == (4,)
    assert scores.abs().max() > 1


def test_the_latent_holds_noise_and_every_class_of_the_data():
    generator = Generator(image=(1, 28, 28), classes=CLASSES, width=2, latent_size=5)
    given = drawn(1000, generator)
    assert given["z"].shape == (1000, 5)
    assert sorted(set(given["label"].tolist())) == list(range(CLASSES))


@torch.no_grad()
def test_another_label_gives_another_image_from_the_same_noise():
    torch.manual_seed(0)
    generator = settled(networks(width=4)[0])
    z = torch.randn(1, 100).expand(CLASSES, 100)
    images = generator({"z": z, "label": torch.arange(CLASSES)})
    again = generator({"z": z, "label": torch.full((CLASSES,), 3)})
    differences = (images - again).abs().amax((1, 2, 3))
    assert differences[3] < 1e-6
    assert all(differences[label] > 1e-3 for label in range(CLASSES) if label != 3)


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_scores_are_equation_three_of_the_projection_paper(training):
    torch.manual_seed(0)
    discriminator = networks(width=4)[1].double().train(training)
    images, label = torch.randn(6, 1, 28, 28, dtype=torch.float64), torch.tensor([0, 1, 1, 6, 3, 0])
    maps = discriminator.phi(images)
    embed, psi = discriminator.embed.weight, discriminator.psi
    expected = []
    for one, y in zip(maps, label, strict=True):
        phi = torch.stack([channel.sum() for channel in one])
        expected.append(sum(psi.weight[0] * phi) + psi.bias[0] + sum(embed[y] * phi))
    torch.testing.assert_close(discriminator(images, {"label": label}), torch.stack(expected), rtol=0, atol=1e-12)
    assert maps.shape == (6, 16, 4, 4)


def test_the_gradient_reaches_every_parameter():
    generator, discriminator = networks(channels=3, width=4)
    given = drawn(64, generator)
    (discriminator(generator(given), given) * torch.randn(64)).sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad.abs().sum() > 0, name


def test_without_batch_norm_each_image_is_judged_by_itself():
    images, label = torch.randn(8, 1, 28, 28), torch.randint(CLASSES, (8,))
    facts = {"image": (1, 28, 28), "classes": CLASSES, "width": 4}
    alone, mixed = (Discriminator(**facts, batch_norm=batch_norm) for batch_norm in (False, True))
    for judge, equal in (alone, True), (mixed, False):
        together, apart = judge(images, {"label": label})[:2], judge(images[:2], {"label": label[:2]})
        assert torch.allclose(together, apart, rtol=0, atol=1e-6) is equal


def test_channels_double_inwards_up_to_max_width():
    for side in networks((64, 64), width=4, max_width=16):
        weights = [
            module.weight.shape for module in side.modules() if isinstance(module, torch.nn.modules.conv._ConvNd)
        ]
        assert sorted({count for shape in weights for count in shape[:2]}) == [1, 4, 8, 16]


@torch.no_grad()
def test_with_colours_an_image_mixes_as_many_as_noise_and_label_choose():
    generator = settled(Generator(image=(3, 16, 32), classes=CLASSES, width=4, colours=2, upsample="nearest"))
    given = drawn(6, generator)
    images = generator(given)
    assert images.shape == (6, 3, 16, 32)
    code = torch.cat([given["z"], generator.embed(given)], 1)
    for image, colours in zip(images.flatten(2), generator.palette.choose(code), strict=True):
        both = torch.cat([image, colours], 1)  # two colours and what lies between them are points of one line
        assert torch.linalg.matrix_rank(both - both[:, :1], rtol=1e-4) == 1


def test_data_without_labels_are_refused_in_a_sentence():
    sides = ganzoo.create("conditional", image=(1, 28, 28), classes=CLASSES, width=2)
    engine = ganzoo.Engine(*sides, [MeanScore()], device="cpu")
    with pytest.raises(ganzoo.BadInput, match=r"^the discriminator needs 'label' in every batch; the data has image$"):
        engine.run([{"image": torch.zeros(4, 1, 28, 28)}], steps=1)
    with pytest.raises(
        ganzoo.BadInput, match=r"'conditional': a conditional network needs data with labels, such as a folder"
    ):
        ganzoo.create("conditional", image=(1, 28, 28))


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize("size, nearest", [((8, 8), 16), ((14, 16), 16), ((64, 30), [64, 32])], ids=str)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(side, size, nearest):
    allowed = "images must be multiples of 4 pixels from 16 up, high and wide"
    with pytest.raises(
        ValueError, match=f"^{allowed}, got {size[0]} x {size[1]}; .*, data.size = {re.escape(str(nearest))}$"
    ):
        side(image=(1, *size), classes=CLASSES)


@pytest.mark.parametrize(
    "side, options, sentence",
    [
        (Generator, {"latent_size": 0}, "latent_size and embedding must be at least 1, got 0 and 50"),
        (Generator, {"embedding": 0}, "latent_size and embedding must be at least 1, got 100 and 0"),
        (Generator, {"colours": -2}, "colours must be 0, for none, or at least 2, got -2"),
        (Generator, {"colours": 1}, "colours must be 0, for none, or at least 2, got 1"),
        (Generator, {"width": 0}, r"width must be at least 1 and at most max_width \(512\), got 0"),
        (Discriminator, {"width": 8, "max_width": 4}, r"width must be at least 1 and at most max_width \(4\), got 8"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 28, 28), classes=CLASSES, **options)
