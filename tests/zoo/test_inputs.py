"""Models that make their samples from what they are given: from files, arrays, and real inputs that are kept."""

import json
import logging
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
import painter
from ganzoo.zoo.kept import read_kept


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        painter.install(tmp_path_factory.mktemp("site") / "site", monkeypatch)
        yield painter.paint(tmp_path_factory.mktemp("runs") / "painter")
        painter.forget()


@pytest.fixture
def model(run):
    return ganzoo.load(run, "cpu")


def grey(count=5, size=16):
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(1))


def test_the_config_says_what_the_generator_is_given(run):
    assert json.loads((run.model_folder / "config.json").read_text())["inputs"] == {
        "light": {"kind": "other", "shape": [], "range": [0, 2], "classes": [], "needed": False},
        "grey": {"kind": "image", "shape": [1, 16, 16], "range": None, "classes": [], "needed": True},
    }


def test_pictures_go_in_and_out_in_the_same_range(model):
    images = grey()
    painted, given = model.sample_with_given(5, grey=images)
    with torch.no_grad():
        expected = (model.generator({"grey": images * 2 - 1}) + 1) / 2
    torch.testing.assert_close(painted, expected)
    torch.testing.assert_close(given["grey"], images)
    torch.testing.assert_close(model.sample(5, **given), painted)
    assert not torch.allclose(model.sample(5, grey=images, light=[0.0, 1, 1, 2, 2])[3:], painted[3:])


@pytest.mark.parametrize(
    "same",
    [
        lambda x: (x * 255).byte(),
        lambda x: x.numpy().astype(float),
        lambda x: x.tolist(),
        lambda x: x[:, 0],
        lambda x: x.permute(0, 2, 3, 1),
        lambda x: x.numpy()[:, :, :, ::-1].copy()[:, :, :, ::-1],
        lambda x: x.numpy().astype(">f4"),
        lambda x: x.numpy().astype("longdouble"),
        ganzoo.to_pil,
    ],
)
def test_bytes_arrays_and_lists_are_pictures_too(model, same):
    images = (grey() * 255).byte() / 255
    torch.testing.assert_close(model.sample(5, grey=same(images)), model.sample(5, grey=images), atol=1e-5, rtol=0)


def test_one_input_goes_for_all_samples(model):
    painted = model.sample(3, grey=grey()[0])
    assert torch.equal(painted, painted[:1].expand_as(painted))


WRONG = {
    "another range": (lambda: grey() * 2 - 1, r"'grey' must lie in \[0, 1\], got -0\.9\d+ to 0\.9\d+"),
    "another size": (lambda: grey(size=8), r"'grey' must have the shape 1 x 16 x 16, got 1 x 8 x 8"),
    "another number of channels": (
        lambda: grey().expand(-1, 3, -1, -1),
        "'grey' must have the shape 1 x 16 x 16, got 3",
    ),
    "not finite": (lambda: grey() / 0, "'grey' has a value that is not a finite number"),
    "a number": (lambda: 7, r"'grey' must hold uint8 or numbers in \[0, 1\], got int64"),
    "no numbers": (lambda: [None], r"'grey' must be a tensor, an array or a file, got \[None\]"),
    "too few": (lambda: grey(3), r"'grey' is fixed to values of shape \(3, 1, 16, 16\), which do not fit 5 x"),
    "letters": (lambda: np.array(["a"]), "'grey' must have numbers, got <U1"),
    "no file": (lambda: "nowhere.png", "there is no file or folder 'nowhere.png' to take 'grey' from"),
}


@pytest.mark.parametrize(("value", "sentence"), WRONG.values(), ids=WRONG)
def test_an_input_that_does_not_fit_is_refused_in_one_sentence(model, value, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence) as refusal:
        model.sample(5, grey=value())
    assert "\n" not in str(refusal.value)


def test_without_inputs_the_kept_ones_are_taken_again_and_again(run, model):
    kept = read_kept(run.path / "inputs.safetensors")["grey"]
    assert kept.shape == (40, 1, 16, 16)
    many, given = model.sample_with_given(100)
    torch.testing.assert_close(given["grey"], (kept[torch.arange(100) % 40] + 1) / 2)
    torch.testing.assert_close(many, model.sample(100, **given))
    assert "from 'grey' (16 x 16 images in [0, 1])" in repr(model)


