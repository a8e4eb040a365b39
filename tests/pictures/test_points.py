"""Games on points: trained, resumed, sampled, published and shown like those on images."""

import json
import signal

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops

import ganzoo
from ganzoo.data.mixtures import MIXTURES
from ganzoo.data.sources import open_data
from ganzoo.evaluation.mixtures import MixtureSuite
from ganzoo.pictures.points import (
    FRAME_MILLISECONDS,
    LAST_FRAME_MILLISECONDS,
    MAX_FRAMES,
    animate,
    draw_scatter,
    square_around,
    write_scene,
)
from ganzoo.training import checkpoint
from ganzoo.training.plane import Plane
from ganzoo.zoo.publish import Publication
from trainings import Silence

TINY = {
    "name": "tiny",
    "architecture": {"name": "points", "widths": [16, 16]},
    "loss": [{"name": "non-saturating"}, {"name": "gradient-penalty", "weight": 0.1}],
    "data": "ring8",
    "train": {"steps": 12, "batch": 32, "sample_every": 4, "log_every": 6, "precision": "fp32"},
}


def train(out, recipe=TINY, **more):
    return ganzoo.train(recipe, out=out, device="cpu", quiet=True, **more)


def resume(out, **more):
    return ganzoo.train(out=out, resume=True, device="cpu", quiet=True, **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("points") / "tiny")


def tensors(run):
    return checkpoint.read_newest(run.checkpoints)[0].tensors


def assert_same(one, other):
    one, other = tensors(one), tensors(other)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def frames(path):
    with Image.open(path) as animation:
        found = []
        for number in range(animation.n_frames):
            animation.seek(number)
            found.append((animation.convert("RGB"), animation.info["duration"]))
    return found


def pictures(run):
    return checkpoint.list_by_step(run.path / "samples")


@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_is_data_of_points_that_say_what_they_are(name):
    opened = open_data(name)
    assert opened.description == {"name": name, "kind": "point", "shape": [2], "classes": []}
    assert opened.facts == {"point": (2,)}
    assert len(opened) == 100_000


def test_an_epoch_has_every_point_once_and_goes_on_where_it_was():
    opened = open_data("grid25")
    batches = opened.batches(1000, seed=3)
    epoch = [next(batches)["point"] for _ in range(100)]
    assert epoch[0].dtype == torch.float32
    assert sorted(torch.cat(epoch).tolist()) == sorted(opened.points.tolist())
    assert next(opened.batches(1000, seed=3, used=42_000))["point"].equal(epoch[42])
    assert not next(opened.batches(1000, seed=4))["point"].equal(epoch[0])


def test_a_run_on_points_leaves_a_model_that_makes_points(run):
    config = json.loads((run.path / "model" / "config.json").read_text())
    assert config["data"] == {"name": "ring8", "kind": "point", "shape": [2], "classes": []}
    points = run.sample(100, seed=1)
    assert points.shape == (100, 2)
    assert points.equal(run.model.generator(run.model.sample_with_given(100, seed=1)[1]))
    assert ganzoo.load(run.path).sample(7, seed=1).equal(points[:7])


def test_a_run_on_points_that_stopped_goes_on_bit_for_bit(run, tmp_path):
    half = train(tmp_path / "half", **{"train.steps": 7})
    whole = resume(half.path, **{"train.steps": 12})
    assert_same(run, whole)


def test_looking_at_the_game_changes_nothing_of_it(run, tmp_path):
    assert_same(run, train(tmp_path / "hardly", **{"train.sample_every": 100}))


@pytest.mark.parametrize("points", [[[0.0, 1.0], [np.nan, 2.0]], [[np.inf, np.nan]]])
def test_points_that_are_no_numbers_are_left_out_of_a_picture(points):
    left, right, bottom, top = square_around(np.array(points))
    assert left < 0 < right and bottom < top
    assert draw_scatter(np.array(points), "").width > 0


def test_a_run_without_pictures_has_no_animation(tmp_path):
    run = ganzoo.Run(tmp_path)
    assert run.gallery.write_game(10) is None
    assert not (tmp_path / "game.gif").exists()


def test_python_batches_of_points_can_be_trained_on(tmp_path):
    batches = [{"point": np.random.default_rng(0).normal(size=(32, 3))} for _ in range(4)]
    run = train(tmp_path / "run", data=batches)
    assert json.loads((run.path / "model" / "config.json").read_text())["data"]["shape"] == [3]
    assert run.sample(5).shape == (5, 3)
    assert not pictures(run)
    assert not (run.path / "game.gif").exists()


def test_a_training_can_begin_with_a_model_of_points(run, tmp_path):
    begun = train(tmp_path / "begun", **{"train.init": str(run.path), "train.steps": 1, "optimizer.lr": 1e-12})
    assert begun.sample(9).allclose(run.sample(9), atol=1e-6)


def test_both_sides_are_made_for_points_of_any_dimension():
    generator, discriminator = ganzoo.create("points", point=(5,), widths=[8], generator={"latent_size": 3})
    points = generator(generator.latent(6, torch.Generator().manual_seed(0)))
    assert points.shape == (6, 5)
    assert discriminator(points, {}).shape == (6,)


