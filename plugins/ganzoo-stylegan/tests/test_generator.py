"""Mapping, mixing and truncation, against formulas for one sample at a time; the mean style, against a plain mean."""

import math

import pytest
import torch

from ganzoo_stylegan.generator import Generator

CLASSES = 3
OPTIONS = {"image": (3, 16, 16), "latent_size": 6, "w_size": 5, "mapping_layers": 3, "width": 2, "max_width": 4}


def built(**options):
    torch.manual_seed(0)
    generator = Generator(**OPTIONS, **options).double()
    for parameter in generator.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    generator.w_mean.normal_()
    return generator


def given(generator, n=4, **fixed):
    drawn = generator.latent(n, torch.Generator().manual_seed(1))
    drawn = {key: value.double() if value.is_floating_point() else value for key, value in drawn.items()}
    return drawn | {key: torch.as_tensor(value).expand(n) for key, value in fixed.items()}


def normed(vector):
    size = math.sqrt(sum(v * v for v in vector) / len(vector) + 1e-8)
    return [v / size for v in vector]


def w_of(mapping, z, label=None, rate=0.01):
    """Karras et al. 2019, section 2, for one noise vector: linear layers with LeakyReLU, number by number."""
    x = normed(z.tolist())
    if label is not None:
        x += normed(mapping.embed.weight[label].tolist())
    for layer in mapping.layers:
        weight, bias = layer.weight.tolist(), layer.bias.tolist()
        sums = [
            rate * (sum(a * b for a, b in zip(row, x, strict=True)) / math.sqrt(len(x)) + b)
            for row, b in zip(weight, bias, strict=True)
        ]
        x = [math.sqrt(2) * max(v, 0.2 * v) for v in sums]
    return torch.tensor(x, dtype=torch.float64)


@pytest.mark.parametrize("conditional", [False, True])
@torch.no_grad()
def test_styles_are_the_mapping_of_each_noise_with_its_label(conditional):
    generator = built(conditional=conditional, classes=CLASSES)
    latent = given(generator, label=torch.tensor([0, 2, 1, 2])) if conditional else given(generator)
    _, extras = generator(latent | {"crossover": torch.full((4,), 6)})
    for n, w in enumerate(extras["w"]):
        expected = w_of(generator.mapping, latent["z"][n], latent["label"][n] if conditional else None)
        assert len(w) == 6
        torch.testing.assert_close(w, expected.expand(6, -1), rtol=1e-7, atol=1e-9)


@torch.no_grad()
def test_styles_from_the_crossover_on_come_from_the_second_noise():
    generator = built()
    latent = given(generator, crossover=torch.tensor([1, 3, 5, 6]))
    for n, w in enumerate(generator(latent)[1]["w"]):
        first, second = (w_of(generator.mapping, latent[key][n]) for key in ("z", "z2"))
        expected = [first if layer < latent["crossover"][n] else second for layer in range(6)]
        torch.testing.assert_close(w, torch.stack(expected), rtol=1e-7, atol=1e-9)


def test_nine_images_in_ten_are_mixed_in_training_and_none_outside():
    generator = built()
    crossover = generator.latent(20_000, torch.Generator().manual_seed(0))["crossover"]
    assert (crossover < 6).float().mean().item() == pytest.approx(0.9, abs=0.01)
    counts = torch.bincount(crossover, minlength=7)
    assert counts[0] == 0 and (counts[1:6] / 20_000 - 0.9 / 5).abs().max() < 0.01
    for plain in (built(mixing=0.0), built().eval()):
        assert (plain.latent(1000, torch.Generator().manual_seed(0))["crossover"] == 6).all()


