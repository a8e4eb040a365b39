"""Models: sampling by seed, loading only what is sound, and files for people."""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import nn

import ganzoo
from ganzoo.pictures.layout import select_showable
from ganzoo.zoo import sampling
from ganzoo.zoo.export import pixels, write, write_samples
from ganzoo.zoo.model import Model, load

IMAGES = {"data": {"kind": "image"}}
CLASSES = {"data": {"kind": "image", "classes": ["a", "b", "c", "d"]}}


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


class Conditional(Labelled):
    """The same, but nobody draws the label."""

    needs = ("label",)

    def latent(self, n, rng):
        return ganzoo.Generator.latent(self, n, rng)


class Noisy(ganzoo.Generator):
    """A generator that draws noise inside `forward`, as StyleGAN does."""

    def forward(self, given):
        return torch.tanh(given["z"][:, :16] + torch.randn(len(given["z"]), 16)).unflatten(1, (1, 4, 4))


class Several(ganzoo.Generator):
    """Images, and masks whose values are no pixels."""

    makes = ("image", "mask")

    def forward(self, given):
        image = torch.tanh(given["z"][:, :16]).unflatten(1, (1, 4, 4))
        return {"image": image, "mask": 7 * image}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model(Labelled(), IMAGES, "cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe = {"architecture": "vanilla", "loss": ["minimax"], "train": {"steps": 2, "batch": 8, "precision": "fp32"}}
    return ganzoo.train(recipe, out=tmp_path_factory.mktemp("runs") / "run", device="cpu", quiet=True)


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
    with pytest.raises(ganzoo.BadInput, match="cannot draw 0 samples"):
        model.sample(0)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("label", [1, 2, 3], r"'label' is fixed to values of shape \(3,\), which do not fit 4 x \(\)"),
        ("z", [1.0, 2.0], r"'z' is fixed to values of shape \(2,\), which do not fit 4 x \(100,\)"),
        ("label", "cat", "'label' must be a number, or one for each sample, got 'cat'"),
        ("label", None, "'label' must be a number, or one for each sample, got None"),
        ("label", {"a": 1}, "'label' must be a number"),
        ("label", 2**80, "'label' must be a number"),
        ("label", 1.5, "'label' takes torch.int64, got torch.float32"),
        ("label", 99, "cannot take the given 'label': "),
        ("label", [0, 1, 2, -1], "cannot take the given 'label': "),
    ],
)
def test_a_value_that_cannot_be_fixed_is_refused_in_one_sentence(model, key, value, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence) as refusal:
        model.sample(4, **{key: value})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("label", [99, [0, 1, 2, -1], torch.tensor(4)])
def test_a_label_that_is_no_class_of_the_model_is_refused(label):
    with pytest.raises(ganzoo.BadInput, match=r"'label' must lie in 0\.\.3, one for each of the model's 4 classes"):
        Model(Labelled(), CLASSES, "cpu").sample(4, label=label)


def test_what_a_generator_needs_and_does_not_draw_must_be_fixed():
    model = Model(Conditional(), IMAGES, "cpu")
    with pytest.raises(ganzoo.BadInput, match=r"needs 'label'; fix it, such as sample\(16, label=\.\.\.\)"):
        model.sample(3)
    assert model.sample(3, label=1).shape == (3, 1, 4, 4)
    with pytest.raises(ganzoo.BadInput, match="cannot take the given 'label': "):
        model.sample(3, label=[[1, 2], [1, 2], [1, 2]])


def test_noise_drawn_inside_the_generator_depends_on_seed_and_block_alone():
    model = Model(Noisy(), IMAGES, "cpu")
    before, z = torch.get_rng_state(), torch.zeros(100)
    first = model.sample(128, z=z)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(model.sample(128, z=z), first)
    assert not torch.equal(model.sample(128, seed=1, z=z), first)
    assert not torch.equal(first[:64], first[64:])