def test_the_pictures_say_what_they_are_and_the_animation_shows_them_all(run):
    there = pictures(run)
    assert [path.name for path in there] == [f"step-{step:06d}.png" for step in (4, 8, 12)]
    shown = frames(run.path / "game.gif")
    assert [time for _, time in shown] == [FRAME_MILLISECONDS, FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS]
    for path, (frame, _) in zip(there, shown, strict=True):
        with Image.open(path) as picture:
            assert picture.text["Synthetic"] == "true"
            assert "step" in picture.text["Model"]
            difference = np.asarray(ImageChops.difference(picture.convert("RGB"), frame))
        assert difference.mean() < 4, "a frame is its picture in fewer colours"
    assert (run.path / "game.gif") in run.written()


def test_a_run_that_goes_on_has_an_animation_of_its_whole_length(tmp_path):
    run = train(tmp_path / "run", **{"train.steps": 8})
    assert len(frames(run.path / "game.gif")) == 2
    resume(run.path, **{"train.steps": 16})
    assert [path.name[5:11] for path in pictures(run)] == ["000004", "000008", "000012", "000016"]
    assert len(frames(run.path / "game.gif")) == 4


class Stops(Silence):
    """Sends this process a signal in a step."""

    def step(self, done):
        if done == 6:
            signal.raise_signal(signal.SIGINT)


def test_a_run_that_somebody_stops_has_an_animation_too(tmp_path):
    with pytest.raises(ganzoo.Interrupted):
        ganzoo.train(TINY, out=tmp_path / "run", device="cpu", progress=Stops())
    assert len(frames(tmp_path / "run" / "game.gif")) == 2


def test_pictures_of_steps_that_were_given_up_are_not_in_the_animation(run, tmp_path):
    other = train(tmp_path / "run", **{"train.steps": 8})
    (other.path / "samples" / "step-000099.png").write_bytes(pictures(run)[0].read_bytes())
    assert len(frames(other.gallery.write_game(8))) == 2


def test_a_very_long_run_has_an_animation_of_some_pictures_with_the_first_and_the_last(tmp_path):
    shades = []
    for number in range(MAX_FRAMES + 30):
        shades.append(tmp_path / f"{number}.png")
        Image.new("RGB", (4, 4), (number, number, number)).save(shades[-1])
    animate(tmp_path / "long.gif", shades)
    shown = [frame.getpixel((0, 0))[0] for frame, _ in frames(tmp_path / "long.gif")]
    assert len(shown) == MAX_FRAMES
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, MAX_FRAMES + 29)


class Height(ganzoo.Loss):
    def generator(self, step):
        return {"height": step.fake_scores.mean()}


class Slope(torch.nn.Module):
    """Scores a point by where it lies, and notes whether it was in eval()."""

    def __init__(self):
        super().__init__()
        self.weight, self.modes = torch.nn.Parameter(torch.ones(1)), []

    def forward(self, images, given):
        self.modes.append(self.training)
        return self.weight * (images[:, 0] + 10 * images[:, 1])


class Labelled(Slope):
    """Cannot score without labels."""

    def forward(self, images, given):
        return super().forward(images, given) + given["label"]


def looked_at(discriminator):
    generator, _ = ganzoo.create("points", point=(2,))
    engine = ganzoo.Engine(generator, discriminator, [Height()], train={"precision": "fp32"}, device="cpu")
    plane = Plane.from_data(open_data("ring8"), 0)
    return plane, plane.make_scene(engine, torch.zeros(3, 2))


def test_the_surface_is_the_score_at_each_place_of_the_grid():
    discriminator = Slope()
    plane, scene = looked_at(discriminator)
    left, right, bottom, top = plane.span
    rows, columns = scene.scores.shape
    for row, column in [(0, 0), (0, columns - 1), (rows - 1, 0), (37, 5)]:
        x = left + (right - left) * column / (columns - 1)
        y = bottom + (top - bottom) * row / (rows - 1)
        assert scene.scores[row, column] == pytest.approx(x + 10 * y, abs=1e-4)
    assert discriminator.modes == [False]
    assert discriminator.training
    assert scene.real.shape == (1000, 2)


def test_a_discriminator_that_cannot_score_points_alone_is_shown_without_a_surface(tmp_path):
    _, scene = looked_at(Labelled())
    assert scene.scores is None
    write_scene(tmp_path / "scene.png", scene, "labelled", 0)
    with Image.open(tmp_path / "scene.png") as picture:
        assert picture.size == (560, 560)


def test_samples_are_scattered_in_a_picture_or_kept_as_numbers(run, typed):
    assert typed("sample", run.path, "--out", "points.npz")[0] == 0
    with np.load("points.npz") as kept:
        assert list(kept) == ["point"]
        assert np.array_equal(kept["point"], run.sample(2500).numpy())
    assert typed("sample", run.path, "-n", "40", "--seed", "2")[:2] == (0, "tiny-seed2-n40.png\n")
    with Image.open("tiny-seed2-n40.png") as picture:
        assert picture.text["Seed"] == "2"


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
        (["train", "ring8", "-o", "data.size=32"], "ring8 has points and no images: data.size and data.channels do"),
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
    assert "points have one picture for all and no folder" in said
    assert not list(tmp_path.iterdir())


def test_a_run_keeps_to_points(run):
    with pytest.raises(ganzoo.BadInput, match=r"its points are \(2,\), not \(1, 28, 28\)"):
        resume(run.path, **{"data.name": "mnist-10k", "train.steps": 20})


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
