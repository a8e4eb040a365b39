"""Paths of the machine that a model comes from stay there, and the log says which were left out."""

import json
import logging
import tomllib

import pytest

import ganzoo
from ganzoo.recipe.build import resolve_architecture
from ganzoo.recipe.sections import Architecture
from ganzoo.zoo.model import load
from ganzoo.zoo.publishing.bundle import bundle
from ganzoo.zoo.publishing.paths import drop_paths, is_machine_path
from ganzoo.zoo.saving import save_model
from repositories import DATA, SHAPE

PLUGIN = """
    import ganzoo
    import torch
    from math import prod

    @ganzoo.hookimpl
    def register_architectures(register):
        register("started", generator="ganzoo_started:Started", discriminator="ganzoo_started:Started")

    class Started(ganzoo.Generator):
        def __init__(self, image, weights: str = "", needed: bool = False):
            super().__init__()
            if needed and not weights:
                raise ValueError("give weights")
            self.image, self.net = image, torch.nn.Linear(100, prod(image))

        def forward(self, given):
            return torch.tanh(self.net(given["z"])).unflatten(1, self.image)
"""
RECIPE = """
[architecture]
name = "started"
generator = { weights = "%(path)s" }
[[loss]]
name = "perceptual"
weights = "%(path)s"
layers = [1, 2]
[[loss]]
name = "hinge"
[data]
name = "mnist-10k"
[[callback]]
name = "copier"
to = ["%(path)s"]
"""


def make_started(site, folder, path, **options):
    """A run folder's model, whose generator began with the weights in a file of this machine."""
    site.install("ganzoo-started", PLUGIN)
    wanted = Architecture(name="started", generator={"weights": str(path), **options})
    part = resolve_architecture(wanted)["generator"]
    save_model(folder, part.make(image=SHAPE), part, DATA)
    (folder / "recipe.toml").write_text(RECIPE % {"path": path})
    protocol = {"samples": 5, "data": f"images of {path}"}
    (folder / "scores.json").write_text(json.dumps({"fd": 1.0, "protocol": protocol}))
    return folder


def test_options_with_paths_are_told_and_left_out(site, tmp_path, caplog):
    path = tmp_path / "private" / "vgg.pt"
    folder = make_started(site, tmp_path / "model", path)
    with caplog.at_level(logging.WARNING, "ganzoo"):
        bundle(folder, tmp_path / "made", "mit")
    for file in (tmp_path / "made").iterdir():
        assert b"private" not in file.read_bytes()
    recipe = tomllib.loads((tmp_path / "made" / "recipe.toml").read_text())
    assert recipe["loss"][0]["layers"] == [1, 2]
    assert json.loads((tmp_path / "made" / "scores.json").read_text())["fd"] == 1.0
    assert json.loads((tmp_path / "made" / "config.json").read_text())["data"] == DATA
    said = caplog.text
    for key in (
        "architecture.generator.weights, loss.perceptual.weights, callback.copier.to",
        "architecture.options.weights",
    ):
        assert f"published without {key}, which names a path of this machine" in said
    assert load(tmp_path / "made", "cpu").sample(2).equal(load(folder, "cpu").sample(2))


def test_a_model_that_needs_a_path_is_not_published(site, tmp_path):
    folder = make_started(site, tmp_path / "model", tmp_path / "private" / "vgg.pt", needed=True)
    with pytest.raises(ganzoo.BadInput, match=r"nobody else can build this model: it needs a path .*give weights"):
        bundle(folder, tmp_path / "made", "mit")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "text",
    [
        *("/home/me/x", "~/x", "~me/x", "./x", "../x", "C:\\Users\\x", "D:/x", r"\\server\share", "file:///home/x"),
        *("vgg:/home/x", "w=/home/x", "relu, /home/x", "['/home/x']", "here/too"),
        *("$HOME/x", "$HOME", "${HOME}", "w=$DATA/x", "%USERPROFILE%\\x", "%APPDATA%", "$env:TEMP\\x"),
        *("https://user:p'ss@example.org/x", "s3://user@a/b"),
    ],
)
def test_what_is_a_path_of_this_machine(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "too").mkdir(parents=True)
    assert is_machine_path(text)
    assert drop_paths({"a": {"b": [1, {"c": [text]}]}, "d": 1}) == ({"a": {}, "d": 1}, ["a.b"])
    assert drop_paths({"a": {text: 1, "b": [{text: 1}]}}) == ({"a": {"b": [{}]}}, [f"a.{text}", f"a.b.0.{text}"])


@pytest.mark.parametrize(
    "text",
    [
        "relu",
        "here",
        "1/2",
        "1 /2",
        "(3 /2.5), 1 /4",
        "US$",
        "$",
        "5 % of 10 %",
        "me@example.org",
        "n/a",
        "w/o",
        "/",
        "..",
        "~",
        "owner/name",
        "hub:owner/name@main",
        "https://a.b/c",
        "s3://a/b",
    ],
)
def test_what_is_none(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert not is_machine_path(text)
