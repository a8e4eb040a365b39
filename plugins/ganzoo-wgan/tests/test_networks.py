import math
import re

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_wgan.networks import Critic, Generator

SIZES = [(16, 16), (28, 28), (32, 32), (64, 64), (128, 128), (16, 48), (36, 20)]


def noise(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


def reference_networks():
    """The DCGAN generator and critic of the authors' code, for 64 x 64 colour images."""
    generator = nn.Sequential(
        nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU(),
        nn.ConvTranspose2d(512, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
        nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    critic = nn.Sequential(
        nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 512, 4, 2, 1, bias=False), nn.BatchNorm2d(512), nn.LeakyReLU(0.2),
        nn.Conv2d(512, 1, 4, 1, 0, bias=False),
    )  # fmt: skip
    return generator, critic


def copy_values(source, target):
    """Values in order; the reference's convolutions from or to one pixel become the linear maps that they are."""
    for from_, to in zip(source.state_dict().values(), target.state_dict().values(), strict=True):
        if from_.dim() == 4 and to.dim() == 2:
            from_ = from_.flatten(1).T if from_.shape[0] == 100 else from_.flatten(1)
        to.copy_(from_)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_have_the_shape_of_the_data_and_lie_in_the_range_of_tanh(size, channels):
    generator = Generator(image=(channels, *size), width=2, latent_size=5)
    images = generator(noise(4, generator))
    assert images.shape == (4, channels, *size)
    assert images.dtype == torch.float32
    assert images.std() > 0
    generator.eval()
    assert generator({"z": 1e20 * torch.randn(4, 5)}).abs().max() == 1


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_scores_are_raw_and_one_per_image(size, channels, batch_norm):
    critic = Critic(image=(channels, *size), width=2, batch_norm=batch_norm).eval()
    scores = critic(1e20 * torch.randn(4, channels, *size), {})
    assert scores.shape == (4,)
    assert scores.dtype == torch.float32
    assert scores.abs().max() > 1


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_at_64_pixels_the_networks_are_those_of_the_authors_code(training):
    networks = Generator(image=(3, 64, 64)), Critic(image=(3, 64, 64))
    references = reference_networks()
    for network, reference in zip(networks, references, strict=True):
        copy_values(reference, network)
        network.train(training), reference.train(training)
    z, images = torch.randn(4, 100), torch.randn(4, 3, 64, 64)
    torch.testing.assert_close(networks[0]({"z": z}), references[0](z.view(4, 100, 1, 1)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(networks[1](images, {}), references[1](images).view(4), rtol=1e-4, atol=1e-5)


def test_28_pixels_come_from_a_base_of_4_by_way_of_7_and_14():
    generator, critic = Generator(image=(1, 28, 28)), Critic(image=(1, 28, 28))
    weights = [[tuple(p.shape) for p in side.parameters() if p.dim() > 1] for side in (generator, critic)]
    assert weights == [
        [(256 * 16, 100), (256, 128, 3, 3), (128, 64, 4, 4), (64, 1, 4, 4)],
        [(64, 1, 4, 4), (128, 64, 4, 4), (256, 128, 3, 3), (1, 256 * 16)],
    ]


def test_channels_double_inwards_up_to_512():
    generator, critic = Generator(image=(1, 64, 64), width=128), Critic(image=(1, 64, 64), width=128)
    norms = [[m.num_features for m in s.modules() if isinstance(m, nn.BatchNorm2d)] for s in (generator, critic)]
    assert norms == [[512, 512, 256, 128], [256, 512, 512]]


def test_without_batch_norm_the_critic_judges_each_image_by_itself():
    images = torch.randn(8, 1, 28, 28)
    alone, mixed = (Critic(image=(1, 28, 28), width=8, batch_norm=norm) for norm in (False, True))
    torch.testing.assert_close(alone(images, {})[:2], alone(images[:2], {}), rtol=0, atol=1e-6)
    assert (mixed(images, {})[:2] - mixed(images[:2], {})).abs().max() > 1e-3


@pytest.mark.parametrize("batch_norm", [True, False])
def test_weights_start_as_in_the_authors_code(batch_norm):
    torch.manual_seed(0)
    sides = Generator(image=(3, 64, 64)), Critic(image=(3, 64, 64), batch_norm=batch_norm)
    for module in (module for side in sides for module in side.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d):
            check_start(module, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0)


def check_start(module, mean):
    # Five standard errors of the mean and of the standard deviation of a normal sample of this size.
    count = module.weight.numel()
    assert abs(module.weight.mean().item() - mean) < 5 * 0.02 / math.sqrt(count)
    assert abs(module.weight.std().item() - 0.02) < 5 * 0.02 / math.sqrt(2 * count)
    assert module.bias is None or not module.bias.any()


@pytest.mark.parametrize("side", [Generator, Critic])
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
        (Generator, {"width": 0}, "width must lie between 1 and 512, got 0"),
        (Critic, {"width": 513}, "width must lie between 1 and 512, got 513"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(side, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        side(image=(1, 28, 28), **options)


def test_the_recipes_say_what_the_papers_say():
    clipping, penalty = ganzoo.Recipe.load("wgan"), ganzoo.Recipe.load("wgan-gp")
    assert [use.name for use in clipping.loss] == ["wasserstein", "weight-clipping"]
    assert (clipping.optimizer.name, clipping.optimizer.lr, clipping.train.critic_steps) == ("rmsprop", 5e-5, 5)
    assert [(use.name, use.weight) for use in penalty.loss] == [("wasserstein", 1), ("gradient-penalty", 10)]
    assert (penalty.optimizer.lr, penalty.optimizer.betas, penalty.train.critic_steps) == (1e-4, (0.0, 0.9), 5)
