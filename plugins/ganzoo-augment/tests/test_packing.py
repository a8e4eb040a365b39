"""Packs of samples, which the discriminator judges at once."""

import pytest
import torch

import ganzoo
from ganzoo_augment.packing import Pac

SMALL = {"data": "mnist-10k", "device": "cpu", "train.precision": "fp32", "train.batch": 8, "train.steps": 3}
LOSSES = ["non-saturating", {"name": "pac", "count": 4}]


def test_a_pack_is_the_samples_one_after_the_other_and_others_stay_as_they_are():
    images = (
        torch.arange(6 * 2 * 3, dtype=torch.float64).reshape(6, 2, 3, 1).contiguous(memory_format=torch.channels_last)
    )
    packs = Pac(count=3).view(None, images, {})
    assert packs.equal(torch.stack([torch.cat([*images[:3]]), torch.cat([*images[3:]])]))
    points = torch.arange(8.0).reshape(4, 2)
    assert Pac(count=2).view(None, points, {}).equal(torch.tensor([[0.0, 1, 2, 3], [4, 5, 6, 7]]))


def test_the_discriminator_is_built_for_packs():
    assert Pac(count=4).seen_facts({"image": (3, 32, 48), "classes": None}) == {"image": (12, 32, 48), "classes": None}
    assert Pac(count=4).seen_facts({"point": (2,), "rate": (1, 2)}) == {"point": (8,), "rate": (1, 2)}


def train(out, **changes):
    return ganzoo.train("dcgan", **SMALL | {"loss": LOSSES} | changes, out=out)


def weights(run):
    return ganzoo.load(run.path).generator.state_dict()


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    train(tmp_path / "split")
    split = train(tmp_path / "split", **{"train.steps": 6, "resume": True})
    whole = train(tmp_path / "whole", **{"train.steps": 6})
    assert all(weights(split)[name].equal(value) for name, value in weights(whole).items())


def test_the_kept_discriminator_judges_packs_and_a_training_can_begin_with_it(tmp_path):
    run = train(tmp_path / "kept", **{"train.keep_discriminator": True, "train.ema": 0.0})
    model = ganzoo.load(run.path)
    assert model.discriminator(torch.zeros(2, 4, 28, 28), {}).shape == (2,)
    with pytest.raises(ganzoo.BadInput, match=r"does not score single samples: .* image of shape \(4, 28, 28\)"):
        model.score(model.sample(4))
    again = train(tmp_path / "again", **{"train.init": str(run.path), "optimizer.lr": 1e-9, "train.ema": 0.0})
    weight = "network.0.weight"
    torch.testing.assert_close(weights(again)[weight], weights(run)[weight], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "changes", "sentence"),
    [
        ("dcgan", {"train.batch": 10}, "loss 'pac': a batch of 10 cannot be divided into packs of 4"),
        ("conditional", {}, "loss 'pac': a pack has no label of its own: take a generator without labels"),
        (
            "dcgan",
            {"loss": ["non-saturating", {"name": "pac", "count": 0}]},
            "loss 'pac': count must be at least 1, got 0",
        ),
    ],
)
def test_what_cannot_be_packed_is_refused_in_a_sentence(tmp_path, recipe, changes, sentence):
    with pytest.raises(ganzoo.BadInput) as error:
        ganzoo.train(recipe, **SMALL | {"loss": LOSSES} | changes, out=tmp_path / "run")
    assert str(error.value).startswith(sentence)


def test_points_are_packed(tmp_path):
    changes = {"device": "cpu", "train.steps": 2, "train.precision": "fp32"}
    run = ganzoo.train("ring8", loss=["non-saturating", "pac"], **changes, out=tmp_path / "run")
    assert ganzoo.load(run.path).sample(3).shape == (3, 2)
