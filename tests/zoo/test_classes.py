"""Labels and codes: fixed by number or name, one row of a picture each, one sub-folder each."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganzoo
from ganzoo.data.batches import parse_batch
from ganzoo.data.sources import open_data
from ganzoo.zoo.export import write_samples
from ganzoo.zoo.model import Model

PETS = ("cat", "dog", "guinea pig")


class Coded(ganzoo.Generator):
    """Labels, another categorical latent and a continuous one; the images show all three."""

    categorical = {"label": 3, "code": 2}  # noqa: RUF012
    latent_size = 4

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 16)

    def latent(self, n, rng):
        return super().latent(n, rng) | {"tilt": torch.rand(n, generator=rng)}

    def forward(self, given):
        told = torch.stack([given["label"] / 3, given["code"] / 2, given["tilt"]], 1)
        return torch.cat([self.net(given["z"])[:, :13].tanh(), told], 1).unflatten(1, (1, 4, 4))


def model(classes=PETS):
    torch.manual_seed(0)
    return Model(Coded(), {"data": {"kind": "image", "shape": [1, 4, 4], "classes": list(classes)}}, "cpu")


def pixels(path):
    return np.asarray(Image.open(path).convert("L"))


def as_bytes(images):
    return (images * 255).round().byte().numpy()[:, 0]


def test_the_default_latent_draws_what_is_categorical_all_values_alike():
    drawn = Coded().latent(6000, torch.Generator().manual_seed(0))
    assert (drawn["label"].dtype, drawn["label"].shape) == (torch.int64, (6000,))
    # Six standard errors of a count of 2,000 in 6,000.
    assert (torch.bincount(drawn["label"], minlength=3) - 2000).abs().max() < 6 * 37
    assert drawn["code"].unique().tolist() == [0, 1]


@pytest.mark.parametrize(
    "label", ["guinea pig", "2", 2, ["guinea pig"] * 5, [2, "2", 2, 2, "guinea pig"], torch.tensor(2), np.full(5, 2)]
)
def test_a_label_is_fixed_by_the_number_or_the_name_of_its_class(label):
    samples, given = model().sample_with_given(5, seed=3, label=label)
    assert given["label"].tolist() == [2] * 5
    assert torch.equal(given["z"], model().sample_with_given(5, seed=3)[1]["z"])
    assert torch.allclose(samples[:, 0, 3, 1], torch.tensor((2 / 3 + 1) / 2))


@pytest.mark.parametrize(
    ("names", "label", "number"),
    [
        (["2", "1", "0"], "0", 2),
        (["2", "1", "0"], 0, 2),
        (["2", "1", "0"], torch.tensor(0), 0),
        (["10", "11", "12"], 11, 1),
        (["07", "08", "09"], 8, 1),
        (["07", "08", "09"], "8", 1),
        (["0.5", "1", "1.5"], 1.5, 2),
        (["cat", "7", "dog"], 7, 1),
        (["2", "10", "cat"], np.int64(2), 0),
        (["2", "10", "cat"], np.float32(2), 0),
        (["nan", "b", "inf"], np.int8(1), 1),
        (["nan", "b", "inf"], "inf", 2),
        (["cat", "3,cat", "3"], "3,cat", 1),
    ],
)
def test_where_a_class_is_called_by_a_number_every_number_is_a_name(tmp_path, names, label, number):
    assert model(names).sample_with_given(2, label=label)[1]["label"].tolist() == [number] * 2
    if not isinstance(label, torch.Tensor):
        file = np.load(write_samples(model(names), "m", 2, 0, tmp_path / "a.npz", False, "", {"label": str(label)}))
        assert file["labels"].tolist() == [number] * 2
        assert file["classes"].tolist() == names


@pytest.mark.parametrize(
    ("names", "label"),
    [(["1", "2", "3"], 0), (["10", "11", "12"], 1), (["cat", "7", "dog"], 0), (["1", "01", "x"], 1.0)],
)
def test_a_number_that_no_class_is_called_by_is_refused(tmp_path, names, label):
    with pytest.raises(ganzoo.BadInput, match=f"'label' has no class {label}; "):
        model(names).sample(2, label=label)
    with pytest.raises(ganzoo.BadInput, match=f"'label' has no class '{label}'; "):
        write_samples(model(names), "m", 2, 0, tmp_path / "a.npz", False, "", {"label": str(label)})


def test_words_fix_numbers_too():
    assert model().sample_with_given(2, tilt=["0.5", "-1"])[1]["tilt"].tolist() == [0.5, -1]


@pytest.mark.parametrize(
    ("label", "advice"),
    [
        (torch.zeros(2, 1, dtype=torch.long), "label.flatten() has the right shape"),
        (torch.eye(3)[:2], "of one-hot rows, label.argmax(1) gives the numbers"),
        (torch.zeros(2), "label.long() has the right type"),
        (torch.zeros(2, dtype=torch.bool), "label.long() has the right type"),
    ],
)
def test_labels_of_another_kind_are_refused_with_what_makes_them_right(label, advice):
    with pytest.raises(ganzoo.BadInput) as refusal:
        model().sample(2, label=label)
    with pytest.raises(ganzoo.BadInput) as other:
        parse_batch({"label": label}, PETS)
    got = f"got {label.dtype} of shape {tuple(label.shape)}; {advice}"
    assert str(refusal.value) == f"'label' must be one whole number for each sample: {got}"
    assert str(other.value) == f"'label' must be one whole number for each image, of shape (n,): {got}"


@pytest.mark.parametrize(
    ("fixed", "sentence"),
    [
        ({"label": "catt"}, "'label' has no class 'catt'; did you mean 'cat'?"),
        ({"label": 10**5000}, "'label' is fixed to a number that is too large"),
        ({"tilt": [-(10**5000)]}, "'tilt' is fixed to a number that is too large"),
        ({"label": 3}, "'label' must lie in 0..2, one for each of the model's 3 classes"),
        ({"code": "2"}, "'code' must lie in 0..1, one for each of the model's 2 classes"),
        ({"code": "cat"}, "'code' must be a number, or one for each sample, got 'cat'"),
        ({"tilt": "nan"}, "'tilt' must be a number, or one for each sample, got 'nan'"),
        ({"tilt": [1.0, float("inf")]}, "'tilt' is fixed to a value that is not a finite number"),
        ({"label": "3,cat"}, "'label' has no class '3,cat'; did you mean 'cat'?"),
        ({"tilt": "0,1"}, "'tilt' must be a number, or one for each sample, got '0,1'"),
        ({"tilt": "upright"}, "'tilt' must be a number, or one for each sample, got 'upright'"),
    ],
)
def test_what_is_no_class_is_refused_with_what_is_allowed(fixed, sentence):
    with pytest.raises(ganzoo.BadInput) as refusal:
        model().sample(2, **fixed)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("rows", "fixed"),
    [
        ("label", [{"label": each} for each in range(3)]),
        ("code", [{"code": each} for each in range(2)]),
        ("label=dog,cat", [{"label": 1}, {"label": 0}]),
        ("tilt=-1,0,0.5,1", [{"tilt": each} for each in (-1.0, 0.0, 0.5, 1.0)]),
    ],
)
def test_a_picture_has_a_row_for_each_value_from_the_same_other_latents(tmp_path, rows, fixed):
    rest = {} if "tilt" in rows else {"tilt": 0.1}
    path = write_samples(model(), "m", 5, 1, tmp_path / "a.png", False, rows, rest)
    wanted = np.concatenate([as_bytes(model().sample(5, seed=1, **rest, **each)) for each in fixed])
    # Tiles of 4 pixels, 2 pixels apart, enlarged 16 times.
    shown = pixels(path)[::16, ::16]
    tiles = [shown[r : r + 4, c : c + 4] for r in range(2, len(fixed) * 6, 6) for c in range(2, 5 * 6, 6)]
    assert shown.shape[0] == len(fixed) * 6 + 2
    beside = pixels(path)[:, 16 * (5 * 6 + 2) :]
    assert all((part < 128).any() for part in np.array_split(beside, len(fixed)))  # a name beside each row
    assert np.array_equal(np.stack(tiles), wanted)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("tilt", "'tilt' is not categorical here; give its values, such as tilt=-1,0,1"),
        ("lable=1", "no 'lable' to fix; did you mean 'label'?"),
        ("=3", "rows of '=3' name no latent"),
        ("code", "'code' is fixed, and cannot have rows"),
        ("label=cat,cow", "no class 'cow'; allowed: "),
    ],
)
def test_rows_that_cannot_be_are_refused_before_anything_is_written(tmp_path, rows, sentence):
    with pytest.raises(ganzoo.BadInput) as refusal:
        write_samples(model(), "m", 5, 1, tmp_path / "a.png", False, rows, {"code": 1} if rows == "code" else {})
    assert sentence in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "fixed", "name"),
    [
        ("label", {}, "m-seed0-n2-rows-label.png"),
        ("", {"label": "guinea pig"}, "m-seed0-n2-labelguinea-pig.png"),
        ("tilt=-1,0", {"code": 1}, "m-seed0-n2-code1-rows-tilt--1-0.png"),
    ],
)
def test_the_default_name_says_what_was_fixed(tmp_path, monkeypatch, rows, fixed, name):
    monkeypatch.chdir(tmp_path)
    assert write_samples(model(), "m", 2, 0, None, False, rows, fixed).name == name


def test_many_unknown_keys_are_refused_by_name_though_no_file_could_be_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ganzoo.BadInput, match="has no 'aaaa"):
        write_samples(model(), "m", 2, 0, None, False, "", {letter * 60: 1 for letter in "abcdef"})
    long = write_samples(model(), "m", 2, 0, None, False, "tilt=" + ",".join(["0.123456789"] * 40))
    assert len(long.name) < 150


def test_a_folder_of_samples_is_training_data_with_the_same_classes(tmp_path):
    folder = write_samples(model(), "m", 70, 0, tmp_path / "singles", False)
    samples, given = model().sample_with_given(70)
    assert sorted(path.name for path in folder.iterdir()) == list(PETS)
    for number, (image, label) in enumerate(zip(as_bytes(samples), given["label"], strict=True)):
        assert np.array_equal(pixels(folder / PETS[label] / f"{number:06d}.png"), image)
    data = open_data(folder)
    assert (data.classes, data.count) == (list(PETS), 70)


def test_rows_in_a_folder_make_as_many_of_each_class_and_replace_older_ones(tmp_path):
    write_samples(model(), "m", 70, 0, tmp_path / "singles", False)
    folder = write_samples(model(), "m", 4, 0, tmp_path / "singles", True, "label")
    assert {path.name: len(list(path.iterdir())) for path in folder.iterdir()} == dict.fromkeys(PETS, 4)


def test_rows_of_a_code_in_a_folder_get_a_sub_folder_each(tmp_path):
    folder = write_samples(model(), "m", 2, 0, tmp_path / "codes", False, "tilt=-1,0.5")
    assert {path.name: len(list(path.iterdir())) for path in folder.iterdir()} == {"tilt=-1": 2, "tilt=0.5": 2}
    (folder / "mine").mkdir()
    (folder / "mine" / "000000.png").write_text("not ours")
    write_samples(model(), "m", 1, 0, folder, True, "tilt=-1,0.5")
    assert {path.name: len(list(path.iterdir())) for path in folder.iterdir()} == {
        "tilt=-1": 1,
        "tilt=0.5": 1,
        "mine": 1,
    }


def test_more_labels_than_the_data_has_classes_go_into_numbers(tmp_path):
    folder = write_samples(model(["a", "b"]), "m", 30, 0, tmp_path / "singles", False)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "2"]


def test_a_value_for_each_sample_is_fixed_on_the_command_line_too(tmp_path):
    path = write_samples(model(), "m", 2, 0, tmp_path / "a.npz", False, "", {"label": "dog,cat"})
    assert np.load(path)["labels"].tolist() == [1, 0]


@pytest.mark.parametrize(
    "names",
    [
        ["../a", "b", "c"],
        ["a", "a", "b"],
        ["", "b", "c"],
        [".", "b", "c"],
        ["a/b", "b", "c"],
        ["漢" * 100, "b", "c"],
        ["000000.png", "b", "c"],
        ["Cat", "cat", "c"],
    ],
)
def test_names_of_classes_that_make_no_folders_give_way_to_numbers(tmp_path, names):
    folder = write_samples(model(names), "m", 30, 0, tmp_path / "in" / "singles", False)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "2"]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


CODED = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("coded", generator="coded.networks:Coded", discriminator="coded.networks:Critic")
"""
NETWORKS = """
import torch
from torch import nn

import ganzoo


class Coded(ganzoo.Generator):
    needs = ("label",)

    def __init__(self, image, classes):
        super().__init__()
        self.categorical, self.net = {"label": classes}, nn.Linear(100, 16)

    def forward(self, given):
        shade = given["label"].float()[:, None] / 3
        return (1e-3 * self.net(given["z"]).tanh() + shade).clamp(-1, 1).unflatten(1, (1, 4, 4))


class Critic(nn.Module):
    def __init__(self, image, classes):
        super().__init__()
        self.net = nn.Linear(16, 1)

    def forward(self, images, given):
        return self.net(images.flatten(1))
"""


