import importlib
import math

import pytest
import torch

import ganzoo
import ganzoo_losses
from ganzoo_losses.adversarial import Hinge, LabelSmoothing, LeastSquares, Relativistic
from ganzoo_losses.generator import FeatureMatching, TopK
from ganzoo_losses.history import HistoricalAveraging
from ganzoo_losses.labels import Auxiliary, DataToData
from ganzoo_losses.penalties import R1, R2, Dragan
from ganzoo_losses.unrolled import Unrolled

toys = ganzoo.testing.toys


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (R1, {"gamma": 0.0}, "gamma must be a number greater than 0, got 0.0"),
        (R2, {"gamma": math.nan}, "gamma must be a number greater than 0, got nan"),
        (Dragan, {"noise": -0.5}, "noise must be a number greater than 0, got -0.5"),
        (Dragan, {"target": -1.0}, "target must be a number of 0 or more, got -1.0"),
        (LabelSmoothing, {"amount": 1.0}, "amount must be at least 0 and below 1, got 1.0"),
        (TopK, {"share": 0.0}, "share must be above 0 and at most 1, got 0.0"),
        (Unrolled, {"steps": 0}, "steps must be at least 1, got 0"),
        (Unrolled, {"rate": 0.0}, "rate must be a number greater than 0, got 0.0"),
        (Auxiliary, {"temperature": 0.0}, "temperature must be a number greater than 0, got 0.0"),
        (DataToData, {"temperature": -1.0}, "temperature must be a number greater than 0, got -1.0"),
        (DataToData, {"positive_margin": 2.0}, "positive_margin must lie between -1 and 1, got 2.0"),
        (LeastSquares, {"fool": math.inf}, "the targets must be finite numbers, got real 1.0, fake 0.0 and fool inf"),
    ],
)
def test_options_out_of_range_are_refused(loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss(**options)


@pytest.mark.parametrize(
    "losses",
    [
        [LeastSquares()],
        [Hinge()],
        [Hinge(), Dragan()],
        [Relativistic(), R1(), R2()],
        [Unrolled(steps=2)],
        [Hinge(), FeatureMatching()],
        [Hinge(), HistoricalAveraging()],
    ],
)
def test_the_engine_plays_them_together(losses):
    torch.manual_seed(0)
    engine = ganzoo.Engine(
        toys.TinyGenerator(),
        toys.TinyCritic(scores=(1, 4, 4), scale=4),
        losses,
        device="cpu",
        train={"precision": "fp32"},
    )
    before = [parameter.clone() for parameter in engine.generator.parameters()]
    means = engine.run([{"image": torch.full((8, 1, 2, 2), 0.5)}], 5)
    assert {name.split("/")[1] for name in means} == {type(loss).__name__ for loss in losses}
    assert all((a != b).any() for a, b in zip(before, engine.generator.parameters(), strict=True))


def test_every_name_registered_leads_to_a_loss():
    found = {}
    ganzoo_losses.register_losses(found.__setitem__)
    assert found.keys() == ganzoo_losses.LOSSES.keys()
    for path in found.values():
        module, name = path.split(":")
        assert issubclass(getattr(importlib.import_module(module), name), ganzoo.Loss)
