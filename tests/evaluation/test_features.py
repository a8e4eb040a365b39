"""The six metrics of features, against plain formulas and other programs, and what they are measured against."""

import gc
import json

import pytest
import torch
from torch.nn.functional import normalize

import ganzoo
from ganzoo.data.memory import hold_images
from ganzoo.data.sources import open_data
from ganzoo.evaluation import metrics, prdc
from ganzoo.evaluation.features import Features
from ganzoo.evaluation.real import RealSamples


class Colours(ganzoo.FeatureSuite):
    """Features that need no network: the mean of each colour, and how much it varies."""

    name, prefix = "colours-v1", "colours"

    def extract(self, samples):
        return torch.cat([samples.mean((2, 3)), samples.std((2, 3))], 1)

    def describe(self):
        return {"resize": "none"}


def noise(count, seed=0, channels=3):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, 8, 8), generator=rng, dtype=torch.uint8)


def suite_of(images, holdout=None):
    class Given(ganzoo.Dataset):
        kinds = {"image": "image"}  # noqa: RUF012

        def __len__(self):
            return len(images)

        def arrays(self):
            return {"image": images.numpy()}

    return Colours(RealSamples.of(open_data(Given(), holdout=holdout)))


PLUGIN = """
import ganzoo
import torch

@ganzoo.hookimpl
def register_metrics(register):
    register("stripes", "ganzoo_stripes:Stripes", data=["mnist-10k"], about="means of rows")

class Stripes(ganzoo.FeatureSuite):
    name, prefix, uses_pretrained = "stripes-v1", "stripes", ("stripes",)

    def extract(self, samples):
        return samples.mean(3).flatten(1)
"""


def rows_of(features):
    return {tuple(row) for row in features.values.mul(1e4).round().tolist()}


def test_kid_is_the_mean_over_all_pairs_in_which_no_sample_is_with_itself():
    real, fake = (torch.randn(count, 5, dtype=torch.float64) for count in (6, 4))
    suite = suite_of(noise(100))
    suite._reference = Features(real)
    x, y = normalize(fake), normalize(real)
    among = [sum((a @ b + 1) ** 3 for i, a in enumerate(z) for j, b in enumerate(z) if i != j) for z in (x, y)]
    between = sum((a @ b + 1) ** 3 for a in x for b in y) / (4 * 6)
    expected = among[0] / (4 * 3) + among[1] / (6 * 5) - 2 * between
    assert suite.kernel_distance(Features(fake)) == pytest.approx(expected.item(), rel=1e-10)


