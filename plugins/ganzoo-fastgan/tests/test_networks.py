"""FastGAN's networks against the formulas of the paper, in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo_fastgan.blocks import Noise, SkipExcitation, normalise_and_gate
from ganzoo_fastgan.generator import Double, Generator
from ganzoo_fastgan.judge import Discriminator, Halve, make_plain

SIZES = [(32, 32), (64, 64), (64, 96), (128, 128)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def latents(generator, n=4, seed=0):
    return generator.latent(n, torch.Generator().manual_seed(seed))


@torch.no_grad()
@pytest.mark.parametrize("side, base", [((8, 8), (4, 4)), ((16, 24), (4, 6)), ((4, 4), (4, 4))])
def test_skip_layer_excitation_is_equation_1(side, base):
    torch.manual_seed(0)
    layer = SkipExcitation(3, 5, side, base).double()
    small, large = random(2, 3, *side), random(2, 5, 32, 32)
    weight, bias, weight_1, bias_1 = (p.numpy() for p in layer.parameters())
    step = side[0] // base[0]
    for image, map_, excited in zip(small.numpy(), large.numpy(), layer(small, large).numpy(), strict=True):
        pooled = np.zeros((3, *base))
        for c, y, x in np.ndindex(pooled.shape):
            pooled[c, y, x] = image[c, y * step : (y + 1) * step, x * step : (x + 1) * step].mean()
        hidden = np.array([(w * pooled).sum() for w in weight]) + bias
        hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
        gate = sigmoid(weight_1[:, :, 0, 0] @ hidden + bias_1)
        np.testing.assert_allclose(excited, gate[:, None, None] * map_, rtol=1e-12)


@torch.no_grad()
def test_the_gated_unit_is_the_first_half_times_the_sigmoid_of_the_second():
    features = random(2, 6, 3, 3)
    (gate,) = normalise_and_gate(3, batch_norm=False)
    first, second = features.numpy()[:, :3], features.numpy()[:, 3:]
    np.testing.assert_allclose(gate(features).numpy(), first * sigmoid(second), rtol=1e-14)


@torch.no_grad()
def test_noise_is_added_with_a_strength_that_begins_at_zero():
    features, noise, layer = random(2, 3, 4, 4), random(2, 1, 4, 4), Noise().double()
    assert torch.equal(layer(features, noise), features)
    layer.strength.fill_(0.5)
    torch.testing.assert_close(layer(features, noise), features + noise.expand(2, 3, 4, 4) / 2)


@torch.no_grad()
def test_doubling_repeats_pixels_convolves_normalises_and_gates():
    torch.manual_seed(0)
    layer = Double(2, 3, noise=True, batch_norm=True).double()
    layer.noise.strength.fill_(0.7)
    features, noise = random(4, 2, 3, 5), random(4, 1, 6, 10)
    repeated = np.pad(features.numpy().repeat(2, 2).repeat(2, 3), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(repeated, (3, 3), (2, 3))
    convolved = np.einsum("nchwij,ocij->nohw", windows, layer.convolve.weight.numpy()) + 0.7 * noise.numpy()
    mean, variance = convolved.mean((0, 2, 3), keepdims=True), convolved.var((0, 2, 3), keepdims=True)
    normal = (convolved - mean) / np.sqrt(variance + 1e-5)
    expected = normal[:, :3] * sigmoid(normal[:, 3:])
    np.testing.assert_allclose(layer(features, noise).numpy(), expected, rtol=1e-10)


@torch.no_grad()
def test_without_tanh_the_images_are_those_before_it():
    bare, limited = (Generator(image=(3, 32, 32), width=4, max_width=8, tanh=tanh).eval() for tanh in (False, True))
    bare.to_image.bias.fill_(2)
    limited.load_state_dict(bare.state_dict())
    images = bare(latents(bare))
    assert images.min() > 1
    torch.testing.assert_close(limited(latents(limited)), torch.tanh(images))


@torch.no_grad()
def test_halving_is_the_mean_of_a_path_of_two_convolutions_and_one_of_averaged_pixels():
    torch.manual_seed(0)
    layer = Halve(2, 3, batch_norm=False, convolution=make_plain).double()
    features = random(2, 2, 8, 8)
    strided, _, plain, _ = layer.main
    _, short, _ = layer.short

    def convolve(x, convolution, stride, padding):
        kernel = convolution.kernel_size
        padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, (2, 3))[:, :, ::stride, ::stride]
        y = np.einsum("nchwij,ocij->nohw", windows, convolution.weight.numpy())
        y += convolution.bias.numpy()[:, None, None]
        return np.where(y > 0, y, 0.2 * y)

    x = features.numpy()
    main = convolve(convolve(x, strided, 2, 1), plain, 1, 1)
    averaged = x.reshape(2, 2, 4, 2, 4, 2).mean((3, 5))
    expected = (main + convolve(averaged, short, 1, 0)) / 2
    np.testing.assert_allclose(layer(features).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_scores_and_decoded_images_have_their_sizes(size, channels):
    image = (channels, *size)
    generator, discriminator = (side(image=image, width=2, max_width=8) for side in (Generator, Discriminator))
    images = generator(latents(generator))
    assert images.shape == (4, *image)
    assert images.abs().max() <= 1
    scores, extras = discriminator(images, {})
    wide = max(size) // min(size) if max(size) % min(size) == 0 else max(size) / min(size)
    assert scores.shape == (4, 5, 8 * wide - 3)
    assert torch.equal(extras["seen"], images)
    assert [tuple(extras[key].shape[2:]) for key in ("large", "small")] == [(16, 16 * wide), (8, 8 * wide)]
    for name, key in (("whole", "small"), ("part", "large")):
        map_ = extras[key][:, :, :8, : int(8 * wide)]
        assert discriminator.decoders[name](map_).shape == (4, channels, size[0] // 2, size[1] // 2)


@pytest.mark.parametrize(
    "side, pairs",
    [
        (32, {(4, 32)}),
        (64, {(4, 32), (4, 64)}),
        (256, {(4, 32), (4, 64), (8, 128), (16, 256)}),
        (1024, {(4, 32), (4, 64), (8, 128), (16, 256), (32, 512)}),
    ],
)
def test_maps_excite_those_that_are_sixteen_times_as_large(side, pairs):
    with torch.device("meta"):
        generator = Generator(image=(3, side, side), width=1, max_width=4)
    found = {
        (generator.maps[0][0] * gate.gate[0].kernel_size, generator.maps[int(depth)][0])
        for depth, gate in generator.excite.items()
    }
    assert found == pairs


@torch.no_grad()
def test_a_sample_is_a_function_of_its_latents_and_noise_changes_details():
    generator = Generator(image=(3, 32, 32), width=4, max_width=16).eval()
    for block in generator.blocks:
        block.noise.strength.fill_(0.1)
    given = latents(generator)
    assert given["noise"].shape == (4, 8 * 8 + 16 * 16 + 32 * 32)
    images = generator(given)
    assert torch.equal(images, generator(given))
    other = generator(given | {"noise": latents(generator, seed=1)["noise"]})
    assert 0 < (images - other).abs().mean() < (images - images.roll(1, 0)).abs().mean()
    assert "noise" not in latents(Generator(image=(3, 32, 32), width=4, max_width=16, noise=False))


def test_without_batch_norm_nothing_ties_samples_together():
    image = (3, 32, 32)
    for side in (Generator, Discriminator):
        network = side(image=image, width=2, max_width=8, batch_norm=False)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@torch.no_grad()
def test_convolutions_of_the_discriminator_have_a_largest_singular_value_of_1():
    torch.manual_seed(0)
    discriminator = Discriminator(image=(3, 32, 32), width=4, max_width=16)
    for _ in range(30):
        discriminator(torch.randn(2, 3, 32, 32), {})
    discriminator.eval()
    for part in (discriminator.stem, discriminator.to_large, discriminator.to_small, discriminator.score):
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d):
                assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=1e-2)