def test_pictures_of_a_training_have_a_row_for_each_class(site, tmp_path):
    site.install("coded", CODED)
    (site.folder / "coded" / "networks.py").write_text(NETWORKS)
    batch = {"image": torch.zeros(6, 1, 4, 4), "label": torch.arange(6) % 3}
    recipe = {"architecture": {"name": "coded"}, "loss": [{"name": "non-saturating"}], "data": {"classes": 3}}
    run = ganzoo.train(recipe, data=[batch], train={"steps": 1}, out=tmp_path / "run", quiet=True, device="cpu")
    whole = pixels(next((run.path / "samples").iterdir()))[::16, ::16].astype(int)
    shown = whole[:, : 8 * 6 + 2]  # the names of the rows stand beside it
    assert (len(whole), whole.shape[1] > shown.shape[1]) == (3 * 6 + 2, True)
    rows = [shown[6 * row + 2 : 6 * row + 6, 2:6].mean() for row in range(3)]
    np.testing.assert_allclose(rows, [127.5 + 127.5 * label / 3 for label in range(3)], atol=2)


def test_a_number_of_no_class_is_told_all_classes_and_not_a_near_one():
    with pytest.raises(ganzoo.BadInput, match="'label' has no class 11; allowed: 0, 1, 2"):
        ganzoo.load("cgan-mnist").sample(1, label=11)


def test_a_run_that_was_not_measured_says_that_it_has_no_best(tmp_path):
    run = ganzoo.train("vanilla", train={"steps": 2, "batch": 4}, out=tmp_path / "run", quiet=True)
    with pytest.raises(ganzoo.BadInput, match="has no best generator yet"):
        ganzoo.load(run.path / "best")
