"""A run that was stopped goes on as if nothing had happened: N steps are k steps, a stop, and N - k steps."""

import pytest
import torch
from PIL import Image

import ganzoo
from trainings import Heard, Power, assert_same, broken_off, log, resume, state, tiny, train_with

TINY = tiny(steps=11, log_every=3)
train = train_with(TINY)

RECIPES = ["vanilla", "dcgan", "wgan", "wgan-gp", "conditional", "infogan"]


def small(recipe):
    return {"architecture": {"widths": [16]} if recipe == "vanilla" else {"width": 8}}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", [pytest.param("fp32", marks=pytest.mark.slow), "bf16"])
def test_every_recipe_goes_on_bit_for_bit(tmp_path, recipe, precision):
    settings = {"train": {"steps": 11, "batch": 8, "log_every": 3, "precision": precision}, **small(recipe)}
    whole = train(tmp_path / "whole", recipe, **settings)
    # R1 of dcgan plays on every eighth turn: before, at and after the second time.
    broken = broken_off(tmp_path / "broken", [1, 4, 7, 8, 9], recipe, **settings)
    assert_same(whole.path, broken.path)
    assert log(whole, "swd_ratio") == log(broken, "swd_ratio")
    assert [line["step"] for line in log(whole, "swd_ratio")] == [3, 6, 9, 11]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_recipe_goes_on_bit_for_bit_from_each_of_twenty_steps(tmp_path, recipe, precision):
    settings = {"train": {"steps": 21, "batch": 8, "log_every": 3, "precision": precision}, **small(recipe)}
    whole = train(tmp_path / "whole", recipe, **settings)
    for step in range(1, 20):
        broken = broken_off(tmp_path / str(step), [step], recipe, **settings)
        assert_same(whole.path, broken.path)
        assert log(whole, "swd_ratio") == log(broken, "swd_ratio")


@pytest.mark.parametrize("recipe", ["vanilla", "dcgan"])
def test_more_steps_asked_for_later_come_to_the_same(tmp_path, recipe):
    settings = {"batch": 8, "log_every": 3, "save_every": 100, "precision": "fp32"}
    whole = train(tmp_path / "whole", recipe, train={"steps": 11, **settings}, **small(recipe))
    part = train(tmp_path / "part", recipe, train={"steps": 4, **settings}, **small(recipe))
    assert [line["step"] for line in log(part, "swd_ratio")] == [3, 4]
    longer = resume(part.path, train={"steps": 11})
    assert_same(whole.path, longer.path)
    # The line of step 4, which was due only because it was the last, is gone.
    assert log(whole, "swd_ratio") == log(longer, "swd_ratio")


def test_an_average_that_is_renewed_less_often_goes_on_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.engine.average.FIRST_STEPS", 2)
    whole = train(tmp_path / "whole")
    assert_same(whole.path, broken_off(tmp_path / "broken", [3, 4, 6, 9], TINY).path)


OPTIMIZERS = {
    "adam": {"betas": [0.0, 0.9], "schedule": "cosine", "warmup": 3},
    "adamw": {"weight_decay": 0.1, "clip_norm": 0.5, "schedule": "linear"},
    "rmsprop": {"momentum": 0.5},
    "sgd": {"momentum": 0.9, "lr": 1e-3},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("channels_last", [True, False])
def test_every_optimizer_goes_on_bit_for_bit_in_either_layout(tmp_path, name, channels_last):
    recipe = ganzoo.Recipe.load("dcgan", **small("dcgan"), optimizer={"name": name, **OPTIMIZERS[name]})
    settings = {"train": TINY["train"] | {"channels_last": channels_last}}
    whole = train(tmp_path / "whole", recipe, **settings)
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], recipe, **settings).path)


def test_gradient_scalers_and_accumulation_go_on_bit_for_bit(tmp_path):
    settings = {"train": TINY["train"] | {"precision": "fp16", "accumulate": 2, "critic_steps": 2, "ema": 0.5}}
    whole = train(tmp_path / "whole", **settings)
    scale = state(whole.path).numbers["scalers"]["discriminator"]
    assert scale["_growth_tracker"] or scale["scale"] < 2**16
    assert_same(whole.path, broken_off(tmp_path / "broken", [4, 9], TINY, **settings).path)


def test_a_losss_state_and_torchs_own_random_numbers_go_on(tmp_path, pull):
    recipe = TINY | {"loss": ["non-saturating", "pull"]}
    whole = train(tmp_path / "whole", recipe)
    assert state(whole.path).tensors["loss.pull.strength"] != 1
    assert_same(whole.path, broken_off(tmp_path / "broken", [3, 5], recipe).path)


def test_a_stream_of_pictures_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 3)
    (tmp_path / "pictures").mkdir()
    for number in range(20):
        Image.new("L", (28, 28), 12 * number).save(tmp_path / "pictures" / f"{number:02d}.png")
    (tmp_path / "pictures" / "07.png").write_text("no picture")
    settings = {"data.name": str(tmp_path / "pictures"), "data.size": 28}
    whole = train(tmp_path / "whole", **settings)
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], TINY, **settings).path)


class Pictures(torch.utils.data.Dataset):
    """Forty pictures, half of them turned over by torch's own random numbers."""

    def __len__(self):
        return 40

    def __getitem__(self, index):
        image = torch.linspace(-1, 1, 28)[:, None].expand(28, 28) * (index / 40)
        return {"image": (image.flip(0) if torch.rand(()) < 0.5 else image)[None].clone()}


def shuffled(workers=0):
    return torch.utils.data.DataLoader(Pictures(), batch_size=8, shuffle=True, num_workers=workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shuffling_loader_of_python_code_goes_on_where_it_was(tmp_path, workers):
    # An epoch has five batches; dropout draws from the same generator as the loader would.
    recipe = TINY | {"architecture": {**TINY["architecture"], "discriminator": {"widths": [16], "dropout": 0.3}}}
    whole = train(tmp_path / "whole", recipe, data=shuffled(workers))
    for step in (3, 5, 7):
        out = tmp_path / str(step)
        with pytest.raises(Power):
            settings = {"train.save_every": step, "heard": Heard(step + 1)}
            train(out, recipe, data=shuffled(workers), **settings)
        assert_same(whole.path, resume(out, data=shuffled(workers)).path)


def test_a_run_that_was_never_saved_starts_at_the_beginning(tmp_path):
    whole, heard = train(tmp_path / "whole"), Heard()
    with pytest.raises(Power):
        train(tmp_path / "broken", heard=Heard(5))
    again = resume(tmp_path / "broken", heard)
    assert any("has no checkpoint yet; starting from the beginning" in line for line in heard.lines)
    assert_same(whole.path, again.path, but=())
    assert log(whole, "swd_ratio") == log(again, "swd_ratio")


COUNTING = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("counting", generator="unruly:Counting", discriminator="ganzoo_vanilla.networks:Discriminator")
"""


def test_buffers_that_are_not_persistent_go_on_too(tmp_path, site):
    site.install("ganzoo-counting", COUNTING)
    recipe = TINY | {"architecture": "counting"}
    whole = train(tmp_path / "whole", recipe)
    assert state(whole.path).tensors["generator.calls"] > 11
    assert_same(whole.path, broken_off(tmp_path / "broken", [4], recipe).path)