def test_a_model_without_kept_inputs_says_what_it_needs(run, tmp_path, typed):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((run.model_folder / name).read_bytes())
    with pytest.raises(
        ganzoo.BadInput, match=r"needs 'grey' \(16 x 16 images in \[0, 1\]\): sample\(16, grey=\.\.\.\)"
    ):
        ganzoo.load(tmp_path, "cpu").sample(4)
    code, _, errors = typed("sample", tmp_path, "--device", "cpu")
    assert code == 2
    assert "--input grey=FILE|FOLDER" in errors
    code, _, errors = typed("compare", run.path, tmp_path, "--out", "beside.png", "--device", "cpu")
    assert (code, (tmp_path / "beside.png").is_file()) == (0, True), errors  # with words in place of its picture


def test_a_model_of_before_takes_what_its_generator_does(run, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((run.model_folder / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    del config["inputs"], config["data"]["specs"], config["data"]["facts"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    old = ganzoo.load(tmp_path, "cpu")
    old.generator.needs, old.generator.takes = ("grey",), ()
    images = grey()
    torch.testing.assert_close(old.sample(5, grey=images * 2 - 1), ganzoo.load(run, "cpu").sample(5, grey=images))
    with pytest.raises(ganzoo.BadInput, match=r"needs 'grey'; fix it, such as sample\(16, grey=\.\.\.\)"):
        old.sample(2)


@pytest.fixture
def files(tmp_path):
    """Three pictures of another size and in colour, in a folder and as an array file."""
    folder = tmp_path / "photos"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "notes.txt").write_text("no picture")
    for number in (1, 2, 10):
        Image.new("RGB", (40, 24), (25 * number, 0, 0)).save(folder / f"{number}.png")
    pixels = np.full((3, 16, 16, 1), 200, np.uint8)
    np.savez(tmp_path / "one.npz", grey=np.moveaxis(pixels, -1, 1))
    np.savez(tmp_path / "written.npz", images=pixels, labels=np.arange(3))
    return tmp_path


def test_files_are_made_to_fit_and_are_read_in_the_order_of_their_names(model, files):
    _, given = model.sample_with_given(3, grey=files / "photos")
    levels = given["grey"].flatten(1).mean(1) * 255
    expected = [float(Image.new("RGB", (1, 1), (25 * n, 0, 0)).convert("L").getpixel((0, 0))) for n in (1, 2, 10)]
    assert levels.tolist() == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("source", "count"), [("photos", 3), ("photos/2.png", 1), ("one.npz", 3), ("written.npz", 3)])
def test_the_command_draws_one_sample_for_each_input(run, files, typed, source, count):
    code, out, errors = typed(
        "sample", run.path, "--input", f"grey={files / source}", "--out", "made", "--device", "cpu"
    )
    assert (code, out.strip()) == (0, "made"), errors
    assert len(list((files / "made").iterdir())) == count


def test_the_command_says_which_inputs_it_takes_where_none_are_given(run, tmp_path, typed):
    code, out, errors = typed("sample", run.path, "--device", "cpu")
    assert code == 0
    assert (
        errors
        == "made from 40 real inputs that are kept with the model (grey); --input grey=FILE|FOLDER gives others\n"
    )
    assert (tmp_path / out.strip()).is_file()


REFUSED = {
    "a key that it does not take": (["--input", "gray=photos"], "this model takes no 'gray'; did you mean 'grey'?"),
    "no path": (["--input", "grey"], "'--input grey' is not one file or folder for an input"),
    "twice": (["--input", "grey=photos", "--input", "grey=one.npz"], "is not one file or folder for an input"),
    "by --set too": (["--input", "grey=photos", "--set", "grey=1"], "'grey' is given twice: by --set and by --input"),
    "nowhere": (["--input", "grey=nowhere"], "there is no file or folder 'nowhere' to take 'grey' from"),
    "an empty folder": (["--input", "grey=empty"], "the folder 'empty' has no file to take 'grey' from"),
    "no picture": (["--input", "grey=text.png"], "'text.png' is not a picture that can be read"),
    "a folder with another file": (["--input", "grey=mixed"], "'mixed/b.txt' is not a picture that can be read"),
    "a damaged array file": (["--input", "grey=bad.npz"], "'bad.npz' is not an array file that can be read"),
    "other arrays": (["--input", "grey=other.npz"], "'other.npz' has no array 'grey'; allowed: a, b"),
    "arrays of another size": (["--input", "grey=small.npz"], "'grey' must have the shape 1 x 16 x 16, got 1 x 8 x 8"),
    "too few": (["--input", "grey=photos", "-n", "5"], "'photos' has 3 images for 5 samples; leave out -n"),
}


@pytest.mark.parametrize(("words", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_the_command_cannot_take_is_refused_in_one_sentence(run, files, typed, words, sentence):
    (files / "empty").mkdir()
    (files / "mixed").mkdir()
    (files / "mixed" / "a.png").write_bytes((files / "photos" / "1.png").read_bytes())
    for name in ("text.png", "mixed/b.txt", "bad.npz"):
        (files / name).write_text("nothing of the kind")
    np.savez(files / "other.npz", a=np.zeros(3), b=np.zeros(3))
    np.savez(files / "small.npz", grey=np.zeros((3, 1, 8, 8)))
    code, out, errors = typed("sample", run.path, *words, "--out", "made.png", "--device", "cpu")
    assert (code, out) == (2, ""), errors
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (files / "made.png").exists()


def test_info_tells_the_inputs(run, typed):
    assert "needs grey: image 1 x 16 x 16\n  may take light: other" in typed("info", run.path)[1]
    assert "needs label" in typed("info", "conditional")[1]


def test_info_of_such_a_model_imports_no_torch(run, command):
    done = command.python("-X", "importtime", "-m", "ganzoo", "info", run.path, GANZOO_DISABLE_PLUGINS="paint-gan")
    assert done.returncode == 0  # without the plugin, which imports it
    assert "| torch\n" not in done.stderr


def test_a_damaged_file_of_kept_inputs_is_named(run, tmp_path):
    copy = ganzoo.Run(painter.paint(tmp_path / "run").path)
    (copy.path / "inputs.safetensors").write_bytes(b"nothing")
    with pytest.raises(ganzoo.Unavailable, match=r"inputs\.safetensors is not a safetensors file"):
        copy.sample(2)
    assert copy.sample(2, grey=grey(2)).shape == (2, 3, 16, 16)


HOSTILE = {
    "an image without channels": {"kind": "image", "shape": [16, 16]},
    "an image without a shape": {"kind": "image", "shape": []},
    "an image that fills the memory": {"kind": "image", "shape": [1, 10**9, 10**9]},
    "a kind that nobody has": {"kind": "nothing", "shape": [1, 16, 16]},
    "a kind that refuses it": {"kind": "text", "shape": [1, 16, 16]},
}


@pytest.mark.parametrize("about", HOSTILE.values(), ids=HOSTILE)
def test_a_config_of_a_stranger_does_no_harm(run, tmp_path, about):
    config = json.loads((run.model_folder / "config.json").read_text())
    config["inputs"]["grey"] |= about
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((run.model_folder / "model.safetensors").read_bytes())
    model = ganzoo.load(tmp_path, "cpu")
    assert "from 'grey'" in repr(model)
    with pytest.raises(ganzoo.BadInput, match="needs 'grey'"):
        model.sample(2)
    with suppress(ganzoo.BadInput):
        model.sample(2, grey=grey(2))


def test_a_pinned_file_that_is_not_there_is_named(run, tmp_path):
    config = json.loads((run.model_folder / "config.json").read_text())
    config["kept_inputs"] = {"file": "inputs.safetensors", "sha256": "0" * 64, "size": 9, "count": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((run.model_folder / "model.safetensors").read_bytes())
    with pytest.raises(ganzoo.Unavailable, match=r"inputs\.safetensors is missing or incomplete"):
        ganzoo.load(tmp_path, "cpu").sample(2)


def test_two_such_models_are_compared(run, tmp_path, typed):
    code, _, errors = typed("compare", run.path, run.path, "-n", "64", "--out", "page.png", "--device", "cpu")
    assert code == 0, errors
    assert Image.open(tmp_path / "page.png").width > 100


def test_another_training_begins_with_such_a_model(run, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        again = painter.paint(tmp_path / "again", init=run)
    assert again.recipe.train.init == str(run.path)
