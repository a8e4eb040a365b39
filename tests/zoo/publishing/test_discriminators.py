"""The discriminator beside a model: kept, scored with, published only when asked, and begun with."""

import json
import shutil
import tomllib

import pytest
import torch
from torch import nn

import ganzoo

FILE = "discriminator.safetensors"


class Maker(ganzoo.Generator):
    latent_size = 4

    def __init__(self, image: tuple[int, int, int], encodes: bool = False) -> None:
        super().__init__()
        self.image = image
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 64)
        self.encoder = nn.Sequential(nn.Linear(64, 6), nn.Linear(6, 4)) if encodes else None

    def forward(self, given):
        return self.last(self.first(given["z"]).relu()).tanh().unflatten(1, self.image)


class Judge(nn.Module):
    """Scores are of four patches, the sums of their pixels: what they are can be said without it."""

    def __init__(self, image: tuple[int, int, int]) -> None:
        super().__init__()
        self.scale = nn.Conv2d(1, 1, 1, bias=False)

    def forward(self, images, given):
        return nn.functional.avg_pool2d(self.scale(images), 4)


SETTINGS = {"steps": 3, "batch": 8, "precision": "fp32", "keep_discriminator": True, "sample_every": 100}
BATCHES = [{"image": torch.rand(8, 1, 8, 8) * 2 - 1} for _ in range(2)]


def train(out, generator=Maker, discriminator=Judge, **more):
    settings = {"losses": "non-saturating", "device": "cpu", "quiet": True, **more}
    train = SETTINGS | settings.pop("train", {})
    return ganzoo.train(None, BATCHES, out, generator=generator, discriminator=discriminator, train=train, **settings)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return train(tmp_path_factory.mktemp("kept") / "run")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run of a plugin's networks, which others can build."""
    recipe = {"architecture": {"name": "conditional", "width": 8}, "loss": ["hinge"], "train": SETTINGS}
    out = tmp_path_factory.mktemp("digits") / "run"
    return ganzoo.train(recipe, "mnist-10k", out, "cpu", quiet=True)


def test_a_score_is_the_mean_of_what_the_discriminator_says(digits):
    model = ganzoo.load(digits.path, "cpu")
    images = model.sample(70, label=3)
    with torch.no_grad():
        plain = model.discriminator(images * 2 - 1, {"label": torch.full((70,), 3)}).reshape(70, -1).mean(1)
    torch.testing.assert_close(model.score(images, label=3), plain)
    assert model.score(images.numpy(), label="3").shape == (70,)


def test_the_best_of_several_have_the_highest_scores(digits):
    model = ganzoo.load(digits.path, "cpu")
    best = model.sample_best(3, of=5, seed=2, label=["1", "2", "3"])
    every = model.sample(15, seed=2, label=[name for name in "123" for _ in range(5)])
    scores = model.score(every, label=[name for name in "123" for _ in range(5)]).view(3, 5)
    assert torch.equal(best, torch.stack([every[5 * row + scores[row].argmax()] for row in range(3)]))
    assert torch.equal(model.sample_best(4, of=1, seed=5), model.sample(4, seed=5))


@pytest.mark.parametrize(
    ("samples", "given", "words"),
    [
        (torch.zeros(3, 1, 28, 28), {}, "the batch has no 'label'.*as in score"),
        (
            torch.zeros(3, 1, 28, 27),
            {"label": 3},
            r"'image' must have the shape \(n, 1, 28, 28\), got \(3, 1, 28, 27\)",
        ),
        (torch.zeros(3, 1, 28, 28) - 1, {"label": 3}, r"'image' must lie in \[0, 1\], got -1 to -1"),
        (torch.zeros(3, 1, 28, 28), {"lable": 3}, "no 'lable'.*did you mean 'label'"),
        (torch.zeros(3, 1, 28, 28), {"label": [1, 2]}, "'label' is fixed to values of shape"),
        (torch.zeros(0, 1, 28, 28), {"label": 3}, "no sample in it"),
        ("photo.png", {"label": 3}, "must be a tensor or an array of samples, got str"),
    ],
)
def test_what_cannot_be_scored_is_refused(digits, samples, given, words):
    with pytest.raises(ganzoo.BadInput, match=words):
        ganzoo.load(digits.path, "cpu").score(samples, **given)


