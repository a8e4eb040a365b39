"""Models: sampling by seed, loading only what is sound, and files for people."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganzoo
from ganzoo.export import write
from ganzoo.model import Model, load
from ganzoo.progress import Silence

IMAGES = {"data": {"kind": "image"}}


class Labelled(ganzoo.Generator):
    """A generator with two latent keys and batch norm."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(104, 32), nn.BatchNorm1d(32), nn.Linear(32, 16), nn.Tanh())

    def latent(self, n, rng):
        return super().latent(n, rng) | {"label": torch.randint(4, (n,), generator=rng)}

    def forward(self, given):
        label = nn.functional.one_hot(given["label"], 4).float()
        return self.net(torch.cat([given["z"], label], 1)).unflatten(1, (1, 4, 4))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model(Labelled(), IMAGES, "cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe = {"architecture": "vanilla", "loss": ["minimax"], "train": {"steps": 2, "batch": 8, "precision": "fp32"}}
    return ganzoo.train(recipe, out=tmp_path_factory.mktemp("runs") / "run", device="cpu", progress=Silence())


@pytest.mark.parametrize("n", [1, 5, 16, 63, 64, 65, 130])
def test_the_first_samples_of_a_seed_do_not_depend_on_how_many_are_drawn(model, n):
    many, few = model.sample_with_given(200, seed=3), model.sample_with_given(n, seed=3)
    assert torch.equal(few[1]["z"], many[1]["z"][:n])
    assert torch.equal(few[1]["label"], many[1]["label"][:n])
    torch.testing.assert_close(few[0], many[0][:n], rtol=0, atol=1e-5)


def test_samples_are_images_in_the_unit_range_on_the_cpu(model):
    images = model.sample(10)
    assert (images.shape, images.dtype, images.device.type) == ((10, 1, 4, 4), torch.float32, "cpu")
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.std() > 0


def test_seeds_and_blocks_give_different_latents(model):
    given = [model.sample_with_given(128, seed)[1]["z"] for seed in (0, 1)]
    assert not torch.equal(given[0], given[1])
    assert not torch.equal(given[0][:64], given[0][64:])


@pytest.mark.parametrize("value", [2, [2] * 70, torch.full((70,), 2)])
def test_one_key_can_be_fixed_without_changing_the_others(model, value):
    free, fixed = model.sample_with_given(70)[1], model.sample_with_given(70, label=value)[1]
    assert torch.equal(free["z"], fixed["z"])
    assert fixed["label"].tolist() == [2] * 70


def test_each_sample_can_have_its_own_fixed_value(model):
    wanted = torch.arange(70) % 4
    assert torch.equal(model.sample_with_given(70, label=wanted)[1]["label"], wanted)


def test_what_cannot_be_fixed_is_refused(model):
    with pytest.raises(ganzoo.BadInput, match=r"no 'lable' to fix; did you mean 'label'\?"):
        model.sample(4, lable=1)
    with pytest.raises(ganzoo.BadInput, match="does not fit 4 x"):
        model.sample(4, label=[1, 2, 3])
    with pytest.raises(ganzoo.BadInput, match="cannot draw 0 samples"):
        model.sample(0)


def test_the_generator_can_be_differentiated_through(model):
    z = torch.randn(2, 100, requires_grad=True)
    model.generator({"z": z, "label": torch.zeros(2, dtype=torch.long)}).sum().backward()
    assert z.grad.abs().sum() > 0


def test_a_model_folder_loads_alone_and_draws_the_same(run, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("config.json", "model.safetensors"):
        (copy / name).write_bytes((run.model_folder / name).read_bytes())
    assert torch.equal(load(copy).sample(5), run.sample(5))


def changed(run, folder, change):
    """A copy of the run's model whose config went through `change`."""
    folder.mkdir()
    config = json.loads((run.model_folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(change(config) or config))
    (folder / "model.safetensors").write_bytes((run.model_folder / "model.safetensors").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (lambda c: c.update(format=99), ganzoo.BadInput, "has format 99, this ganzoo"),
        (lambda c: c["architecture"].update(distribution="ganzoo-else"), ganzoo.BadInput, "'vanilla' of ganzoo-else"),
        (lambda c: c["architecture"]["options"].update(widht=3), ganzoo.BadInput, "unknown key 'architecture.widht'"),
        (lambda c: c["architecture"]["options"].update(widths=[7]), ganzoo.Unavailable, "do not fit the architecture"),
        (lambda c: c["weights"].update(sha256="0" * 64), ganzoo.Unavailable, "is damaged"),
        (lambda c: [1], ganzoo.BadInput, "is not the config of a ganzoo model"),
        (lambda c: {"format": 1}, ganzoo.BadInput, "format 1"),
    ],
)
def test_a_model_that_is_not_sound_is_refused(run, tmp_path, change, kind, sentence):
    with pytest.raises(kind, match=sentence):
        load(changed(run, tmp_path / "changed", change))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ganzoo.BadInput, match="there is no run or model"):
        load(tmp_path / "nothing")
    with pytest.raises(ganzoo.BadInput, match=r"it has no config\.json"):
        load(tmp_path)


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


def test_samples_never_replace_what_is_there_unless_told_to(run, tmp_path):
    out = write(run.path, 4, 0, tmp_path / "a.png", False, "cpu")
    with pytest.raises(ganzoo.BadInput, match="is there already"):
        write(run.path, 4, 0, out, False, "cpu")
    write(run.path, 4, 0, out, True, "cpu")
    with pytest.raises(ganzoo.BadInput, match=r"cannot write samples as .*a\.jpg"):
        write(run.path, 4, 0, tmp_path / "a.jpg", False, "cpu")


def test_pictures_of_samples_say_what_they_are(run, tmp_path):
    text = Image.open(write(run.path, 4, 6, tmp_path / "a.png", False, "cpu")).text
    assert (text["Synthetic"], text["Model"], text["Seed"]) == ("true", "run", "6")
