"""Folders whose names mean something else, or that recipes and models could not hold."""

import sys
from pathlib import Path

import pytest

import ganzoo
from pictures import write_images
from trainings import tiny, trained

ODD = "b\udcff"
SAID = "the recipe, or a change of it, cannot be read: "


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 there")
@pytest.mark.parametrize(
    ("data", "out", "options", "sentence"),
    [
        ("pics", ODD, {}, r"the folder of the run 'b\xff' has a name that is not UTF-8; rename it"),
        ("pics", f"{ODD}/run", {}, r"the folder of the run 'b\xff/run' has a name that is not UTF-8; rename it"),
        (ODD, "run", {}, SAID + r"'b\udcff' is not UTF-8"),
        ("pics", "run", {"data.root": ODD}, SAID + r"'b\udcff' is not UTF-8"),
        (Path(ODD), "run", {}, SAID + r"'HERE/b\udcff' is not UTF-8"),
        ("link", "run", {}, r"the folder 'HERE/b\xff' has a name that is not UTF-8; rename it"),
        ("classes", "run", {}, r"the class of classes 'b\xff' has a name that is not UTF-8; rename it"),
    ],
)
def test_names_that_are_no_unicode_are_refused_before_the_first_step(here, data, out, options, sentence):
    for name in ("pics", ODD, f"classes/{ODD}", "classes/a"):
        write_images(here / name, count=2)
    (here / "link").symlink_to(ODD)
    with pytest.raises(ganzoo.BadInput) as refusal:
        trained(tiny(steps=1), data, out=Path(out), **{"data.size": 28, **options})
    assert str(refusal.value) == sentence.replace("HERE", str(here))
    assert not Path(out).exists() or not list(Path(out).glob("*.toml"))


def test_a_path_is_a_folder_whatever_its_name(here):
    for name in ("mnist-10k", "batches"):
        write_images(here / name, count=8)
        run = trained(tiny(steps=1), Path(name), out=here / f"run of {name}", **{"data.size": 28})
        assert run.recipe.data.name == str(here / name)


def test_batches_are_no_folder_and_the_error_says_how_one_is_written(here):
    with pytest.raises(ganzoo.BadInput, match=r"data=batches\)$"):
        trained(tiny(steps=1), "batches")
    write_images(here / "batches", count=8)
    with pytest.raises(ganzoo.BadInput, match=r"data=batches\); the folder here is written ./batches$"):
        trained(tiny(steps=1), "batches")
    assert trained(tiny(steps=1), "./batches", **{"data.size": 28}).recipe.data.name == str(here / "batches")
