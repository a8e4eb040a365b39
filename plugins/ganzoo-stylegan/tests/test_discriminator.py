"""Residual blocks and scores, against plain layers put together by hand."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, pad

import ganzoo
from ganzoo_losses.penalties import R1
from ganzoo_stylegan.discriminator import Block, Discriminator

toys = ganzoo.testing.toys
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
SMALL = {"image": (2, 16, 16), "width": 3, "max_width": 6, "mapping_layers": 2}


def built(network):
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network.double()


def filtered(maps, padding):
    maps = pad(maps, (padding,) * 4)
    maps = sum(tap * maps[:, :, k : maps.shape[2] - 3 + k] for k, tap in enumerate(TAPS))
    return sum(tap * maps[:, :, :, k : maps.shape[3] - 3 + k] for k, tap in enumerate(TAPS))


def leaky(x):
    return math.sqrt(2) * torch.where(x > 0, x, 0.2 * x)


def equalised(layer, x, **options):
    weight = layer.weight / math.sqrt(layer.weight[0].numel())
    return conv2d(x, weight, layer.bias, **options) if weight.dim() == 4 else x @ weight.T + layer.bias


@torch.no_grad()
def test_a_block_is_two_convolutions_and_a_way_past_them():
    torch.manual_seed(0)
    block, features = built(Block(4, 5)), torch.randn(2, 4, 6, 8).double()
    inner = leaky(equalised(block.conv0, features, padding=1))
    inner = leaky(equalised(block.conv1, filtered(inner, 2), stride=2))
    outer = equalised(block.skip, filtered(features, 1)[:, :, ::2, ::2])
    result = block(features)
    assert result.shape == (2, 5, 3, 4)
    torch.testing.assert_close(result, (inner + outer) / math.sqrt(2), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("conditional", [False, True])
@torch.no_grad()
def test_scores_come_from_features_that_are_compared_within_groups(conditional):
    torch.manual_seed(0)
    judge = built(Discriminator(**SMALL, conditional=conditional, classes=4))
    images, label = torch.randn(8, 2, 16, 16).double(), torch.randint(4, (8,))
    maps = judge.blocks(leaky(equalised(judge.from_image, images)))
    spread = [maps[g : g + 4].std(0, correction=0).square().add(1e-8).sqrt().mean() for g in (0, 4)]
    compared = torch.stack([torch.full((1, 4, 4), spread[n // 4].item()).double() for n in range(8)])
    features = leaky(equalised(judge.last, torch.cat([maps, compared], 1), padding=1))
    scores = equalised(judge.score, leaky(equalised(judge.hidden, features.flatten(1))))
    if conditional:
        vectors = judge.mapping(None, label)
        expected = [sum(a * b) / math.sqrt(len(a)) for a, b in zip(scores, vectors, strict=True)]
    else:
        expected = scores[:, 0]
    torch.testing.assert_close(
        judge(images, {"label": label}), torch.as_tensor(torch.stack(list(expected))), rtol=1e-9, atol=1e-9
    )


@torch.no_grad()
def test_a_group_of_one_judges_each_image_by_itself():
    torch.manual_seed(0)
    images = torch.randn(8, 2, 16, 16)
    for group, is_alone in ((1, True), (4, False)):
        judge = Discriminator(**SMALL, group=group)
        assert torch.allclose(judge(images, {})[:1], judge(images[:1], {}), rtol=0, atol=1e-6) is is_alone


def test_r1_is_half_gamma_times_the_squared_slope_by_central_differences():
    torch.manual_seed(0)
    judge = built(Discriminator(image=(1, 16, 16), width=2, max_width=2, group=2))
    images = torch.randn(2, 1, 16, 16).double()
    step = toys.make_step("discriminator", toys.TinyGenerator((1, 16, 16)).double(), judge, {"image": images}, {})
    penalty = R1(gamma=3.0).discriminator(step)["penalty"]
    slopes = toys.central_differences(lambda: judge(images, {}).sum(), images)
    assert penalty.item() == pytest.approx(3 / 2 * slopes.square().sum().item() / 2, rel=1e-5)
