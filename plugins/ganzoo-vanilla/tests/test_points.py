import pytest
import torch
from torch import nn

from ganzoo_vanilla.points import Discriminator, Generator


def noise(n, generator):
    return generator.latent(n, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dimensions", [1, 2, 7])
def test_points_of_any_dimension_lie_anywhere_and_have_one_raw_score_each(dimensions):
    generator, discriminator = Generator(point=(dimensions,)), Discriminator(point=(dimensions,))
    points = generator({"z": 1000 * torch.randn(6, 2)})
    assert points.shape == (6, dimensions)
    assert points.abs().max() > 1
    scores = discriminator(1000 * torch.randn(6, dimensions), {})
    assert scores.shape == (6,)
    assert scores.abs().max() > 1


@torch.no_grad()
def test_the_networks_have_the_layers_that_are_written_out_here():
    generator = Generator(point=(2,), latent_size=3, widths=(4, 5), activation="tanh", batch_norm=True)
    discriminator = Discriminator(point=(2,), widths=(4,), activation="elu")
    made = nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 5), nn.Tanh(), nn.BatchNorm1d(5), nn.Linear(5, 2)
    )
    score = nn.Sequential(nn.Linear(2, 4), nn.ELU(), nn.Linear(4, 1))
    for network, example in ((generator, made), (discriminator, score)):
        for from_, to in zip(example.state_dict().values(), network.state_dict().values(), strict=True):
            to.copy_(from_)
    latent, points = noise(8, generator), torch.randn(8, 2)
    torch.testing.assert_close(generator(latent), made(latent["z"]))
    torch.testing.assert_close(discriminator(points, {}), score(points).squeeze(1))


def test_no_width_at_all_makes_linear_maps():
    generator, discriminator = Generator(point=(2,), widths=()), Discriminator(point=(2,), widths=())
    assert [type(layer) for layer in generator.network] == [nn.Linear]
    assert [type(layer) for layer in discriminator.network] == [nn.Linear, nn.Flatten]


@pytest.mark.parametrize("side", [Generator, Discriminator])
def test_a_width_of_nothing_is_refused_in_a_sentence(side):
    with pytest.raises(ValueError, match=r"^widths must all be at least 1, got \[8, 0\]$"):
        side(point=(2,), widths=(8, 0))


def test_a_latent_of_no_length_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^latent_size must be at least 1, got 0$"):
        Generator(point=(2,), latent_size=0)