@pytest.mark.parametrize("conditional", [False, True])
@torch.no_grad()
def test_truncation_draws_the_first_styles_to_their_mean(conditional):
    generator = built(conditional=conditional, classes=CLASSES).eval()
    labels = {"label": torch.tensor([0, 2, 1, 2])} if conditional else {}
    psi, cutoff = [0.0, 0.5, 0.7, 1.0], [6, 6, 2, 6]
    latent = given(generator, truncation=torch.tensor(psi).double(), cutoff=torch.tensor(cutoff), **labels)
    for n, w in enumerate(generator(latent)[1]["w"]):
        label = latent["label"][n] if conditional else None
        mean = generator.w_mean[label] if conditional else generator.w_mean
        plain = w_of(generator.mapping, latent["z"][n], label)
        short = mean + psi[n] * (plain - mean)
        expected = [short if layer < cutoff[n] else plain for layer in range(6)]
        torch.testing.assert_close(w, torch.stack(expected), rtol=1e-7, atol=1e-9)


@torch.no_grad()
def test_in_training_nothing_is_truncated():
    generator = built()
    latent = given(generator)
    short = latent | {"truncation": torch.zeros(4).double()}
    assert generator(latent)[0].equal(generator(short)[0])


@torch.no_grad()
def test_the_mean_style_is_that_of_many_noise_vectors():
    generator = built().eval()
    batches = [given(generator, 64) for _ in range(3)]
    generator.finish(iter(batches))
    expected = torch.stack([w_of(generator.mapping, z) for batch in batches for z in batch["z"]]).mean(0)
    torch.testing.assert_close(generator.w_mean, expected, rtol=1e-7, atol=1e-9)


@torch.no_grad()
def test_each_class_has_a_mean_style_of_its_own():
    generator = built(conditional=True, classes=CLASSES).eval()
    batches = [given(generator, 16) for _ in range(4)]
    generator.finish(iter(batches))
    for label in range(CLASSES):
        styles = [w_of(generator.mapping, z, label) for batch in batches for z in batch["z"]]
        torch.testing.assert_close(generator.w_mean[label], torch.stack(styles).mean(0), rtol=1e-7, atol=1e-9)
    assert (generator.w_mean[0] - generator.w_mean[1]).abs().max() > 1e-4


@torch.no_grad()
def test_noise_changes_details_only_where_it_has_strength():
    generator = built().eval()
    latent = given(generator)
    other = latent | {"noise": -latent["noise"]}
    assert not generator(latent)[0].equal(generator(other)[0])
    for layer in generator.synthesis.layers:
        layer.noise_strength.zero_()
    assert generator(latent)[0].equal(generator(other)[0])


@torch.no_grad()
def test_an_image_is_the_same_alone_and_among_others():
    generator = built().eval()
    latent = given(generator, 5)
    alone = generator({key: value[3:4] for key, value in latent.items()})[0]
    torch.testing.assert_close(generator(latent)[0][3:4], alone, rtol=1e-12, atol=1e-12)


def test_users_fix_no_style_that_there_is_not():
    generator = built()
    styles = generator.latent(1, torch.Generator())["cutoff"].item()
    assert generator.ranges == {"cutoff": (0, styles), "crossover": (0, styles)}


@torch.no_grad()
def test_with_colours_the_last_style_chooses_those_that_an_image_mixes():
    generator = built(colours=2)
    latent = given(generator)
    images, extras = generator(latent)
    assert images.shape == (4, 3, 16, 16)
    for image, w in zip(images.flatten(2), extras["w"], strict=True):
        first, second = generator.palette.choose(w[-1:])[0].T
        shares = ((image.T - second) @ (first - second)) / (first - second).square().sum()
        assert shares.min() > -1e-9 and shares.max() < 1 + 1e-9
        torch.testing.assert_close(image.T, shares[:, None] * first + (1 - shares[:, None]) * second)


@pytest.mark.parametrize("colours", [1, -2])
def test_one_colour_and_fewer_are_refused(colours):
    with pytest.raises(ValueError, match=rf"^colours must be 0, for none, or at least 2, got {colours}$"):
        Generator(**OPTIONS, colours=colours)
