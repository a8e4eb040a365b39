"""`train.show_augmented` draws what the discriminator sees, whoever wrote the view, and changes nothing."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

import ganzoo
from points import TINY as POINTS
from trainings import Heard, assert_same_weights, log, tiny, train_with

TINY = tiny(steps=4, sample_every=2, show_augmented=True)
train = train_with(TINY)
SIDE, LINE = 28, 2


class Whiten(ganzoo.Loss):
    """A view of somebody else: every other pixel is white, at random which."""

    def view(self, step, images, given):
        return torch.where(step.rand(*images.shape) < 0.5, 1.0, images)


class Halve(ganzoo.Loss):
    """A view of a lower resolution, as growing networks have it."""

    def view(self, step, images, given):
        return avg_pool2d(images, 2)


class Pack(ganzoo.Loss):
    """A view of another shape, as packing has it: two pictures in the channels of one."""

    def view(self, step, images, given):
        return torch.cat([images, images.roll(1, 0)], 1)


class Tall(torch.nn.Module):
    """A discriminator that takes views of any shape."""

    def __init__(self, image):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, images, given):
        return self.weight * images.mean((1, 2, 3))


def rows(path):
    """The six rows of eight pictures, (6, 8, 28, 28), in [0, 255]."""
    pixels = np.asarray(Image.open(path).convert("L"))
    scale = 64 // SIDE
    step = scale * (SIDE + LINE)
    return np.stack([
        np.stack([pixels[y : y + scale * SIDE : scale, x : x + scale * SIDE : scale] for x in starts(8, scale, step)])
        for y in starts(6, scale, step)
    ])  # fmt: skip


def starts(count, scale, step):
    return range(scale * LINE, scale * LINE + count * step, step)


def test_it_is_drawn_with_each_picture_of_samples_and_changes_nothing(tmp_path):
    shown = train(tmp_path / "shown", losses=["non-saturating", Whiten])
    plain = train(tmp_path / "plain", losses=["non-saturating", Whiten], **{"train.show_augmented": False})
    names = [path.name for path in sorted((shown.path / "augmented").iterdir())]
    assert names == [path.name for path in sorted((shown.path / "samples").iterdir())]
    assert shown.augmented.newest()[0] in shown.list_outputs()
    assert not plain.augmented.folder.exists()
    assert_same_weights(shown, plain)
    assert log(shown) == log(plain)


def test_it_has_real_and_fake_samples_and_two_views_of_each(tmp_path):
    run = train(tmp_path / "run", losses=["non-saturating", Whiten])
    real, seen, again, fake, *of_fake = rows(*run.augmented.newest()).astype(int)
    assert (real == 0).mean() > 0.5 and 0.3 < (seen == 255).mean() < 0.7  # digits are white on black
    for view, sample in ((seen, real), (again, real), (of_fake[0], fake), (of_fake[1], fake)):
        assert np.isin(view - sample, [0]).mean() > 0.3 and (view[view != sample] == 255).all()
    assert (seen != again).mean() > 0.2


def test_it_shows_the_views_of_losses_that_play_now_alone(tmp_path):
    begin = {"name": Whiten, "start": 3}
    run = train(tmp_path / "run", losses=["non-saturating", begin])
    before, after = (rows(path) for path in sorted((run.path / "augmented").iterdir()))
    assert (before[0] == before[1]).all() and (after[0] != after[1]).any()


def test_a_view_of_a_lower_resolution_is_drawn_in_the_size_of_the_samples(tmp_path):
    run = train(tmp_path / "run", losses=["non-saturating", Halve], discriminator=Tall)
    real, seen, *_ = rows(*run.augmented.newest())
    assert (seen[:, ::2, ::2] == seen[:, 1::2, 1::2]).all() and (real != seen).any()


def test_a_view_of_another_shape_costs_the_picture_and_no_training(tmp_path):
    heard = Heard()
    run = train(tmp_path / "run", losses=["non-saturating", Pack], discriminator=Tall, heard=heard)
    assert run.metrics[-1]["step"] == 4 and run.augmented.newest() == []
    reason = "samples and what is seen of them have different shapes, (1, 28, 28) and (2, 28, 28)"
    assert f"no picture of what the discriminator sees at step 4: {reason}" in heard.lines


@pytest.mark.parametrize(
    ("recipe", "changes", "message"),
    [
        (TINY, {}, r"none of the losses \(non-saturating\) changes what the discriminator sees; add one with a view"),
        (POINTS, {"losses": ["non-saturating", Whiten], "train.show_augmented": True}, "shows points in rows"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(tmp_path, recipe, changes, message):
    with pytest.raises(ganzoo.BadInput, match=f"train.show_augmented: .*{message}"):
        train(tmp_path / "run", recipe, **changes)


def test_the_command_has_a_flag_for_it(typed, tmp_path):
    words = ["-otrain.steps=1", "-otrain.batch=8", "-oarchitecture.width=4", "--device=cpu", "--out=run"]
    code, out, err = typed("train", "dcgan", "--loss=non-saturating", "--loss=mirror", "--show-augmented", *words)
    assert code == 0, err
    assert "run/augmented/step-000001.png" in out.splitlines()
    code, _, err = typed("train", "dcgan", "--show-augmented", *words[:-1])
    assert code == 2 and err.count("\n") == 1 and "train.show_augmented: none of the losses (non-saturating, r1)" in err
