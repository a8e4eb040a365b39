"""Files in the two layouts become models that compute what a plain statement of the networks says."""

import argparse
import sys

import pytest
import torch

import ganzoo
from ganzoo_stylegan.importing import read
from stylegan_files import WIDTHS, Nvidia, Rosinality, Z
from stylegan_formulas import SIDES, generate, score, style_of

LAYOUTS = {
    "archive": (Rosinality, 0, "net.pt", {}),
    "row": (Rosinality, 0, "net.pt", {"zipped": False}),
    "training": (Rosinality, 0, "net.pt", {"args": argparse.Namespace(size=16), "g_optim": {"state": {0: {}}}}),
    "modules": (Nvidia, 0, "net.pkl", {"training_set_kwargs": {"path": "/somewhere"}, "augment_pipe": None}),
    "modules with labels": (Nvidia, 3, "net.pkl", {}),
}


@pytest.fixture(params=LAYOUTS)
def case(request, tmp_path):
    """A layout, its file, and the model that is imported from it."""
    cls, classes, name, more = LAYOUTS[request.param]
    layout = cls.make(torch.Generator().manual_seed(1), classes)
    file = layout.write(tmp_path / name, **more)
    folder = ganzoo.import_model("stylegan2", file, tmp_path / "model", "other")
    return layout, ganzoo.load(folder, "cpu"), 2 if classes else None


def test_the_generator_computes_what_the_layout_means(case):
    layout, model, label = case
    network, rng = model.generator.double(), torch.Generator().manual_seed(2)
    given = {key: value.double() for key, value in network.latent(2, rng).items() if value.is_floating_point()}
    whole = {key: value for key, value in network.latent(2, rng).items() if not value.is_floating_point()}
    given |= whole | {"truncation": torch.tensor([1.0, 0.6], dtype=torch.float64)}
    given |= {} if label is None else {"label": torch.tensor([label, label])}
    images, extras = network(given)
    for row, amount in enumerate((1.0, 0.6)):
        expected = generate(layout, given["z"][row], given["noise"][row], label, amount)
        assert torch.allclose(images[row], expected, rtol=1e-6, atol=1e-6 * expected.abs().max())
    assert torch.allclose(extras["w"][0, 0], style_of(layout, given["z"][0], label))


def test_the_discriminator_computes_what_the_layout_means(case):
    layout, model, label = case
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    given = {} if label is None else {"label": torch.full((4,), label)}
    assert torch.allclose(model.discriminator.double()(images, given), score(layout, images, label), rtol=1e-6)


def test_the_config_says_what_was_imported(case):
    _, model, label = case
    assert model.config["data"]["shape"] == [3, 16, 16]
    assert model.classes == ([] if label is None else ["0", "1", "2"])
    options = model.config["architecture"]["options"]
    assert (options["latent_size"], options["mapping_layers"], options["width"], options["max_width"]) == (Z, 2, 4, 6)
    notes = model.config["imported"]["notes"]
    assert "discriminator" not in " ".join(notes)
    assert any("NVIDIA" in note for note in notes) == ("pkl" in model.config["imported"]["file"])
    assert "torch_utils" not in sys.modules


def test_a_mean_style_that_the_file_lacks_is_measured(tmp_path):
    layout = Rosinality.make(torch.Generator().manual_seed(1))
    found = read(layout.write(tmp_path / "net.pt", mean=False))
    rng = torch.Generator().manual_seed(7)
    drawn = [style_of(layout, torch.randn(Z, generator=rng, dtype=torch.float64)) for _ in range(2000)]
    mean, spread = torch.stack(drawn).mean(0), torch.stack(drawn).std(0)
    assert torch.all((found.generator["w_mean"] - mean).abs() < 5 * spread / 2000**0.5)
    assert any("no mean style" in note for note in found.notes)


def test_a_state_alone_is_a_generator_without_a_discriminator(tmp_path):
    layout = Rosinality.make(torch.Generator().manual_seed(1))
    torch.save(layout.state, tmp_path / "net.pt")
    assert read(tmp_path / "net.pt").discriminator is None


