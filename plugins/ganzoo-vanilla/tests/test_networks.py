import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_vanilla.networks import Discriminator, Generator

IMAGES = [(1, 28, 28), (3, 28, 28), (1, 5, 9), (3, 32, 16)]
SMALL = {"image": (1, 6, 5), "widths": (8, 9)}
OPTIONS = [{"dropout": 0.5}, {"widths": [7]}, {"widths": []}]


def noise(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


def keras_gan_example():
    """The layers of the Keras-GAN example, the sigmoid left out."""
    generator = nn.Sequential(
        nn.Linear(100, 256), nn.LeakyReLU(0.2), nn.BatchNorm1d(256),
        nn.Linear(256, 512), nn.LeakyReLU(0.2), nn.BatchNorm1d(512),
        nn.Linear(512, 1024), nn.LeakyReLU(0.2), nn.BatchNorm1d(1024),
        nn.Linear(1024, 784), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)
    )
    return generator, discriminator


def copy_values(source, target):
    for from_, to in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
        to.copy_(from_)


@pytest.mark.parametrize("image", IMAGES)
def test_images_have_the_shape_of_the_data_and_lie_in_the_range_of_tanh(image):
    generator = Generator(image=image)
    images = generator({"z": 100 * torch.randn(6, 100)})
    assert images.shape == (6, *image)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1
    assert images.min() < -0.5 < 0.5 < images.max()


@pytest.mark.parametrize("image", IMAGES)
def test_scores_are_raw_and_one_per_image(image):
    scores = Discriminator(image=image)(1000 * torch.randn(6, *image), {})
    assert scores.shape == (6,)
    assert scores.dtype == torch.float32
    assert scores.min() < 0 or scores.max() > 1


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_other_widths_and_dropout_go_with_both_sides(options):
    generator, discriminator = Generator(**SMALL | options, latent_size=3), Discriminator(**SMALL | options)
    images = generator(noise(4, generator))
    assert images.shape == (4, 1, 6, 5)
    assert discriminator(images, {}).shape == (4,)


def test_the_latent_has_the_size_that_was_asked_for():
    generator = Generator(**SMALL, latent_size=7)
    assert noise(4, generator)["z"].shape == (4, 7)
    assert generator(noise(4, generator)).shape == (4, 1, 6, 5)


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_without_dropout_the_networks_have_the_layers_of_the_keras_gan_example(training):
    generator, discriminator = Generator(image=(1, 28, 28)), Discriminator(image=(1, 28, 28), dropout=0.0)
    examples = keras_gan_example()
    for network, example in zip((generator, discriminator), examples, strict=True):
        copy_values(example, network)
        network.train(training), example.train(training)
    z, images = torch.randn(8, 100), torch.randn(8, 1, 28, 28)
    torch.testing.assert_close(generator({"z": z}), examples[0](z).view(8, 1, 28, 28))
    torch.testing.assert_close(discriminator(images, {}), examples[1](images.flatten(1)).squeeze(1))


def test_the_defaults_have_the_written_out_number_of_parameters():
    generator = 100 * 256 + 256 + 256 * 512 + 512 + 512 * 1024 + 1024 + 1024 * 784 + 784 + 2 * (256 + 512 + 1024)
    discriminator = 784 * 512 + 512 + 512 * 256 + 256 + 256 + 1
    assert sum(p.numel() for p in Generator(image=(1, 28, 28)).parameters()) == generator
    assert sum(p.numel() for p in Discriminator(image=(1, 28, 28)).parameters()) == discriminator


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_gradient_reaches_every_parameter_with_other_widths_and_dropout(options):
    generator, discriminator = Generator(**SMALL | options), Discriminator(**SMALL | options)
    images = generator(noise(16, generator))
    (discriminator(images, {}) * torch.randn(16)).sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_drops_in_training_and_not_in_eval():
    discriminator, images = Discriminator(**SMALL, dropout=0.5), torch.randn(8, 1, 6, 5)
    assert not torch.equal(discriminator(images, {}), discriminator(images, {}))
    discriminator.eval()
    assert torch.equal(discriminator(images, {}), discriminator(images, {}))


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"widths": (8, 0)}, r"widths must all be at least 1, got \[8, 0\]"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"dropout": -0.1}, "dropout must be at least 0 and below 1, got -0.1"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 28, 28), **options)


def test_a_latent_of_no_length_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^latent_size must be at least 1, got 0$"):
        Generator(image=(1, 28, 28), latent_size=0)


def test_a_shared_option_goes_to_both_sides_and_an_own_one_to_its_side():
    generator, discriminator = ganzoo.create(
        "vanilla", image=(1, 6, 5), activation="elu", generator={"widths": [4]}, discriminator={"dropout": 0.1}
    )
    kinds = [[type(layer).__name__ for layer in side.network] for side in (generator, discriminator)]
    assert kinds[0] == ["Linear", "ELU", "BatchNorm1d", "Linear", "Tanh", "Unflatten"]
    assert kinds[1] == ["Flatten", "Linear", "ELU", "Dropout", "Linear", "ELU", "Dropout", "Linear", "Flatten"]
