"""Pictures and animations of a game on points, from its first step to its last."""

import signal

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.pictures.points import (
    FRAME_MILLISECONDS,
    LAST_FRAME_MILLISECONDS,
    MAX_FRAMES,
    animate,
    draw_scatter,
    square_around,
    write_scene,
)
from ganzoo.training.watch.plane import Plane
from points import TINY, frames, pictures
from trainings import resume, train_with

train = train_with(TINY)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("points") / "tiny")


@pytest.mark.parametrize("points", [[[0.0, 1.0], [np.nan, 2.0]], [[np.inf, np.nan]]])
def test_points_that_are_no_numbers_are_left_out_of_a_picture(points):
    left, right, bottom, top = square_around(np.array(points))
    assert left < 0 < right and bottom < top
    assert draw_scatter(np.array(points), "").width > 0


def test_a_run_without_pictures_has_no_animation(tmp_path):
    run = ganzoo.Run(tmp_path)
    assert run.gallery.write_game(10) is None
    assert not (tmp_path / "game.gif").exists()


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
    assert (run.path / "game.gif") in run.list_outputs()


def test_a_run_that_goes_on_has_an_animation_of_its_whole_length(tmp_path):
    run = train(tmp_path / "run", **{"train.steps": 8})
    assert len(frames(run.path / "game.gif")) == 2
    resume(run.path, **{"train.steps": 16})
    assert [path.name[5:11] for path in pictures(run)] == ["000004", "000008", "000012", "000016"]
    assert len(frames(run.path / "game.gif")) == 4


class Stops(ganzoo.Callback):
    """Sends this process a signal in a step."""

    def on_step_end(self, trainer):
        if trainer.step == 6:
            signal.raise_signal(signal.SIGINT)


def test_a_run_that_somebody_stops_has_an_animation_too(tmp_path):
    with pytest.raises(ganzoo.Interrupted):
        ganzoo.train(TINY, out=tmp_path / "run", device="cpu", quiet=True, callbacks=[Stops()])
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
