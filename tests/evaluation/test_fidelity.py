"""Other networks of torch-fidelity: through the same door as lite0-v1 where they can be had, one sentence otherwise."""

import sys

import pytest
import torch

import ganzoo
from ganzoo.data.memory import hold_images
from ganzoo.evaluation.fidelity import ClipSuite, DinoSuite
from ganzoo.evaluation.lookup import find_suites
from ganzoo.evaluation.real import RealSamples

WORDS = ["evaluate", "dcgan-mnist", "--device", "cpu", "--data", "mnist-10k", "-n", "50"]
NETWORKS = pytest.mark.parametrize(("suite", "name"), [(DinoSuite, "dinov2"), (ClipSuite, "clip")])


def squares(count=150):
    rng = torch.Generator().manual_seed(0)
    return hold_images("squares", torch.randint(0, 256, (count, 1, 8, 8), generator=rng, dtype=torch.uint8))


@NETWORKS
@torch.no_grad()
def test_six_metrics_are_computed_from_its_features_of_rgb_bytes(suite, name, monkeypatch):
    pytest.importorskip("torch_fidelity", reason="needs the extra inception")
    seen = []

    class Glance(torch.nn.Module):
        def __init__(self, own_name, features):
            super().__init__()
            assert (own_name, features) == (suite.name, [name])

        def forward(self, images):
            seen.append((images.dtype, tuple(images.shape[1:])))
            return (images.float().flatten(1)[:, ::17],)

    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    monkeypatch.setitem(FEATURE_EXTRACTORS_REGISTRY, suite.name, Glance)
    made = suite(RealSamples.of(squares()))
    control = made.control(60)
    assert list(made.metrics)[:2] == [f"{name}-fd", f"{name}-kid"]
    assert all(metric.measure(control) == metric.measure(control) for metric in made.metrics.values())
    assert {*seen} == {(torch.uint8, (3, 8, 8))}
    assert made.protocol(60)["weights"] == "torch-fidelity's own"


@NETWORKS
def test_it_is_measured_on_request_alone(suite, name):
    data = squares().description
    found = find_suites(data, RealSamples.of(squares()))
    assert suite.name in [each.name for each in found.all]
    assert suite.name not in [each.name for each in found.default]


@NETWORKS
def test_without_network_or_package_one_sentence_says_so(suite, name, typed, tmp_path, monkeypatch):
    pytest.importorskip("torch_fidelity", reason="needs the extra inception")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody answers
    code, out, said = typed(*WORDS, "--metrics", f"{name}-fd")
    assert (code, out, said.count("\n")) == (4, "", 1)
    assert f"the network '{suite.name}' of torch-fidelity cannot be downloaded" in said
    monkeypatch.setitem(sys.modules, "torch_fidelity.registry", None)
    code, _, said = typed(*WORDS, "--metrics", f"{name}-fd")
    assert code == 2
    assert f"'{suite.name}' needs the package torch-fidelity: pip install torch-fidelity" in said


def test_images_of_five_channels_are_refused():
    suite = DinoSuite(RealSamples.of(hold_images("deep", torch.zeros(60, 5, 8, 8, dtype=torch.uint8))))
    with pytest.raises(ganzoo.BadInput, match="dinov2-vit-s-14 sees images of 1 to 4 channels, and these have 5"):
        suite.check_data({"kind": "image", "shape": [5, 8, 8]})