def test_fd_and_kid_agree_with_torch_fidelity_and_torchmetrics_on_the_same_features():
    pytest.importorskip("torch_fidelity", reason="needs the extra inception")
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    torch.manual_seed(0)
    real, fake = torch.rand(300, 16), torch.rand(300, 16) ** 1.2
    suite = suite_of(noise(100))
    suite._reference = Features(real)
    statistics = [fid_features_to_statistics(each.double()) for each in (real, fake)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert suite.frechet_distance(Features(fake)) == pytest.approx(theirs, rel=1e-6)
    whole = metrics.kernel_distance(normalize(real), normalize(fake), gamma=1.0)  # one subset has all of them
    assert suite.kernel_distance(Features(fake)) == pytest.approx(whole, rel=1e-5)


def test_the_chunks_of_a_kernel_change_nothing(monkeypatch):
    features, others = torch.rand(23, 4).double(), torch.rand(11, 4).double()
    whole = metrics.mean_kernel(features), metrics.mean_kernel(features, others)
    monkeypatch.setattr(metrics, "ROWS_PER_CHUNK", 5)
    assert (metrics.mean_kernel(features), metrics.mean_kernel(features, others)) == pytest.approx(whole, rel=1e-12)


def test_radii_of_several_neighbours_are_those_of_each():
    features = torch.rand(50, 3)
    found = prdc.all_radii(features, (3, 5))
    assert found.keys() == {3, 5}
    for k in found:
        torch.testing.assert_close(found[k], prdc.radii(features, k), rtol=0, atol=0)


@torch.no_grad()
def test_what_is_held_out_is_the_reference_and_the_training_images_are_the_control():
    suite = suite_of(noise(400), holdout=0.3)
    data = suite.real.data
    control = suite.control(200)
    held = suite.observe([((data.held_out.first(data.held_out.count, 0)["image"] + 1) / 2, {})])
    assert rows_of(suite.reference) == rows_of(held)
    assert len(rows_of(control)) == 200
    assert not rows_of(control) & rows_of(suite.reference)
    about = suite.protocol(200)
    assert about["reference"] == f"{data.held_out.count} samples of Given that were held out"
    assert about["real"] == "200 other samples of Given, those of the training"
    assert about["resize"] == "none"


@torch.no_grad()
def test_where_few_are_learned_from_others_that_are_held_out_are_the_control():
    suite = suite_of(noise(1000), holdout=0.9)
    data, held = suite.real.data, suite.real.held_out
    assert data.count < 150 and suite.most_samples() == held.data.count // 2
    control = suite.control(300)
    whole = suite.observe(held.pieces(held.data.count)).values.tolist()
    assert suite.reference.values.tolist() == whole[: held.data.count - 300]
    assert control.values.tolist() == whole[held.data.count - 300 :]
    about = suite.protocol(300)
    assert about["reference"] == f"{held.data.count - 300} samples of Given that were held out"
    assert about["real"] == "300 other samples of Given that were held out, too"


def test_without_a_part_held_out_reference_and_control_are_parts_of_the_data():
    suite = suite_of(noise(400))
    control, about = suite.control(150), suite.protocol(150)
    assert (about["reference"], about["real"]) == ("250 samples of Given", "150 other samples of Given")
    assert not rows_of(control) & rows_of(suite.reference)
    for metric in suite.metrics.values():
        assert metric.measure(control) == metric.measure(suite.control(150))


@pytest.mark.parametrize(
    ("holdout", "n", "sentence"),
    [
        (None, 201, "Given has 400 images, half of them to compare with: measure at most 200, not 201"),
        (0.3, 300, r"Given has \d+ images: measure at most \d+, not 300"),
        (0.05, 100, r"Given holds \d+ images out, and 50 are needed: raise data.holdout"),
    ],
)
def test_too_few_images_are_refused_with_the_number_that_there_are(holdout, n, sentence):
    with pytest.raises(ganzoo.BadInput, match=f"^{sentence}$"):
        suite_of(noise(400), holdout).control(n)


def test_images_of_another_shape_than_the_data_are_refused():
    suite = Colours(RealSamples.of(hold_images("squares", noise(100))))
    suite.check_data({"kind": "image", "shape": [3, 8, 8]})
    with pytest.raises(ganzoo.BadInput, match="this model makes images of 3 x 16 x 16, squares has 3 x 8 x 8"):
        suite.check_data({"kind": "image", "shape": [3, 16, 16]})


def test_nothing_is_compared_before_there_is_a_reference():
    with pytest.raises(ValueError, match=r"call control\(n\) first"):
        _ = suite_of(noise(100)).reference


def test_a_measurement_that_fails_leaves_gradients_on():
    suite = suite_of(noise(400))
    suite.extract = lambda samples: samples.no_such_thing
    with torch.no_grad(), pytest.raises(AttributeError) as error:
        suite.control(100)
    del error
    gc.collect()
    assert torch.is_grad_enabled()


def test_a_plugin_brings_such_a_suite(site, typed):
    site.install("ganzoo-stripes", PLUGIN)
    words = ["evaluate", "dcgan-mnist", "--data", "mnist-10k", "--device", "cpu", "-n", "60", "--json"]
    code, out, said = typed(*words, "--metrics", "stripes-fd,stripes-coverage")
    assert code == 0, said
    scores = json.loads(out)
    assert scores["stripes-fd"]["generated"] > scores["stripes-fd"]["real"] > 0
    assert scores["protocol"]["stripes-v1"]["reference"] == "1000 samples of mnist-10k"