def test_without_the_second_file_a_model_is_as_ever(digits, tmp_path):
    folder = shutil.copytree(digits.model_folder, tmp_path / "model")
    (folder / FILE).unlink()
    model = ganzoo.load(folder, "cpu")
    assert model.sample(2).shape == (2, 1, 28, 28)
    with pytest.raises(ganzoo.Unavailable, match=f"{FILE} is missing or incomplete"):
        model.score(model.sample(2), label=3)
    config = json.loads((folder / "config.json").read_text())
    config.pop("discriminator")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ganzoo.BadInput, match=r"came without its discriminator.*train\.keep_discriminator=true"):
        ganzoo.load(folder, "cpu").score(model.sample(2), label=3)


def test_a_damaged_second_file_is_refused_when_it_is_used(digits, tmp_path):
    folder = shutil.copytree(digits.model_folder, tmp_path / "model")
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-1] + b"x")
    with pytest.raises(ganzoo.Unavailable, match=f"{FILE} is damaged"):
        ganzoo.load(folder, "cpu").score(torch.zeros(2, 1, 28, 28), label=3)


def test_it_is_published_only_when_asked_and_used_elsewhere(digits, zoo, hub, tmp_path):
    done = zoo("publish", digits.path, "owner/plain", "--license", "mit")
    assert "the discriminator stays here; --with-discriminator publishes it" in done.stderr
    folder = tmp_path / zoo("pull", "hub:owner/plain").stdout.strip()
    assert not (folder / FILE).exists()
    assert "discriminator" not in json.loads((folder / "config.json").read_text())
    done = zoo("publish", digits.path, "owner/both", "--license", "mit", "--with-discriminator", "--register")
    assert FILE in tomllib.loads(done.stdout)["both"]["files"], done.stderr
    code = "import ganzoo; m = ganzoo.load('{}', 'cpu'); print(m.score(m.sample(3, label=7), label=7).tolist())"
    here = zoo.python("-c", code.format(digits.path))
    for reference in ("hub:owner/both", "both"):
        there = zoo.python("-c", code.format(reference))
        assert there.stdout == here.stdout != "", there.stderr


def test_what_nobody_else_can_build_or_is_not_there_is_not_published(kept, model, zoo):
    done = zoo("publish", model, "owner/dots", "--dry-run", "--with-discriminator")
    assert done.returncode == 2
    assert "there is no discriminator to publish; -o train.keep_discriminator=true keeps it" in done.stderr


def test_a_training_begins_with_both_and_one_of_the_two_may_gain_an_encoder(kept, tmp_path, caplog):
    slow = {"init": str(kept.path), "steps": 1}
    with caplog.at_level("INFO", "ganzoo"):
        run = train(tmp_path / "run", {"name": Maker, "encodes": True}, train=slow, optimizer={"lr": 1e-12})
    took = "the generator takes all but encoder; the discriminator takes all"
    assert f"begins with '{kept.path}': {took}" in caplog.text
    weights = run.model.generator.state_dict()
    assert all(torch.allclose(weights[name], value) for name, value in kept.model.generator.state_dict().items())
    assert {name.split(".")[0] for name in weights} == {"first", "last", "encoder"}


def test_it_says_what_does_not_fit_and_where_nothing_fits_it_is_refused(kept, tmp_path, caplog):
    class Narrow(Maker):
        def __init__(self, image: tuple[int, int, int]) -> None:
            super().__init__(image)
            self.first = nn.ModuleList([nn.Linear(4, 5), nn.Linear(5, 6)])

        def forward(self, given):
            return self.last(self.first[1](self.first[0](given["z"])).relu()).tanh().unflatten(1, self.image)

    with caplog.at_level("INFO", "ganzoo"):
        train(tmp_path / "run", Narrow, train={"init": str(kept.path), "steps": 1})
    assert "the generator takes all but first, and leaves first of that model; the disc" in caplog.text

    class Other(Maker):
        def __init__(self, image: tuple[int, int, int]) -> None:
            super().__init__(image)
            self.first, self.last = nn.Linear(4, 7), nn.Linear(7, 64)

    class Strict(Judge):
        def __init__(self, image: tuple[int, int, int]) -> None:
            super().__init__(image)
            self.scale = nn.Conv2d(1, 1, 1)

    with pytest.raises(ganzoo.BadInput, match=r"nothing fits, 'first\.weight' has the shape"):
        train(tmp_path / "other", Other, Strict, train={"init": str(kept.path)})
    assert not (tmp_path / "other").exists()


def test_a_run_without_its_discriminator_gives_the_generator_alone(tmp_path, caplog):
    plain = train(tmp_path / "plain", train={"keep_discriminator": False})
    assert not (plain.model_folder / FILE).exists()
    with caplog.at_level("INFO", "ganzoo"):
        train(tmp_path / "run", train={"init": str(plain.path), "steps": 1})
    assert "takes all; the discriminator is new: that model has none; train.keep_discriminator keeps it" in caplog.text
