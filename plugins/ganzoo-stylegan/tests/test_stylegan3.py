"""StyleGAN3's layers, against formulas for one sample at a time; and that its images go with translations."""

import math
import re

import pytest
import torch
from torch.nn.functional import conv2d, interpolate, leaky_relu, pad

from ganzoo_stylegan.bands import Band, list_bands
from ganzoo_stylegan.continuous import ContinuousLayer, FourierFeatures, Magnitude
from ganzoo_stylegan.filters import FilteredLeakyReLU
from ganzoo_stylegan.stylegan3 import Generator

SMALL = {"latent_size": 8, "w_size": 8, "width": 4, "max_width": 8}
W, SIDE = 6, 32


def drawn(generator, n, seed=0):
    latent = generator.latent(n, torch.Generator().manual_seed(seed))
    return {key: value.double() if value.is_floating_point() else value for key, value in latent.items()}


@torch.no_grad()
def test_a_layer_is_the_paper_s_equations_for_each_sample():
    torch.manual_seed(0)
    band = Band(4.0, 4.0, 16)
    layer = ContinuousLayer(4, 5, W, 0.9, FilteredLeakyReLU(band, band, 10, 8)).double().eval()
    layer.bias.normal_()
    layer.magnitude.mean_square.fill_(6.25)
    features, w = torch.randn(3, 4, 8, 8).double(), torch.randn(3, W).double()
    result = layer(features, w)
    for n in range(3):
        style = layer.style.weight @ w[n] / math.sqrt(W) + layer.style.bias
        weight = layer.weight * style[:, None, None] / math.sqrt(9 * 4)
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        y = conv2d(features[n][None] / 2.5, weight, padding=2) + layer.bias[:, None, None]
        torch.testing.assert_close(result[n], layer.activation(y * math.sqrt(2))[0], rtol=1e-9, atol=1e-10)


@torch.no_grad()
def test_waves_are_turned_and_moved_by_the_style():
    torch.manual_seed(0)
    waves = FourierFeatures(5, Band(2.0, 6.0, 16), W).double()
    waves.place.weight.normal_()
    w, shift = torch.randn(3, W).double(), torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.2, -0.3]]).double()
    result = waves(w, shift)
    assert result.shape == (3, 5, 36, 36)
    mix = waves.mix.weight[:, :, 0, 0] / math.sqrt(5)
    for n, row, column in [(0, 0, 0), (1, 3, 35), (2, 20, 7), (2, 35, 0)]:
        a, b, right, down = (waves.place.weight @ w[n] / math.sqrt(W) + waves.place.bias).tolist()
        x, y = (column - 17.5) / 16 - shift[n, 0].item(), (row - 17.5) / 16 - shift[n, 1].item()
        norm = math.hypot(a, b)
        x, y = (a * x - b * y) / norm - right, (b * x + a * y) / norm - down
        wave = [
            math.sin(2 * math.pi * (f * x + g * y + phase))
            for f, g, phase in zip(*waves.frequencies.tolist(), waves.phases.tolist(), strict=True)
        ]
        torch.testing.assert_close(result[n, :, row, column], mix @ torch.tensor(wave).double(), rtol=0, atol=1e-6)


def test_frequencies_are_uniform_in_a_disc():
    torch.manual_seed(0)
    frequencies = torch.cat([FourierFeatures(500, Band(2.0, 6.0, 16), 1).frequencies for _ in range(20)], 1)
    share = frequencies.square().sum(0) / 4
    assert share.max() <= 1
    for part in (0.25, 0.5, 0.75):
        assert (share < part).float().mean().item() == pytest.approx(part, abs=0.02)
    assert frequencies.mean(1).abs().max() < 0.05


def test_a_magnitude_is_a_running_mean_of_squares_in_training_only():
    magnitude, expected = Magnitude(0.9).double(), 1.0
    for seed in range(3):
        features = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(seed)).double() * (seed + 1)
        expected = 0.9 * expected + 0.1 * sum(v * v for v in features.flatten().tolist()) / features.numel()
        assert magnitude(features).item() == pytest.approx(expected**-0.5, rel=1e-12)
    magnitude.eval()(torch.full((1,), 9.0).double())
    assert magnitude.state_dict()["mean_square"].item() == pytest.approx(expected, rel=1e-12)


