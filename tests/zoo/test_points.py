"""Models of points: measured, published, listed, and refused where they are taken for images."""

import json

import pytest

import ganzoo
from ganzoo.data.mixtures import MIXTURES
from ganzoo.evaluation.mixtures import MixtureSuite
from ganzoo.zoo.publishing.publish import Publication
from points import TINY
from trainings import train_with

train = train_with(TINY)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("points") / "tiny")


def test_a_model_of_points_is_measured_by_its_modes(run, typed):
    code, said, _ = typed("evaluate", run.path, "-n", "500", "--json")
    assert code == 0
    scores = json.loads(said)
    assert list(scores) == ["modes", "high-quality", "reverse-kl", "protocol"]
    assert scores["modes"]["real"] == 8
    suite = MixtureSuite("ring8")
    observed = suite.observe([(run.sample(500), {})])
    assert scores["reverse-kl"]["generated"] == suite.metrics["reverse-kl"].measure(observed)


def test_metrics_of_images_do_not_go_with_points(run, typed):
    code, _, said = typed("evaluate", run.path, "--metrics", "fid")
    assert code == 2
    assert "Traceback" not in said


def test_points_are_published_with_their_picture_and_a_card_that_speaks_of_points(run):
    files = Publication(run.path, "owner/ring", "mit").files
    assert files["samples.png"][:4] == b"\x89PNG"
    card = files["README.md"].decode()
    assert "A generator of points in 2 dimensions" in card
    assert 'points = ganzoo.load("hub:owner/ring").sample(64)  # (64, 2) in the data\'s own units' in card
    assert "image" not in card


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "ring8", "--data", "mnist-10k"], "architecture 'points' needs 'point', which this data does not"),
        (["train", "vanilla", "--data", "ring8"], "architecture 'vanilla' needs 'image', which this data does not"),
        (["train", "ring8", "-o", "data.size=32"], "data.size does not go with ring8, which has no options"),
        (["train", "ring8", "-o", "data.classes=3"], "ring8 has no labels, so classes cannot be 3"),
        (["train", "ring8", "--data", "ring9"], "did you mean 'ring8'?"),
        (["train", "ring8", "-o", "architecture.widths=[0]"], "widths must all be at least 1, got [0]"),
        (["train", "ring8", "-o", "architecture.latent_size=0"], "latent_size must be at least 1, got 0"),
        (["train", "ring8", "-o", "architecture.point=3"], "'architecture.point' comes from the data"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(typed, tmp_path, words, sentence):
    code, _, said = typed(*words)
    assert code == 2
    assert sentence in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_points_have_no_folder_of_single_images(run, typed, tmp_path):
    code, _, said = typed("sample", run.path, "--out", "folder")
    assert code == 2
    assert "cannot write points as 'folder': allowed: FILE.png or FILE.npz" in said
    assert not list(tmp_path.iterdir())


def test_the_listing_and_a_word_about_each(typed):
    listed = typed("list", "data")[1]
    assert all(name in listed for name in MIXTURES)
    assert "8 Gaussians on a circle" in typed("info", "ring8")[1]
    assert "latent_size = 2" in typed("info", "points")[1]


@pytest.mark.parametrize("shape", [None, [1, 2, 3], []])
def test_a_config_of_points_without_their_shape_is_refused(run, tmp_path, shape):
    path = tmp_path / "config.json"
    config = json.loads((run.path / "model" / "config.json").read_text())
    path.write_text(json.dumps({**config, "data": {**config["data"], "shape": shape}}))
    with pytest.raises(ganzoo.BadInput, match=r"data.*(points need a shape, of length 1|at least 1 item)"):
        ganzoo.load(tmp_path)
