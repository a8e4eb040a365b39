"""The range of images with more than 8 bits belongs to a run: it stays when images are added and on a resume."""

import json

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo._io import to_json
from ganzoo.training.runs import checkpoint
from trainings import newest, tiny


def scan(path, high):
    """An image of 28 x 28 pixels with values from -100 to `high`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.linspace(-100, high, 784).reshape(28, 28).astype(np.int32)).save(path)


@pytest.fixture
def run(tmp_path):
    for number in range(8):
        scan(tmp_path / f"scans/{number}.tif", 1000)
    return ganzoo.train(tiny(steps=2), tmp_path / "scans", tmp_path / "run", "cpu", quiet=True, **{"data.size": 28})


def resume(run, **changes):
    return ganzoo.train(out=run.path, resume=True, device="cpu", quiet=True, **{"train.steps": 4, **changes})


def test_the_range_that_was_found_stays_when_images_are_added(run, tmp_path):
    assert run.recipe.data.range == (-100, 1000)
    scan(tmp_path / "scans/new.tif", 3000)
    assert resume(run).recipe.data.range == (-100, 1000)


def test_a_run_that_knew_no_range_is_not_given_another(run):
    path, recipe = newest(run) / "state.json", run.path / "recipe.toml"
    numbers = {name: value for name, value in json.loads(path.read_text()).items() if name not in ("data", "sha256")}
    path.write_bytes(to_json(numbers | {"sha256": checkpoint.hash_numbers(numbers)}))
    recipe.write_text("\n".join(line for line in recipe.read_text().splitlines() if not line.startswith("range")))
    with pytest.raises(ganzoo.BadInput, match=r"it is \(-100.0, 1000.0\): set data.range=\[0,65535\] to keep it"):
        resume(run)
    assert resume(run, **{"data.range": [0, 65535]}).recipe.data.range == (0, 65535)


def test_a_folder_that_moved_is_read_as_before(tmp_path):
    for number in range(8):
        scan(tmp_path / f"scans/{number}.tif", 1000)
    how = {"data.size": 28, "data.background": "black", "data.broken": "refuse", "data.workers": 0}
    before = ganzoo.train(tiny(steps=2), tmp_path / "scans", tmp_path / "run", "cpu", quiet=True, **how).recipe.data
    (tmp_path / "scans").rename(tmp_path / "moved")
    scan(tmp_path / "moved/new.tif", 3000)
    run, moved = ganzoo.Run(tmp_path / "run"), str(tmp_path / "moved")
    for changes in ({"data.name": moved}, {"data": {"name": moved}}):
        after = resume(run, **changes).recipe.data
        assert after == before.model_copy(update={"name": moved, "channels": 1}) and after.range == (-100, 1000)
    assert resume(run, **{"data.name": moved, "data.background": "white", "train.steps": 6}).recipe.data == (
        after.model_copy(update={"background": "white"})
    )
