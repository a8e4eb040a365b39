"""Inception's metrics: by torch-fidelity on weights from a file, and the sentences where they cannot be had."""

import json
import sys

import pytest
import torch
from torch.utils.data import Subset

import ganzoo
from ganzoo.data.batches import Batches
from ganzoo.data.sources import open_data
from ganzoo.evaluation.inception import InceptionSuite
from ganzoo.evaluation.pixels import to_rgb_bytes
from ganzoo.evaluation.real import RealSamples

pytest.importorskip("torch_fidelity")

WORDS = ["evaluate", "dcgan-mnist", "--device", "cpu", "--data", "mnist-10k"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as torch-fidelity wants it, with random weights: what they are does not matter here."""
    from torch_fidelity import feature_extractor_inceptionv3 as module

    class Untrained(module.FeatureExtractorInceptionV3):
        def load_state_dict(self, *_, **__):
            pass

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    network = Untrained("untrained", ["2048"], feature_extractor_weights_path=str(path))
    torch.save(network.state_dict(), path)
    return path


class Glance(torch.nn.Linear):
    """Sees the mean of an image only."""

    def __init__(self):
        super().__init__(1, 2048)
        self.calls = 0

    def forward(self, pixels):
        self.calls += 1
        seen = super().forward(pixels.double().mean((1, 2, 3))[:, None].float() / 255)
        return seen, seen[:, :1008]


def test_images_are_looked_at_piece_by_piece_and_half_of_the_real_ones_are_the_control():
    data = open_data("mnist-10k")
    suite = InceptionSuite(RealSamples.of(data))
    suite._network = network = Glance()

    def pieces():
        for number in range(3):
            assert network.calls == number
            yield torch.full((64, 1, 28, 28), number / 2), {}

    with torch.no_grad():
        seen, means = suite.observe(pieces()), torch.tensor([0, 128 / 255, 1]).repeat_interleave(64)[:, None]
        assert torch.allclose(seen.features, torch.nn.functional.linear(means, network.weight, network.bias))
        control = suite.control(100)
        real = (next(data.batches(200, 0))["image"] + 1).div(2).mean((1, 2, 3))[:, None]
        wanted = torch.nn.functional.linear(real, network.weight, network.bias)
    assert torch.allclose(torch.cat([suite.reference.features, control.features]), wanted, atol=1e-5)
    assert control.scores.shape == (100, 1008)


@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_parts_are_white_to_inception(channels):
    images = torch.full((1, channels, 2, 2), 0.4)
    images[:, -1] = torch.tensor([[0.0, 1.0], [0.25, 1.0]])
    pixels = to_rgb_bytes(images)
    assert pixels.shape == (1, 3, 2, 2) and pixels[0, 0].tolist() == [[255, 102], [217, 102]]


def test_images_of_more_channels_are_refused():
    about = {"kind": "image", "shape": [5, 8, 8]}
    real = RealSamples.of(Batches([{"image": torch.zeros(8, 5, 8, 8)}]))
    with pytest.raises(ganzoo.BadInput, match="Inception sees images of 1 to 4 channels, and these have 5"):
        InceptionSuite(real).check_data(about)


@pytest.fixture
def run(typed):
    """A command as it is typed."""
    return typed


@pytest.mark.slow
def test_samples_score_as_torch_fidelity_scores_their_pictures(command, weights):
    from torch_fidelity import calculate_metrics

    names = ["--metrics", "inception-score,inception-kid", "-n", "100"]
    done = command(*WORDS, *names, "--inception-weights", weights, "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    assert command("sample", "dcgan-mnist", "-n", "100", "--out", "made", "--device", "cpu").returncode == 0
    reference = next(open_data("mnist-10k").batches(200, 0))["image"]
    theirs = calculate_metrics(
        input1=str(command.folder / "made"),
        input2=Subset(((reference[:100] + 1) * 127.5).round().byte().expand(-1, 3, -1, -1), range(100)),
        isc=True,
        kid=True,
        isc_splits=10,
        kid_subset_size=100,
        kid_subsets=1,
        cuda=False,
        cache=False,
        verbose=False,
        save_cpu_ram=True,
        samples_find_deep=True,
        feature_extractor_weights_path=str(weights),
    )
    assert scores["inception-kid"]["generated"] == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    # Which samples a split has is random, here and there.
    assert scores["inception-score"]["generated"] == pytest.approx(theirs["inception_score_mean"], rel=0.01)
    assert abs(scores["inception-kid"]["generated"]) > 3 * abs(scores["inception-kid"]["real"])
    about = scores["protocol"]["inception-v3-compat"]
    assert (about["reference"], about["real"]) == ("100 images of mnist-10k", "100 other images of mnist-10k")
    assert len(about["sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--metrics", "fid", "-n", "2000"], 2, "'fid' needs at least 2,049 samples, got -n 2000"),
        (
            ["--metrics", "fid", "-n", "10000"],
            2,
            "mnist-10k has 10,000 images; 10,000 samples need 20,000, half as control",
        ),
        (["--metrics", "fid", "-n", "3000", "--data", "fashion"], 2, "there is no data set or folder 'fashion'"),
        (["--metrics", "inception-score", "-n", "100", "--inception-weights", "none.pth"], 2, "cannot read none.pth"),
        (
            ["--metrics", "inception-score", "-n", "100", "--inception-weights", "text.pth"],
            4,
            "text.pth does not hold the weights of Inception as torch-fidelity has them",
        ),
        (["--metrics", "inception-score", "-n", "100"], 4, "the weights of Inception cannot be downloaded"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(run, tmp_path, monkeypatch, words, code, sentence):
    (tmp_path / "text.pth").write_text("these are no weights")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody answers
    told = run(*WORDS, *words)
    assert told[:2] == (code, ""), told
    assert sentence in told[2]
    assert told[2].count("\n") == 1


def test_without_the_extra_the_sentence_says_how_to_get_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    code, _, said = run(*WORDS, "--metrics", "inception-score", "-n", "100")
    assert code == 2
    assert "an Inception metric needs the package torch-fidelity: pip install torch-fidelity" in said