def test_of_several_outputs_only_images_are_brought_to_the_unit_range(tmp_path):
    model = Model(Several(), IMAGES, "cpu")
    samples, given = model.sample_with_given(70)
    image = torch.tanh(given["z"][:, :16]).unflatten(1, (1, 4, 4))
    torch.testing.assert_close(samples["image"], (image + 1) / 2)
    torch.testing.assert_close(samples["mask"], 7 * image)
    assert select_showable(samples) is samples["image"]


@pytest.mark.parametrize("samples", [{"mask": torch.zeros(2, 1, 4, 4)}, torch.zeros(2, 5), torch.zeros(2, 2, 4, 4)])
def test_what_no_picture_can_show_is_told_apart(samples):
    assert select_showable(samples) is None


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
        (lambda c: {"format": 1}, ganzoo.BadInput, "architecture: Field required"),
        (lambda c: c.pop("format") and None, ganzoo.BadInput, "format: Field required"),
        (lambda c: c["architecture"].update(options=[1]), ganzoo.BadInput, r"architecture\.options: "),
        (lambda c: c["architecture"].update(name=None), ganzoo.BadInput, r"architecture\.name: "),
        (lambda c: c["architecture"].update(name="a\x1b[2J"), ganzoo.BadInput, r"architecture\.name: "),
        (lambda c: c["data"].update(shape=None), ganzoo.BadInput, "data: .*images need a shape, of length 3"),
        (lambda c: c["data"].update(shape=[1, -4, 4]), ganzoo.BadInput, r"data\.shape\.1: "),
        (lambda c: c["data"].update(classes=10), ganzoo.BadInput, r"data\.classes: "),
        (lambda c: c.update(weights=[]), ganzoo.BadInput, "weights: "),
        (lambda c: c["weights"].update(file=3), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="../model.safetensors"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="/etc/passwd"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="a/b"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file=".."), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="other.safetensors"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="pytorch_model.bin"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(sha256="0" * 63), ganzoo.BadInput, r"weights\.sha256: "),
        (lambda c: c["weights"].update(size=7), ganzoo.Unavailable, "incomplete: config.json says 7 bytes"),
        (lambda c: c.update(junk="x" * 1_000_001), ganzoo.BadInput, "too large for a config"),
    ],
)
def test_a_model_that_is_not_sound_is_refused(run, tmp_path, change, kind, sentence):
    with pytest.raises(kind, match=sentence) as refusal:
        load(changed(run, tmp_path / "changed", change))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'"words"'])
def test_a_config_that_is_no_table_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ganzoo.BadInput, match=r"config\.json is not the config of a ganzoo model"):
        load(tmp_path)


def test_weights_with_the_right_hash_must_still_be_weights(run, tmp_path):
    content = b"not weights at all"
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, tmp_path / "changed", lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ganzoo.Unavailable, match="is not a safetensors file"):
        load(folder)


def reweighted(run, folder, change):
    """A copy of a model folder whose weights went through `change`, pinned as they then are."""
    weights = tensors_from_bytes((run.model_folder / "model.safetensors").read_bytes())
    content = tensors_to_bytes(change(weights) or weights)
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, folder, lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: {name: w[name] for name in w if name != min(w)}, "' is missing"),
        (lambda w: w.update(more=torch.zeros(1)), "'more' is too much"),
        (lambda w: w.update({min(w): torch.zeros(3, 3, 3)}), r"has the shape \(3, 3, 3\), not \("),
        (lambda w: w.update({min(w): w[min(w)].double()}), "is torch.float64, not torch.float32"),
        (lambda w: w.update({min(w): w[min(w)].int()}), "is torch.int32, not torch.float32"),
        (lambda w: w.update({min(w): w[min(w)] * torch.nan}), "has a NaN"),
    ],
)
def test_weights_must_fit_in_name_shape_and_type(run, tmp_path, change, sentence):
    with pytest.raises(ganzoo.Unavailable, match=sentence):
        load(reweighted(run, tmp_path / "changed", change))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_kept_in_half_precision_are_loaded_into_float32(run, tmp_path, dtype):
    kept = weights_of(run)
    halved = {name: kept[name].to(dtype) if kept[name].is_floating_point() else kept[name] for name in kept}
    loaded = load(reweighted(run, tmp_path / "changed", lambda w: halved)).generator.state_dict()
    for name, tensor in kept.items():
        assert torch.equal(loaded[name], halved[name].to(tensor.dtype))


