"""A part of the data that the training never sees: the same whatever else lies there, with its labels."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.data.holdout import place_of
from ganzoo.data.sources import open_data
from pictures import save


def write_images(folder, count, seed=0):
    """Pictures of noise, no two of which are alike."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        save(folder / f"{number}.png", rng.integers(0, 256, (16, 16, 3)))


def values_of(data, count=None):
    """Return every sample of one epoch, as hashable pictures, with its label."""
    batch = data.first(count or data.count, seed=0)
    labels = batch["label"].tolist() if "label" in batch else [None] * len(batch["image"])
    return {(image.numpy().tobytes(), label) for image, label in zip(batch["image"], labels, strict=True)}


@pytest.fixture
def folder(tmp_path):
    for place, name in enumerate(("cats", "dogs")):
        write_images(tmp_path / "pets" / name, count=60, seed=place)
    return tmp_path / "pets"


@pytest.mark.parametrize("few", [True, False], ids=["in memory", "streamed"])
def test_the_parts_of_a_folder_share_no_picture_and_have_the_right_labels(folder, few, monkeypatch):
    if not few:
        monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 10)
    options = {"size": 16, "workers": 0}
    whole, data = open_data(folder, **options), open_data(folder, holdout=0.25, **options)
    assert data.count + data.held_out.count == whole.count == 120
    assert 15 <= data.held_out.count <= 45
    learned, held = values_of(data), values_of(data.held_out)
    assert not learned & held
    assert learned | held == values_of(whole)
    assert data.held_out.classes == data.classes == ["cats", "dogs"]
    assert any(f"{data.held_out.count} of 120 samples are held out" in note for note in data.notes)
    assert data.description["holdout"] == 0.25


def test_files_that_come_or_go_move_no_other_file(folder):
    held = values_of(open_data(folder, holdout=0.25, size=16).held_out)
    before = values_of(open_data(folder, holdout=0.25, size=16))
    write_images(folder / "birds", count=30, seed=9)
    for path in sorted((folder / "cats").iterdir())[:10]:
        path.unlink()
    data = open_data(folder, holdout=0.25, size=16)
    pictures = lambda values: {picture for picture, _ in values}  # noqa: E731 (birds come before cats, so labels change)
    assert not pictures(values_of(data.held_out)) & pictures(before)
    assert not pictures(values_of(data)) & pictures(held)


def test_another_share_of_the_same_data_holds_out_more_of_the_same(folder):
    less, more = (values_of(open_data(folder, holdout=share, size=16).held_out) for share in (0.2, 0.4))
    assert less < more


def test_hashes_of_names_are_evenly_spread():
    places = np.array([place_of(str(number)) for number in range(4000)])
    assert abs((places < 0.1).mean() - 0.1) < 0.02
    assert places.min() >= 0 and places.max() < 1
    assert place_of("0") == pytest.approx(0x5FECEB66 / 2**32, abs=1e-6)  # sha256 of "0"


class Waves(ganzoo.Dataset):
    """Thirty waves, one by one or all at once."""

    def __init__(self, at_once: bool = False) -> None:
        self.at_once = at_once

    def __len__(self):
        return 30

    def sample(self, index, rng):
        return {"wave": np.full(4, index, dtype=np.float32)}

    def arrays(self):
        return {"wave": np.stack([self.sample(index, None)["wave"] for index in range(30)])} if self.at_once else None

    def source(self, index):
        return f"wave {index}"


@pytest.mark.parametrize("at_once", [True, False])
def test_any_data_set_has_a_part_held_out(at_once):
    data = open_data(Waves(at_once), holdout=0.3, workers=0)
    numbers = [{int(wave[0]) for wave in each.first(each.count, 0)["wave"]} for each in (data, data.held_out)]
    assert numbers[1] == {number for number in range(30) if place_of(str(number)) < 0.3}
    assert numbers[0] == {*range(30)} - numbers[1]


def test_a_broken_picture_is_not_replaced_by_one_that_is_held_out(folder):
    held = values_of(open_data(folder, holdout=0.5, size=16).held_out)
    for path in sorted(folder.glob("*/*"))[::3]:
        path.write_bytes(path.read_bytes()[:30])
    pictures = {picture for picture, _ in values_of(open_data(folder, holdout=0.5, size=16))}
    assert not pictures & {picture for picture, _ in held}


def test_classes_keep_the_numbers_of_a_run_in_both_parts(folder):
    data = open_data(folder, holdout=0.25, size=16)
    before = dict(values_of(open_data(folder, holdout=0.25, size=16).held_out))
    data.use_classes(["dogs", "cats"])
    assert {picture: 1 - label for picture, label in values_of(data.held_out)} == before


@pytest.mark.parametrize(
    ("share", "count", "sentence"),
    [
        (0.001, 30, "data.holdout of 0.001 holds out none of the 60 samples of pets"),
        (0.999, 30, "data.holdout of 0.999 holds out all of the 60 samples of pets"),
        (0.9, 2, "data.holdout would hold out every sample of class 'one' of pets; choose a smaller share"),
    ],
)
def test_a_part_that_would_be_empty_is_refused(tmp_path, share, count, sentence):
    write_images(tmp_path / "pets" / "one", count=count)
    write_images(tmp_path / "pets" / "two", count=30)
    with pytest.raises(ganzoo.BadInput) as error:
        open_data(tmp_path / "pets", holdout=share, size=16)
    assert str(error.value) == sentence


def test_batches_from_python_have_no_part_held_out():
    with pytest.raises(ganzoo.BadInput, match="holdout goes with a data set or a folder; keep a part of your batches"):
        open_data([{"image": torch.zeros(4, 1, 16, 16)}], holdout=0.1)
