"""Folders as strangers have them: colours, labels and sentences of each."""

import re
import sys

import pytest

import ganzoo
from ganzoo import BadInput
from ganzoo.data.sources import open_data
from odd_files import greys
from odd_folders import FOLDERS
from pictures import pixels_of


@pytest.fixture(params=FOLDERS)
def odd(request, tmp_path):
    """What is expected, and the folder."""
    found = FOLDERS[request.param]
    try:
        found.make(tmp_path)
    except (OSError, AttributeError):
        if sys.platform == "linux":
            raise
        pytest.skip("this system has no such files")
    return found, tmp_path


def test_an_odd_folder_is_read_as_expected_and_says_so(odd):
    expected, folder = odd
    if expected.refused:
        with pytest.raises(BadInput, match=expected.refused):
            open_data(folder, size=8, **expected.options)
        return
    found = open_data(folder, size=8, **expected.options)
    assert found.classes == expected.classes
    if expected.colours is not None:
        colours = pixels_of(found).double().mean((2, 3))
        wanted = [colour if isinstance(colour, list) else [colour] for colour in expected.colours]
        assert colours.shape == (len(wanted), len(wanted[0]))
        assert (abs(colours - colours.new_tensor(wanted)) <= 1).all(), colours
        assert (found.labels.tolist() if found.labels is not None else None) == expected.labels
    unsaid = [pattern for pattern in expected.notes if not any(re.search(pattern, note) for note in found.notes)]
    assert not unsaid and len(found.notes) == len(expected.notes), found.notes


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a/1.png", "b/1.png", "cover.png"], "here 1 of 3 images lie beside the sub-folders: 'cover.png'"),
        (["a/1.png", "a/2.png"], "here all images lie in one folder"),
        (
            ["test/1.png", "val/1.png"],
            "here .* are parts of a data set and no classes: 'test', 'val', and all .* of one",
        ),
    ],
)
def test_who_needs_labels_is_told_why_there_are_none(tmp_path, names, reason):
    greys(*names)(tmp_path / "images")
    with pytest.raises(
        BadInput, match=f"needs data with labels, such as a folder with one sub-folder per class; {reason}$"
    ):
        ganzoo.train("conditional", tmp_path / "images", tmp_path / "run", **{"data.size": 28}, quiet=True)
    assert not (tmp_path / "run").exists()