def unfiltered(layer, lower, upper):
    """LeakyReLU of the samples themselves; to a higher rate each is repeated."""

    def forward(features):
        larger = interpolate(leaky_relu(features, 0.2), scale_factor=upper.rate // lower.rate)
        edge = (layer.down.shape[0] - larger.shape[-1]) // 2
        return pad(larger, (edge, edge, edge, edge))

    return forward


def move(images, columns, rows):
    """Images moved by a part of their pixels, by Lanczos' filter (Karras et al. 2021, appendix E.1)."""
    steps = torch.arange(SIDE)[:, None] - torch.arange(SIDE).double()
    across, down = (lanczos(steps - by) for by in (columns, rows))
    return down @ images @ across.T


def lanczos(x):
    kernel = torch.sinc(x) * torch.sinc(x / 3) * (x.abs() < 3)
    return kernel / kernel.sum(1, keepdim=True)


@torch.no_grad()
def equivariance(generator, whole):
    """EQ-T in dB: how well images of moved waves equal moved images, of values from -1 to 1, where both are known."""
    rng, errors = torch.Generator().manual_seed(0), []
    for seed in range(8):
        latent = drawn(generator, 4, seed)
        by = (torch.rand(2, generator=rng).double() * 2 - 1) * SIDE / 8
        by = by.round() if whole else by
        moved = generator(latent | {"shift": (by / SIDE).expand(4, 2)})[0]
        difference = moved - move(generator(latent)[0], *by)
        left, top = (math.ceil(abs(each)) + 3 for each in by.tolist())
        errors.append(difference[:, :, top:-top, left:-left].square().flatten())
    return 10 * math.log10(2**2 / torch.cat(errors).mean())


def test_moved_waves_give_moved_images_and_without_filters_they_do_not():
    torch.manual_seed(0)
    generator = Generator(image=(3, SIDE, SIDE), **SMALL).double().eval()
    for layer in generator.synthesis.layers:
        torch.nn.init.normal_(layer.bias, std=0.5)
    assert equivariance(generator, whole=True) > 80
    assert equivariance(generator, whole=False) > 60
    bands = list_bands(SIDE, 6)
    for layer, *both in zip(generator.synthesis.layers, [bands[0], *bands], bands, strict=False):
        layer.activation.forward = unfiltered(layer.activation, *both)
    assert equivariance(generator, whole=True) < 45
    assert equivariance(generator, whole=False) < 45


@pytest.mark.parametrize("side, channels", [(16, 1), (32, 3), (64, 4)])
def test_images_have_the_shape_of_the_data(side, channels):
    generator = Generator(image=(channels, side, side), conditional=True, classes=3, **SMALL)
    images, extras = generator(generator.latent(4, torch.Generator().manual_seed(0)))
    assert images.shape == (4, channels, side, side) and images.isfinite().all() and images.std() > 0.01
    styles = len(generator.synthesis.layers) + 2
    assert extras["w"].shape == (4, styles, 8) and generator.ranges == {"cutoff": (0, styles)}


def test_finer_layers_have_fewer_channels():
    generator = Generator(image=(3, 64, 64), layers=10, width=8, max_width=24, w_size=8)
    cutoffs = [2 * 16 ** min(layer / 8, 1) for layer in range(10)]
    expected = [min(round(8 * 32 / cutoff), 24) for cutoff in cutoffs]
    assert [layer.weight.shape[0] for layer in generator.synthesis.layers] == expected


@torch.no_grad()
def test_truncation_by_nothing_gives_the_mean_image_and_labels_change_it():
    torch.manual_seed(0)
    generator = Generator(image=(3, 16, 16), conditional=True, classes=2, **SMALL).double().eval()
    generator.finish(iter([drawn(generator, 16)]))
    latent = drawn(generator, 4) | {"truncation": torch.zeros(4).double(), "label": torch.tensor([0, 0, 1, 1])}
    images, extras = generator(latent)
    torch.testing.assert_close(extras["w"], generator.w_mean[latent["label"]][:, None].expand(-1, 7, -1))
    torch.testing.assert_close(images[0], images[1])
    assert (images[1] - images[2]).abs().max() > 1e-6


@pytest.mark.parametrize("size, better", [((8, 8), 16), ((48, 48), 64), ((32, 64), 64), ((100, 100), 128)])
def test_other_sizes_are_refused_with_the_nearest_that_works(size, better):
    said = f"got {size[0]} x {size[1]}; the nearest is {better} x {better}, data.size = {better}"
    with pytest.raises(ValueError, match="^images must be squares with a power of two .*" + re.escape(said)):
        Generator(image=(3, *size))


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"width": 0}, r"width must be at least 1 and at most max_width \(512\), got 0"),
        ({"layers": 2}, "layers must be at least 3, got 2"),
        ({"magnitude_decay": 1.5}, "magnitude_decay must lie between 0 and 1, got 1.5"),
        ({"latent_size": 0}, "latent_size must be at least 1, got 0"),
        ({"mapping_layers": 0}, "mapping_layers must be at least 1, got 0"),
        ({"conditional": True}, "conditional = true needs data with labels, .*"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Generator(image=(3, 32, 32), **options)
