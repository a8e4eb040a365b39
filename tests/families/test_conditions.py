"""Every conditional architecture learns several labels of a folder at once, and draws what is asked for."""

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo

CONDITIONAL = {
    "conditional": {"architecture": {"name": "conditional", "width": 8}, "loss": ["non-saturating"]},
    "stylegan2": {
        "architecture": {"name": "stylegan2", "conditional": True, "width": 8, "max_width": 16, "mapping_layers": 2},
        "loss": ["non-saturating"],
    },
    "stylegan3": {
        "architecture": {
            "generator": {"name": "stylegan3", "conditional": True, "width": 4, "max_width": 8},
            "discriminator": {"name": "stylegan2", "conditional": True, "width": 8, "max_width": 8},
        },
        "loss": ["non-saturating"],
    },
    "r3gan": {
        "architecture": {"name": "r3gan", "conditional": True, "width": 16, "max_width": 16},
        "loss": ["relativistic"],
    },
    "sngan": {"architecture": {"name": "sngan", "width": 8, "max_width": 8}, "loss": ["hinge"]},
    "sagan": {"architecture": {"name": "sagan", "width": 8, "max_width": 8}, "loss": ["hinge"]},
    "biggan": {"architecture": {"name": "biggan", "width": 8, "max_width": 8}, "loss": ["hinge"]},
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures of two hairs and three eyes, with ages, named in a table."""
    top = tmp_path_factory.mktemp("home") / "photos"
    top.mkdir()
    rng = np.random.default_rng(0)
    rows = ["file,hair,eyes,age"]
    for number in range(24):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(top / f"{number}.png")
        rows.append(
            f"{number}.png,{['short', 'long'][number % 2]},{['blue', 'green', 'grey'][number % 3]},{18 + number}"
        )
    (top / "labels.csv").write_text("\n".join(rows))
    return top


@pytest.mark.parametrize("name", CONDITIONAL)
def test_several_labels_are_learned_and_asked_for(name, photos, tmp_path):
    data = {"name": str(photos), "size": 32, "labels": "labels.csv"}
    settings = {"steps": 2, "batch": 8, "precision": "fp32"}
    run = ganzoo.train(
        {**CONDITIONAL[name], "data": data, "train": settings}, out=tmp_path / "run", device="cpu", quiet=True
    )
    model = ganzoo.load(run.path)
    generator = model.generator
    assert (generator.categorical, generator.amounts) == ({"hair": 2, "eyes": 3}, {"age": (18, 41)})
    asked = {"hair": "short", "eyes": "grey", "age": 20}
    first = model.sample(4, seed=1, **asked)
    assert first.shape == (4, 3, 32, 32) and torch.equal(first, model.sample(4, seed=1, **asked))
    for other in ({"hair": "long"}, {"eyes": "blue"}, {"age": 40}):
        assert not torch.equal(first, model.sample(4, seed=1, **{**asked, **other}))
    drawn = generator.latent(200, torch.Generator())
    assert 18 <= drawn["age"].min() < 20 and 39 < drawn["age"].max() <= 41
    with pytest.raises(ganzoo.BadInput, match=r"^'age' must lie in 18\.\.41, got 90$"):
        model.sample(4, age=90)
    with pytest.raises(ganzoo.BadInput, match="'hair' has no class 'shrot'; did you mean 'short'"):
        model.sample(4, hair="shrot")


@pytest.mark.parametrize("head", ["ac", "reac"])
def test_a_head_that_tells_classes_wants_a_single_label(head, photos, tmp_path):
    recipe = {
        "architecture": {"name": "biggan", "width": 8, "max_width": 8, "head": head},
        "loss": ["hinge"],
        "data": {"name": str(photos), "size": 32, "labels": "labels.csv", "label": ["hair", "eyes"]},
        "train": {"steps": 1, "batch": 4},
    }
    with pytest.raises(
        ganzoo.BadInput, match="tells the classes of one label, and these data have hair, eyes; choose one"
    ):
        ganzoo.train(recipe, out=tmp_path / "run", device="cpu", quiet=True)


def test_labels_are_asked_for_by_name_at_the_command_line(photos, typed, tmp_path):
    quick = ["-o", "train.steps=1", "-o", "train.batch=4", "-o", "data.size=32", "-o", "architecture.width=8"]
    table = ["-o", "data.labels=labels.csv", "-o", "data.label=[hair,eyes]"]
    out = str(tmp_path / "run")
    code, _, err = typed("train", "conditional", "--data", str(photos), *table, *quick, "--device", "cpu", "--out", out)
    assert code == 0, err
    asked = ("sample", out, "-n", "4", "--out", str(tmp_path / "x.npz"))
    code, _, err = typed(*asked, "--set", "hair=short,eyes=grey")
    assert code == 0, err
    with np.load(tmp_path / "x.npz") as arrays:
        first = arrays["images"]
    code, _, err = typed(*asked, "--set", "eyes=grey", "--set", "hair=short", "--overwrite")
    assert code == 0, err
    with np.load(tmp_path / "x.npz") as arrays:
        assert np.array_equal(first, arrays["images"])
    code, _, err = typed("sample", out, "--rows", "eyes", "-n", "2", "--out", str(tmp_path / "rows.png"))
    assert code == 0, err
    code, _, err = typed(*asked, "--set", "hair=short,eyes=gray", "--overwrite")
    assert code == 2 and "'eyes' has no class 'gray'; did you mean 'grey'" in err


@pytest.mark.parametrize("name", ["conditional", "stylegan2"])
def test_a_folder_without_labels_is_refused_with_the_reason(name, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "photos" / "1.png")
    recipe = {**CONDITIONAL[name], "data": {"name": str(tmp_path / "photos"), "size": 32}, "train": {"steps": 1}}
    words = "needs data with labels, such as a folder .*; here all images lie in one folder"
    with pytest.raises(ganzoo.BadInput, match=words):
        ganzoo.train(recipe, out=tmp_path / "run", device="cpu", quiet=True)
