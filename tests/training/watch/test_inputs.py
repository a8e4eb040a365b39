"""A generator that makes its samples from real inputs: pictures and measurements have real ones."""

import pytest
import torch

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.evaluation.swd import SlicedWasserstein
from ganzoo.plugins.entries import INPUTS_FILE
from ganzoo.training.train import train
from ganzoo.zoo.kept import MAX_KEPT_BYTES, choose_kept, parse_kept, read_kept, serialize_kept
from ganzoo.zoo.sampling import draw
from model_folders import Conditional
from twins import Blind, Copyist, Twins

SETTINGS = {"batch": 20, "save_every": 2, "sample_every": 2, "log_every": 2}


def begin(out, steps=4, **more):
    return train(
        {"name": "twins"},
        data=Twins(),
        out=out,
        generator=Copyist,
        discriminator=Blind,
        losses=["hinge"],
        device="cpu",
        quiet=True,
        train={**SETTINGS, "steps": steps},
        **more,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return begin(tmp_path_factory.mktemp("twins") / "run")


def test_a_generator_that_returns_the_real_picture_is_as_good_as_real_pictures(run):
    assert [line["swd_ratio"] for line in run.metrics] == pytest.approx([1, 1])
    assert run.best_step == 2


def test_noise_in_place_of_the_inputs_is_not():
    yardstick = SlicedWasserstein(open_data(Twins()), 0, ["grey"])
    grey = yardstick.inputs["grey"]
    assert grey.shape == (150, 1, 8, 8)
    assert yardstick.ratio(grey) == pytest.approx(1)
    assert yardstick.ratio(grey[:64][torch.arange(150) % 64]) > 1
    assert yardstick.ratio(torch.rand(150, 1, 8, 8) * 2 - 1) > 3


@pytest.mark.parametrize(("makes", "measured"), [("grey", "grey"), (("label", "grey", "image"), "grey"), ("label", "")])
def test_of_several_outputs_the_first_that_is_an_image_is_measured(makes, measured):
    yardstick = SlicedWasserstein(open_data(Twins()), 0, ["image"], makes)
    assert (yardstick.image, yardstick.count > 0) == (measured, bool(measured))
    if measured:
        images = {"grey": (yardstick.inputs["image"] + 1) / 2, "image": torch.zeros(150, 1, 8, 8)}
        assert yardstick.measure([(images, {})])["swd_ratio"] == pytest.approx(1)


def test_a_row_of_a_picture_has_the_label_that_it_is_said_to_have():
    generator, fixed, kept = Conditional(), {"label": torch.tensor([3])}, {"label": torch.tensor([0, 1])}
    given = [given for _, given in draw(generator, 70, 0, torch.device("cpu"), fixed, kept)]
    assert {label for each in given for label in each["label"].tolist()} == {3}
    given = [given for _, given in draw(generator, 70, 0, torch.device("cpu"), {}, kept)]
    assert torch.equal(torch.cat([each["label"] for each in given]), torch.arange(70) % 2)


def test_a_run_keeps_distinct_real_inputs_and_draws_its_pictures_from_them(run):
    kept = read_kept(run.path / INPUTS_FILE)["grey"]
    assert kept.shape == (64, 1, 8, 8)
    real = [image.tobytes() for image in Twins().images]
    places = [real.index((each + 1).mul(127.5).round().byte().numpy().tobytes()) for each in kept]
    assert len(set(places)) == 64
    assert [path.name for path in sorted((run.path / "samples").iterdir())] == ["step-000002.png", "step-000004.png"]


def test_a_resumed_run_keeps_its_inputs(tmp_path, run):
    half = begin(tmp_path / "half", steps=2)
    before = (half.path / INPUTS_FILE).read_bytes()
    again = begin(tmp_path / "half", steps=4, resume=True)
    assert (again.path / INPUTS_FILE).read_bytes() == before == (run.path / INPUTS_FILE).read_bytes()
    assert again.metrics[-1]["swd_ratio"] == run.metrics[-1]["swd_ratio"]


@pytest.mark.parametrize("values", [torch.randint(0, 255, (5, 1, 2, 2)).byte().float() / 127.5 - 1, torch.randn(5, 3)])
def test_kept_inputs_come_back_as_they_were(values, tmp_path):
    inputs = {"a": values, "label": torch.arange(5), "mask": torch.ones(5, 1, 2, 2, dtype=torch.uint8)}
    found = parse_kept(serialize_kept(inputs), tmp_path)
    assert found.keys() == inputs.keys()
    assert all(torch.equal(found[key], inputs[key]) and found[key].dtype == inputs[key].dtype for key in inputs)


def test_fewer_are_kept_where_they_are_large_or_few():
    large = {"a": torch.rand(64, 3, 512, 512)}
    assert len(choose_kept(large, 1000)["a"]) == MAX_KEPT_BYTES // (3 * 512 * 512 * 4)
    assert len(choose_kept({"a": torch.rand(64, 2)}, 5)["a"]) == 5


@pytest.mark.parametrize("content", [b"", b"nothing", serialize_kept({"a": torch.zeros(2), "b": torch.zeros(3)})])
def test_a_damaged_file_of_inputs_is_refused_and_named(content, tmp_path):
    (tmp_path / INPUTS_FILE).write_bytes(content)
    with pytest.raises(ganzoo.Unavailable, match=INPUTS_FILE):
        read_kept(tmp_path / INPUTS_FILE)
