import math
import re

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from ganzoo_dcgan.networks import Discriminator, Generator

SIZES = [(16, 16), (28, 28), (32, 32), (64, 64), (128, 128), (16, 48), (36, 20)]
GENERATOR_OPTIONS = [
    {"kernel": kernel, "upsample": upsample} for kernel in (4, 5) for upsample in ("transposed", "nearest")
]
DISCRIMINATOR_OPTIONS = [
    {"kernel": kernel, "batch_norm": batch_norm, "dropout": dropout}
    for kernel in (4, 5)
    for batch_norm in (True, False)
    for dropout in (0.0, 0.3)
]


def noise(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


def copy_values(source, target):
    for from_, to in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
        to.copy_(from_)


def kinds(network):
    return [type(layer).__name__ for layer in network]


def pytorch_example():
    """The networks of the PyTorch example, one stage shorter for 32 x 32 grey images, the sigmoid left out."""
    generator = nn.Sequential(
        nn.ConvTranspose2d(100, 256, 4, 1, 0, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
        nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 1, 4, 1, 0, bias=False),
    )  # fmt: skip
    return generator, discriminator


@pytest.mark.parametrize("options", GENERATOR_OPTIONS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_have_the_shape_of_the_data_and_lie_in_the_range_of_tanh(size, channels, options):
    generator = Generator(image=(channels, *size), width=2, latent_size=5, **options)
    images = generator(noise(4, generator))
    assert images.shape == (4, channels, *size)
    assert images.dtype == torch.float32
    assert images.std() > 0
    generator.eval()
    assert generator({"z": 1e20 * torch.randn(4, 5)}).abs().max() == 1


@pytest.mark.parametrize("options", DISCRIMINATOR_OPTIONS, ids=str)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_scores_are_raw_and_one_per_image(size, channels, options):
    discriminator = Discriminator(image=(channels, *size), width=2, **options).eval()
    scores = discriminator(1e20 * torch.randn(4, channels, *size), {})
    assert scores.shape == (4,)
    assert scores.dtype == torch.float32
    assert scores.abs().max() > 1


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_at_32_pixels_the_networks_are_those_of_the_pytorch_example(training):
    networks = Generator(image=(1, 32, 32)), Discriminator(image=(1, 32, 32))
    examples = pytorch_example()
    for network, example in zip(networks, examples, strict=True):
        copy_values(example, network)
        network.train(training), example.train(training)
    z, images = torch.randn(8, 100), torch.randn(8, 1, 32, 32)
    torch.testing.assert_close(networks[0]({"z": z}), examples[0](z.view(8, 100, 1, 1)))
    torch.testing.assert_close(networks[1](images, {}), examples[1](images).view(8))


def test_figure_one_of_the_paper_has_the_written_out_shapes():
    generator = Generator(image=(3, 64, 64), width=128, kernel=5)
    weights = [tuple(m.weight.shape) for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert weights == [
        (100, 1024, 4, 4), (1024, 512, 5, 5), (512, 256, 5, 5), (256, 128, 5, 5), (128, 3, 5, 5)
    ]  # fmt: skip


def test_28_pixels_come_from_a_base_of_4_by_way_of_7_and_14():
    generator, discriminator = Generator(image=(1, 28, 28)), Discriminator(image=(1, 28, 28))
    assert [tuple(p.shape) for p in generator.parameters() if p.dim() == 4] == [
        (100, 256, 4, 4), (256, 128, 3, 3), (128, 64, 4, 4), (64, 1, 4, 4)
    ]  # fmt: skip
    assert [tuple(p.shape) for p in discriminator.parameters() if p.dim() == 4] == [
        (64, 1, 4, 4), (128, 64, 4, 4), (256, 128, 3, 3), (1, 256, 4, 4)
    ]  # fmt: skip


def test_batch_norm_is_everywhere_but_next_to_the_image_and_the_score():
    generator = Generator(image=(1, 28, 28), width=2)
    discriminator = Discriminator(image=(1, 28, 28), width=2)
    inner = ["ConvTranspose2d", "BatchNorm2d", "ReLU"]
    assert kinds(generator.network) == [*inner * 3, "ConvTranspose2d", "Tanh"]
    first, second = ["Conv2d", "LeakyReLU"], ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(discriminator.network) == [*first, *second * 2, "Conv2d", "Flatten"]
    assert not any(getattr(m, "bias", None) is not None for m in discriminator.modules() if isinstance(m, nn.Conv2d))


def test_without_batch_norm_the_inner_layers_have_biases_and_dropout_follows_each_activation():
    network = Discriminator(image=(1, 28, 28), width=2, batch_norm=False, dropout=0.3).network
    assert kinds(network) == ["Conv2d", "LeakyReLU", "Dropout"] * 3 + ["Conv2d", "Flatten"]
    assert [m.bias is not None for m in network if isinstance(m, nn.Conv2d)] == [False, True, True, False]


def test_max_width_caps_the_channels_of_both_sides():
    image = (1, 128, 128)
    generator = Generator(image=image, width=4, max_width=16)
    discriminator = Discriminator(image=image, width=4, max_width=16)
    norms = [[m.num_features for m in s.modules() if isinstance(m, nn.BatchNorm2d)] for s in (generator, discriminator)]
    assert norms == [[16, 16, 16, 8, 4], [8, 16, 16, 16]]


@pytest.mark.parametrize("kernel, odd", [(4, 3), (5, 5)])
@torch.no_grad()
def test_nearest_upsampling_repeats_pixels_and_then_convolves(kernel, odd):
    generator = Generator(image=(1, 16, 16), width=2, kernel=kernel, upsample="nearest").eval()
    *before, double, _ = generator.network
    features = nn.Sequential(*before)(torch.randn(3, 100, 1, 1))
    weight = double[1].weight
    assert weight.shape == (1, 2, odd, odd)
    repeated = features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(double(features), conv2d(repeated, weight, padding=odd // 2))


@pytest.mark.parametrize("options", GENERATOR_OPTIONS, ids=str)
def test_the_gradient_reaches_every_parameter_of_the_generator(options):
    generator = Generator(image=(3, 28, 28), width=4, **options)
    (generator(noise(8, generator)) * torch.randn(8, 3, 28, 28)).sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("options", DISCRIMINATOR_OPTIONS, ids=str)
def test_the_gradient_reaches_every_parameter_of_the_discriminator(options):
    discriminator = Discriminator(image=(3, 28, 28), width=4, **options)
    (discriminator(torch.randn(8, 3, 28, 28), {}) * torch.randn(8)).sum().backward()
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
def test_weights_start_as_the_paper_draws_them(upsample):
    torch.manual_seed(0)
    image = (3, 64, 64)
    for side in Generator(image=image, upsample=upsample), Discriminator(image=image, batch_norm=upsample == "nearest"):
        for module in side.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
                check_start(module, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0)


def check_start(module, mean):
    # Five standard errors of the mean and of the standard deviation of a normal sample of this size.
    count = module.weight.numel()
    assert abs(module.weight.mean().item() - mean) < 5 * 0.02 / math.sqrt(count)
    assert abs(module.weight.std().item() - 0.02) < 5 * 0.02 / math.sqrt(2 * count)
    assert module.bias is None or not module.bias.any()


def test_dropout_drops_in_training_and_not_in_eval():
    discriminator = Discriminator(image=(1, 16, 16), width=2, batch_norm=False, dropout=0.5)
    images = torch.randn(8, 1, 16, 16)
    assert not torch.equal(discriminator(images, {}), discriminator(images, {}))
    discriminator.eval()
    assert torch.equal(discriminator(images, {}), discriminator(images, {}))


@pytest.mark.parametrize("side", [Generator, Discriminator])
@pytest.mark.parametrize("size, nearest", [((8, 8), 16), ((14, 16), 16), ((64, 30), [64, 32])], ids=str)
def test_other_sizes_are_refused_in_a_sentence_that_names_the_nearest(side, size, nearest):
    allowed = "images must be multiples of 4 pixels from 16 up, high and wide"
    with pytest.raises(
        ValueError, match=f"^{allowed}, got {size[0]} x {size[1]}; .*, data.size = {re.escape(str(nearest))}$"
    ):
        side(image=(1, *size))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_with_colours_an_image_mixes_as_many_as_it_has(size):
    generator = Generator(image=(3, *size), width=4, colours=2)
    images = generator(noise(5, generator))
    assert images.shape == (5, 3, *size)
    for image in images.detach().flatten(2):  # two colours and what lies between them are points of one line
        assert torch.linalg.matrix_rank(image - image[:, :1], rtol=1e-4) == 1


@pytest.mark.parametrize(
    "side, options, sentence",
    [
        (Generator, {"colours": -2}, "colours must be 0, for none, or at least 2, got -2"),
        (Generator, {"colours": 1}, "colours must be 0, for none, or at least 2, got 1"),
        (Generator, {"latent_size": 0}, "latent_size must be at least 1, got 0"),
        (Generator, {"width": 0}, r"width must be at least 1 and at most max_width \(1024\), got 0"),
        (Discriminator, {"width": 8, "max_width": 4}, r"width must be at least 1 and at most max_width \(4\), got 8"),
        (Discriminator, {"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        (Discriminator, {"dropout": -0.1}, "dropout must be at least 0 and below 1, got -0.1"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 28, 28), **options)
