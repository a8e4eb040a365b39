"""DCGAN's layers, against stacks written out by hand."""

import pytest
import torch
from torch import nn

from ganzoo.layers import activation_layers, dcgan_downsampling, dcgan_upsampling, linear_stem, pyramid, smallest_map

STAGES = pyramid((3, 32, 32), width=2)


def written_out_upsampling():
    return nn.Sequential(
        nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 2, 4, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU(),
        nn.ConvTranspose2d(2, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip


def written_out_downsampling(batch_norm):
    norms = (nn.BatchNorm2d(4), nn.BatchNorm2d(8)) if batch_norm else (nn.Identity(), nn.Identity())
    return nn.Sequential(
        nn.Conv2d(3, 2, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(2, 4, 4, 2, 1, bias=not batch_norm), norms[0], nn.LeakyReLU(0.2),
        nn.Conv2d(4, 8, 4, 2, 1, bias=not batch_norm), norms[1], nn.LeakyReLU(0.2),
    )  # fmt: skip


def seeded(make):
    torch.manual_seed(0)
    return nn.Sequential(*make()).double()


def kinds(layers):
    return [type(layer).__name__ for layer in layers]


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_upsampling_is_the_stack_written_out(training):
    ours, theirs = seeded(lambda: dcgan_upsampling(STAGES)), seeded(written_out_upsampling)
    features = torch.randn(5, 8, 4, 4, dtype=torch.float64)
    images = ours.train(training)(features)
    assert images.shape == (5, 3, 32, 32)
    assert torch.equal(images, theirs.train(training)(features))


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_downsampling_is_the_stack_written_out(training, batch_norm):
    ours = seeded(lambda: dcgan_downsampling(STAGES, batch_norm=batch_norm))
    theirs = seeded(lambda: written_out_downsampling(batch_norm))
    images = torch.randn(5, 3, 32, 32, dtype=torch.float64)
    features = ours.train(training)(images)
    assert features.shape == (5, 8, 4, 4)
    assert torch.equal(features, theirs.train(training)(images))


def test_dropout_follows_each_activation():
    stack = dcgan_downsampling(STAGES, dropout=0.3)
    assert kinds(stack) == [
        "Conv2d", "LeakyReLU", "Dropout", *["Conv2d", "BatchNorm2d", "LeakyReLU", "Dropout"] * 2
    ]  # fmt: skip
    assert stack[2].p == 0.3
    assert kinds(activation_layers()) == ["LeakyReLU"]
    assert torch.equal(activation_layers()[0](torch.tensor([-10.0, 10.0])), torch.tensor([-2.0, 10.0]))


def test_nearest_upsampling_has_no_transposed_convolution():
    layers = nn.Sequential(*dcgan_upsampling(STAGES, upsample="nearest", kernel=5))
    assert not any(isinstance(layer, nn.ConvTranspose2d) for layer in layers.modules())
    assert layers(torch.randn(2, 8, 4, 4)).shape == (2, 3, 32, 32)


def test_the_stem_maps_a_vector_linearly_to_a_map_of_four_by_four():
    stem = nn.Sequential(*linear_stem(6, 5))
    assert stem(torch.randn(3, 6)).shape == (3, 5, 4, 4)
    assert not stem(torch.zeros(1, 6)).any()
    assert [tuple(parameter.shape) for parameter in stem.parameters()] == [(80, 6)]


@pytest.mark.parametrize(("image", "smallest"), [((3, 16, 48), (4, 12)), ((2, 36, 20), (5, 3))])
def test_the_functions_build_on_images_that_are_not_square(image, smallest):
    stages = pyramid(image, width=2)
    maps = nn.Sequential(*linear_stem(6, stages[-1].inner, smallest_map(stages)))(torch.randn(5, 6))
    assert maps.shape == (5, stages[-1].inner, *smallest)
    images = nn.Sequential(*dcgan_upsampling(stages))(maps)
    assert images.shape == (5, *image)
    assert nn.Sequential(*dcgan_downsampling(stages))(images).shape == maps.shape


def test_the_functions_build_on_28_pixels_by_way_of_7():
    stages = pyramid((1, 28, 28), width=2)
    features = nn.Sequential(*dcgan_downsampling(stages))(torch.randn(2, 1, 28, 28))
    assert features.shape == (2, 8, 4, 4)
    assert nn.Sequential(*dcgan_upsampling(stages))(features).shape == (2, 1, 28, 28)
