"""What plugins are checked with: sizes of images, recipes for other data, and models that they bring."""

import re

import pytest

import ganzoo
from checking import SOURCE, endings, source, takes
from ganzoo.plugins.catalog import catalog
from ganzoo.zoo.publishing.bundle import bundle
from tinyplugin import add, failed, install, results


def test_an_architecture_that_refuses_every_size_fails_once_with_the_refusal(site):
    install(site, ("networks.py", "self.image = image", "raise ValueError('only squares of 7')"))
    outcome = results("architecture", image=None)
    assert failed(outcome) == {
        "tiny-builds-with-every-option": "architecture 'tiny': only squares of 7; tried images of 1 x 28 x 28, "
        "1 x 32 x 32, 3 x 64 x 64, 3 x 32 x 32, 3 x 128 x 128, 3 x 256 x 256: give another by "
        "checks(..., image=(c, h, w)) or check --image c,h,w"
    }
    assert endings(outcome) == {"failed", "skipped"}


@pytest.mark.parametrize("condition", ["image[1] >= 64", "image == (3, 32, 32)", "image[1] >= 128"])
def test_sizes_are_tried_in_turn(site, condition):
    install(site, takes(condition))
    assert endings(results("architecture", image=None)) == {"ok"}


def test_what_is_broken_in_any_shape_is_told_without_advice_on_shapes(site):
    install(site, ("networks.py", "self.image = image", "raise KeyError('size')"))
    outcome = results("architecture", image=None)
    assert failed(outcome) == {"tiny-builds-with-every-option": "architecture 'tiny' failed: KeyError: 'size'"}


@pytest.mark.parametrize("data", ['"cifar10"', '{ name = "nowhere/pictures", size = 16, channels = 1 }'])
def test_a_recipe_for_other_data_trains_on_random_images_of_its_size(site, data, monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "none"))
    install(site, ("recipes/tiny.toml", "loss =", f"data = {data}\nloss ="))
    assert results("recipe") == {"tiny-trains-and-samples": ("ok", "")}
    assert not (tmp_path / "none").exists()


def test_a_recipe_for_batches_of_python_code_is_skipped_unless_they_are_given(site):
    install(site, *SOURCE, ("recipes/tiny.toml", "loss =", 'data = "batches"\nloss ='))
    ((result, reason),) = results("recipe").values()
    assert (result, reason[:51]) == ("skipped", "it learns from batches that Python code gives: give")
    images = lambda n, rng: {"image": source(n, rng)["source"], **source(n, rng)}  # noqa: E731
    assert results("recipe", batch=images) == {"tiny-trains-and-samples": ("ok", "")}


@pytest.fixture
def shipped(site, tmp_path):
    """The sound plugin with a model in its package."""
    install(site)
    run = ganzoo.train("tiny", out=tmp_path / "run", device="cpu", train={"steps": 2}, quiet=True)
    package = site.folder / "tiny_gan"
    text = bundle(str(run.path), package / "pretrained" / "small", "mit")
    add(site, {"registry.toml": text})
    catalog.cache_clear()
    return package


def test_a_model_in_the_package_is_loaded_and_sampled(shipped):
    assert results("model") == {"small-loads-and-samples": ("ok", "")}


def test_a_damaged_model_in_the_package_is_caught(shipped):
    (shipped / "pretrained" / "small" / "model.safetensors").write_bytes(b"damaged")
    (reason,) = failed(results("model")).values()
    assert "model.safetensors is not the file that the registry pins as 'small'" in reason


def test_a_model_on_the_hub_is_skipped(shipped):
    registry = shipped / "registry.toml"
    registry.write_text(re.sub('source = ".*"', f'source = "hub:owner/name@{"0" * 40}"', registry.read_text()))
    catalog.cache_clear()
    assert results("model") == {"small-loads-and-samples": ("skipped", "it is on the Hub, and checks use no network")}