def weights_of(run):
    return tensors_from_bytes((run.model_folder / "model.safetensors").read_bytes())


@pytest.mark.parametrize("header", [b"\xff" * 8, (2**40).to_bytes(8, "little"), (3).to_bytes(8, "little") + b"{}x"])
def test_a_safetensors_header_that_lies_is_refused(run, tmp_path, header):
    content = header + (run.model_folder / "model.safetensors").read_bytes()[8:]
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, tmp_path / "changed", lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ganzoo.Unavailable, match="is not a safetensors file"):
        load(folder)


def test_weights_that_do_not_fit_are_explained_by_versions(run, tmp_path):
    def other_version(config):
        config["architecture"].update(version="0.0.7")
        config["architecture"]["options"].update(widths=[7])

    with pytest.raises(ganzoo.Unavailable) as refusal:
        load(changed(run, tmp_path / "changed", other_version))
    installed = json.loads((run.model_folder / "config.json").read_text())["architecture"]["version"]
    assert "do not fit the architecture: " in str(refusal.value)
    assert str(refusal.value).endswith(f"; made with ganzoo-vanilla 0.0.7, installed is {installed}")


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


@pytest.mark.parametrize("name", ["a.png", "folder"])
def test_what_no_picture_can_show_goes_into_an_array_file(tmp_path, name):
    model = Model(Several(), {"data": {"kind": "other"}}, "cpu")
    with pytest.raises(ganzoo.BadInput, match=r"images of 1 or 3 channels or points in the plane; .* --out FILE\.npz"):
        write_samples(model, "m", 4, 0, tmp_path / name, False)
    array = np.load(write_samples(model, "m", 4, 0, tmp_path / "a.npz", False))
    assert array["images"].dtype == np.float32


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


def test_large_samples_are_made_in_smaller_pieces(model):
    made = {"image": torch.zeros(64, 3, 512, 512, device="meta"), "mask": torch.zeros(64, 1, 512, 512, device="meta")}
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [sampling.blocks_per_call(made, 64, device) for device in (cpu, gpu)] == [1, 1]
    assert [sampling.blocks_per_call(torch.zeros(64, 1, 64, 64), 64, device) for device in (cpu, gpu)] == [2, 4]
    assert [sampling.blocks_per_call(torch.zeros(64, 1, 28, 28), 64, device) for device in (cpu, gpu)] == [2, 16]


def test_samples_are_turned_into_bytes_block_by_block(model):
    blocks = model.blocks(10**9)
    assert [len(samples) for samples, _ in itertools.islice(blocks, 3)] == [64, 128, 128]
    assert next(pixels(blocks)).dtype == torch.uint8


def test_samples_never_replace_what_is_there_unless_told_to(run, tmp_path):
    out = write(run.path, 4, 0, tmp_path / "a.png", False, "cpu")
    with pytest.raises(ganzoo.BadInput, match="exists already"):
        write(run.path, 4, 0, out, False, "cpu")
    write(run.path, 4, 0, out, True, "cpu")
    with pytest.raises(ganzoo.BadInput, match=r"cannot write samples as .*a\.jpg"):
        write(run.path, 4, 0, tmp_path / "a.jpg", False, "cpu")


def test_pictures_of_samples_say_what_they_are(run, tmp_path):
    text = Image.open(write(run.path, 4, 6, tmp_path / "a.png", False, "cpu")).text
    assert (text["Synthetic"], text["Model"], text["Seed"]) == ("true", "run", "6")


def test_loading_draws_nothing_from_torchs_random_generator(run):
    state = torch.get_rng_state()
    ganzoo.load(run.path)
    assert torch.equal(torch.get_rng_state(), state)
