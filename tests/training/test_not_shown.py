"""Samples that no picture can show are trained on, and the training says that it draws none."""

import pytest
import torch

from trainings import keeping, tiny, train_with

train = train_with(tiny(steps=2))
CHANNELS_LAST = "if 3 is their number of channels, give images.permute(0, 3, 1, 2)"


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((5, 6, 6), "and these images have 5"),
        (
            (6, 6, 3),
            f"and these images have 6; {CHANNELS_LAST}",
        ),
        ((3, 6, 6), None),
        ((1, 6, 6), None),
        ((2, 6, 6), None),
        ((4, 6, 6), None),
    ],
)
def test_images_that_no_picture_shows_are_said_at_the_start(tmp_path, shape, sentence):
    said = []
    with keeping(said):
        run = train(tmp_path / "run", data=[{"image": torch.zeros(8, *shape)}])
    expected = f"no pictures are drawn: a picture shows 1 to 4 channels, {sentence}; samples are written as .npy files"
    assert [line for line in said if line.startswith("no pictures")] == [expected] * bool(sentence)
    assert bool(run.gallery.newest()) == (not sentence)
    files = sorted(run.path.glob("samples/*/*.npy"))
    assert [file.name for file in files] == [f"{number:06d}.npy" for number in range(8)] * bool(sentence)
