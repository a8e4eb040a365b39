"""Types for users: a user's script under `mypy --strict` gets real types from every public function, never Any."""

import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo
from ganzoo.plugins.scaffold import scaffold

SCRIPT = '''
"""A generator and a loss of one's own, and each public function once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, assert_type

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo.layers import Stage, dcgan_downsampling, dcgan_upsampling, initialise_normal, linear_stem, pyramid


class Maker(ganzoo.Generator):
    needs = ("label",)

    def __init__(self, image: tuple[int, int, int], latent_size: int = 16, width: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        stages = pyramid(image, width)
        assert_type(stages, list[Stage])
        self.network = nn.Sequential(*linear_stem(latent_size, stages[-1].inner), *dcgan_upsampling(stages))
        self.apply(initialise_normal)

    def latent(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        return super().latent(n, rng) | {"angle": torch.rand(n, generator=rng)}

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        images: Tensor = self.network(given["z"])
        return images


class Judge(nn.Module):
    def __init__(self, image: tuple[int, int, int]) -> None:
        super().__init__()
        self.network = nn.Sequential(*dcgan_downsampling(pyramid(image, 8), batch_norm=False))

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        scores: Tensor = self.network(images).sum(1)
        return scores


class Mapped(ganzoo.Generator):
    labels = "drawn"

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return given["z"], {"w": given["z"]}

    def finish(self, batches: Iterable[dict[str, Tensor]]) -> None:
        for given in batches:
            assert_type(given, dict[str, Tensor])


class Judges(nn.Module):
    def forward(self, images: Tensor, given: dict[str, Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
        return [images.sum(1), images.sum(2)], {}


class Wide(ganzoo.Loss):
    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        assert_type(step.generator_extras["w"], Tensor)
        assert_type(step.make(step.given), tuple[Tensor | dict[str, Tensor], dict[str, Tensor]])
        assert_type(step.judge(step.real, step.given), tuple[Tensor, dict[str, Tensor]])
        part = nn.Linear(2, 3)
        assert_type(step.progress + step.total, float)
        return {"part": step.call(part, step.rand(4, 2)).mean()}

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> tuple[Tensor | dict[str, Tensor], dict[str, Tensor]]:
        return images, given


class Gentle(ganzoo.Loss):
    def discriminator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        assert_type(step.real_scores, Tensor)
        assert_type(step.real, Tensor | dict[str, Tensor])
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        return {"fool": softplus(-step.fake_scores).mean()}

    def view(
        self, step: ganzoo.Step, images: Tensor | dict[str, Tensor], given: dict[str, Tensor]
    ) -> Tensor | dict[str, Tensor]:
        return images + 0.1 * step.randn(*images.shape) if isinstance(images, Tensor) else images


class Notes(ganzoo.Callback):
    def on_log(self, trainer: ganzoo.Trainer, line: Mapping[str, Any]) -> None:
        assert_type(trainer.step, int)
        assert_type(trainer.run, ganzoo.Run)


@ganzoo.hookimpl
def register_architectures(register: ganzoo.RegisterArchitecture) -> None:
    register("mine", generator="mine:Maker", discriminator="mine:Judge")


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    register("gentle", "mine:Gentle")


@ganzoo.hookimpl
def register_callbacks(register: ganzoo.RegisterCallback) -> None:
    register("notes", "mine:Notes")


@ganzoo.hookimpl
def register_importers(register: ganzoo.RegisterImporter) -> None:
    register("mine-files", "mine:read", about="weights of mine")


def read(path: Path) -> ganzoo.Imported:
    return ganzoo.Imported(
        architecture="mine", data={"image": ganzoo.Spec("image", (1, 28, 28))}, generator={"weight": torch.zeros(1)}
    )


assert_type(ganzoo.import_model("mine-files", "weights.bin", "folder", license="mit"), Path)
model = ganzoo.load("dcgan-mnist")
assert_type(model, ganzoo.Model)
assert_type(model.generator, ganzoo.Generator)
assert_type(model.sample(16, seed=1, label=7), Tensor | Any)
images: Tensor = model.sample(16)
assert_type(images.shape, torch.Size)

run = ganzoo.train("dcgan", data="mnist-10k", callbacks=[Notes()], train={"steps": 5000})
assert_type(run, ganzoo.Run)
assert_type(run.model, ganzoo.Model)
assert_type(run.recipe, ganzoo.Recipe)
assert_type(run.sample(16), Tensor | Any)
assert_type(run.best_step, int | None)

scores = ganzoo.evaluate(model, n=1000)
assert_type(scores.conditions(), str)

recipe = ganzoo.Recipe.load("dcgan", train={"steps": 10})
assert_type(recipe.train.steps, int | None)

generator, discriminator = ganzoo.create("dcgan", image=(1, 28, 28), width=32)
assert_type(generator, ganzoo.Generator)
assert_type(discriminator, nn.Module)

sides = Maker((1, 28, 28)), Judge((1, 28, 28))
engine = ganzoo.Engine(*sides, [ganzoo.Scheduled(Gentle(), every=2), Gentle()], train={"batch": 8}, device="cpu")
assert_type(engine.run([{"image": torch.zeros(8, 1, 28, 28)}], steps=1), dict[str, float])
assert_type(engine.ema, ganzoo.Generator)

test_plugin = ganzoo.testing.checks("ganzoo-mine")

# Mistakes are seen: strict mode reports an ignore that nothing needs.
ganzoo.load(7)  # type: ignore[arg-type]
model.sample("16")  # type: ignore[arg-type]
run.sampel(16)  # type: ignore[attr-defined]
ganzoo.evaluate(model, samples=10)  # type: ignore[call-arg]
ganzoo.Engine(nn.Linear(1, 1), discriminator, [])  # type: ignore[arg-type]
'''


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """Lines of strict mypy about a user's script and new plugins: one call, since it reads torch's types each time."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "script.py").write_text(SCRIPT)
    (folder / "ganzoo").symlink_to(Path(ganzoo.__file__).parent)  # the code under test, wherever it is installed
    projects = [scaffold(f"ganzoo-typed-{kind}", kind, folder)[0] for kind in ("architecture", "loss")]
    packages = [project / project.name.replace("-", "_") for project in projects]
    flags = ["--strict", "--follow-imports=silent", "--cache-dir", folder / "cache", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, "script.py", *packages],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    written = sum(len(list(package.rglob("*.py"))) for package in packages)
    assert f" {1 + written} source files" in done.stdout, done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if ": error:" in line or ": note:" in line]
    assert (done.returncode == 0) == (not found), done.stdout
    return found


def test_a_users_script_gets_real_types_and_its_mistakes_are_seen(errors):
    assert [line for line in errors if line.startswith("script.py")] == []


def test_new_projects_have_no_type_errors_as_they_come(errors):
    assert [line for line in errors if not line.startswith("script.py")] == []