def test_images_that_are_not_square_are_read(tmp_path):
    layout = Rosinality.make(torch.Generator().manual_seed(1))
    layout.state["input.input"] = torch.randn(1, WIDTHS[0], 4, 6)
    layout.judge["final_linear.0.weight"] = torch.randn(WIDTHS[0], WIDTHS[0] * 4 * 6)
    folder = ganzoo.import_model("stylegan2", layout.write(tmp_path / "net.pt"), tmp_path / "model")
    assert ganzoo.load(folder).config["data"]["shape"] == [3, 16, 24]


def changed(layout, **changes):
    """Change, or take out, tensors of the generator; names have _ for a dot."""
    names = {name.replace(".", "_"): name for name in layout.state}
    for key, value in changes.items():
        name = names.get(key, key)
        layout.state = {n: v for n, v in layout.state.items() if n != name} | ({} if value is None else {name: value})
    return layout


BAD = {
    "missing": (Rosinality, {"conv1_noise_weight": None}, {}, "'conv1.noise.weight' is missing"),
    "too much": (Rosinality, {"extra.weight": torch.zeros(1)}, {}, "there is no place for 'extra.weight'"),
    "axes": (Rosinality, {"conv1_conv_weight": torch.zeros(3)}, {}, "'conv1.conv.weight' must have 5 axes"),
    "filter": (Rosinality, {"to_rgbs_0_upsample_kernel": torch.ones(4, 4)}, {}, "is not 1 3 3 1"),
    "widths": (Rosinality, {"to_rgbs_0_conv_weight": torch.zeros(1, 3, 5, 1, 1)}, {}, "6, 5, 4 channels"),
    "half a mapping": (Rosinality, {"style_1_weight": None}, {}, "'style.1.weight' is missing"),
    "no mapping": (
        Nvidia,
        {"mapping_fc0_weight": None, "mapping_fc1_weight": None},
        {},
        "'mapping.fc0.weight' is miss",
    ),
    "side": (Nvidia, {"synthesis.b24.torgb.bias": torch.zeros(3)}, {}, "sides of 4, 8, 16, 24 pixels"),
    "part": (Nvidia, {"synthesis_b8_conv0_affine_bias": None}, {}, "'synthesis.b8.conv0.affine.bias' is missing"),
    "version": (Nvidia, {}, {"version": 7}, "a module is pickled in version 7, read is 6"),
    "StyleGAN3": (Nvidia, {"synthesis.input.weight": torch.zeros(2)}, {}, "it is a StyleGAN3"),
    "other name": (Nvidia, {}, {"generator": "Gs"}, "it is a table of 'Gs', 'D', not a StyleGAN2"),
    "no module": (Nvidia, {}, {"G_ema": 3}, "an object in the place of a module"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_network_of_another_kind_is_refused(what, tmp_path):
    cls, changes, more, sentence = BAD[what]
    layout = changed(cls.make(torch.Generator().manual_seed(1)), **changes)
    with pytest.raises(ValueError, match=sentence):
        read(layout.write(tmp_path / "net", **more))


def test_another_shape_is_refused_by_the_name_of_the_layer(tmp_path):
    layout = changed(Rosinality.make(torch.Generator().manual_seed(1)), conv1_activate_bias=torch.zeros(7))
    with pytest.raises(ganzoo.BadInput, match=r"'synthesis.layers.0.bias' has the shape \(7,\), not \(6,\)"):
        ganzoo.import_model("stylegan2", layout.write(tmp_path / "net.pt"), tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("cls", [Rosinality, Nvidia])
def test_a_discriminator_of_another_kind_is_left_out(cls, tmp_path):
    layout = cls.make(torch.Generator().manual_seed(1))
    layout.judge = {name: value for name, value in layout.judge.items() if "skip" not in name}
    found = read(layout.write(tmp_path / "net"))
    assert found.discriminator is None
    assert any(note.startswith("the discriminator was left out: '") for note in found.notes)


def test_half_precision_is_widened(tmp_path):
    layout = Rosinality.make(torch.Generator().manual_seed(1))
    layout.state = {name: value.half() for name, value in layout.state.items()}
    found = read(layout.write(tmp_path / "net.pt"))
    assert {value.dtype for value in found.generator.values()} == {torch.float32}
    assert len(SIDES) == len(WIDTHS)
