"""Samples in pictures, array files and folders: what they hold, and what they never replace."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.zoo.export import write, write_samples
from ganzoo.zoo.model import Model
from model_folders import IMAGES, Several, labelled_model


@pytest.fixture
def model():
    return labelled_model()


def test_a_picture_an_array_file_and_a_folder_show_the_same_samples(run, tmp_path):
    images = (run.sample(9, seed=4) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    array = np.load(write(run.path, 9, 4, tmp_path / "a.npz", False, "cpu"))
    assert array.files == ["images"]
    assert np.array_equal(array["images"], images)
    folder = write(run.path, 9, 4, tmp_path / "singles", False, "cpu")
    singles = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    assert np.array_equal(np.stack(singles)[..., None], images)
    grid = np.asarray(Image.open(write(run.path, 9, 4, tmp_path / "new" / "grid.png", False, "cpu")).convert("L"))
    assert np.array_equal(grid[4:60:2, 4:60:2], images[0, :, :, 0])


def test_several_outputs_are_several_arrays_and_the_picture_shows_the_images(tmp_path):
    model = Model(Several(), IMAGES, "cpu")
    samples = model.sample(70)
    array = np.load(write_samples(model, "m", 70, 0, tmp_path / "a.npz", False))
    assert sorted(array.files) == ["images", "mask"]
    images = (samples["image"] * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(array["images"], images)
    assert np.array_equal(array["mask"], samples["mask"].numpy())
    folder = write_samples(model, "m", 70, 0, tmp_path / "singles", False)
    assert np.array_equal(np.asarray(Image.open(folder / "000069.png")), images[69, :, :, 0])


def test_labels_are_written_beside_the_images(model, tmp_path):
    array = np.load(write_samples(model, "m", 70, 0, tmp_path / "a.npz", False))
    assert np.array_equal(array["labels"], model.sample_with_given(70)[1]["label"].numpy())


def test_what_no_picture_can_show_goes_into_array_files(tmp_path):
    model = Model(Several(), {"data": {"kind": "other"}}, "cpu")
    forms = r"no picture shows samples; allowed: a folder or FILE\.npy or FILE\.npz"
    with pytest.raises(ganzoo.BadInput, match=rf"cannot write samples as .*a\.png': {forms}"):
        write_samples(model, "m", 4, 0, tmp_path / "a.png", False)
    array = np.load(write_samples(model, "m", 4, 0, tmp_path / "a.npz", False))
    assert array["images"].dtype == np.float32
    folder = write_samples(model, "m", 4, 0, tmp_path / "folder", False)
    assert np.array_equal(np.load(folder / "000003.npy"), array["images"][3])


def test_the_default_name_is_the_runs_and_counts_up(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [write(source, 4, 0, None, False, "cpu").name for source in (run.path, run.model_folder, run.path)]
    assert names == ["run-seed0-n4.png", "run-seed0-n4-2.png", "run-seed0-n4-3.png"]


def test_overwriting_a_folder_of_samples_leaves_no_older_ones(run, tmp_path):
    folder = write(run.path, 9, 0, tmp_path / "singles", False, "cpu")
    for name in ("notes.txt", "000001.jpg", "12.png"):
        (folder / name).write_text("mine")
    write(run.path, 2, 1, folder, True, "cpu")
    assert sorted(path.name for path in folder.iterdir()) == [
        "000000.png",
        "000001.jpg",
        "000001.png",
        "12.png",
        "notes.txt",
    ]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("out", ["/dev/null", "/dev/null/a.png", "file/a.png", "file/b/c", "a.jpg", "x" * 300])
def test_a_place_that_cannot_be_written_is_refused_before_sampling(model, tmp_path, monkeypatch, out, overwrite):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    drawn = []
    model.generator.register_forward_pre_hook(lambda _, inputs: drawn.append(len(inputs[0]["z"])))
    with pytest.raises(ganzoo.BadInput, match=r"cannot write|exists already"):
        write_samples(model, "m", 4, 0, Path(out), overwrite)
    assert sum(drawn) <= 1


def test_a_picture_does_not_replace_a_folder(run, tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ganzoo.BadInput, match=r"a\.png' is a folder; choose another --out"):
        write(run.path, 4, 0, tmp_path / "a.png", True, "cpu")


def test_too_many_samples_for_one_picture_are_refused(run, tmp_path):
    with pytest.raises(ganzoo.BadInput, match=r"at most 10,000 samples; write 10,001 to a folder or FILE\.npz"):
        write(run.path, 10_001, 0, tmp_path / "a.png", False, "cpu")


def test_samples_never_replace_what_is_there_unless_told_to(run, tmp_path):
    out = write(run.path, 4, 0, tmp_path / "a.png", False, "cpu")
    with pytest.raises(ganzoo.BadInput, match="exists already"):
        write(run.path, 4, 0, out, False, "cpu")
    write(run.path, 4, 0, out, True, "cpu")
    with pytest.raises(
        ganzoo.BadInput, match=r"cannot write images as .*a\.jpg': allowed: FILE\.png or a folder or FILE\.npz"
    ):
        write(run.path, 4, 0, tmp_path / "a.jpg", False, "cpu")


def test_pictures_of_samples_say_what_they_are(run, tmp_path):
    text = Image.open(write(run.path, 4, 6, tmp_path / "a.png", False, "cpu")).text
    assert (text["Synthetic"], text["Model"], text["Seed"]) == ("true", "run", "6")
