"""What a user installs: every distribution as a real wheel, unpacked by pip into an empty folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo.evaluation.mnist_cnn import MNIST_SHA256

ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with all distributions installed from wheels, none of it editable."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--no-build-isolation", "--wheel-dir", wheels]
    subprocess.run([*pip, "wheel", *flags, *DISTRIBUTIONS], check=True, timeout=300)
    subprocess.run([*pip, "install", "--no-deps", "--target", folder, *wheels.glob("*.whl")], check=True, timeout=300)
    return folder


@pytest.fixture
def fresh(command, installed):
    """Commands that see the installed wheels before anything else."""

    def call(*words):
        return command.python(*words, PYTHONPATH=str(installed))

    return call


def test_the_wheels_hold_code_data_recipes_and_registry(fresh, installed):
    done = fresh("-c", "import ganzoo, ganzoo_dcgan; print(ganzoo.__file__, ganzoo_dcgan.__file__)")
    assert all(path.startswith(str(installed)) for path in done.stdout.split()), done
    assert (installed / "ganzoo" / "registry.toml").read_bytes() == (ROOT / "registry.toml").read_bytes()
    assert not (installed / "tests").exists()
    assert (installed / "ganzoo" / "data" / "mnist10k" / "ATTRIBUTION.md").is_file()
    measures = installed / "ganzoo" / "evaluation" / "mnist_data"
    assert {path.name for path in measures.iterdir()} == {"ATTRIBUTION.md", *MNIST_SHA256}


def test_every_package_says_that_it_is_typed(installed):
    packages = ["ganzoo", *(path.name.replace("-", "_") for path in DISTRIBUTIONS[1:])]
    assert len(packages) > 5
    assert [package for package in packages if not (installed / package / "py.typed").is_file()] == []


def test_every_installed_plugin_works_and_brings_a_recipe_of_each_architectures_name(fresh):
    rows = json.loads(fresh("-m", "ganzoo", "plugins", "--json").stdout)
    first_party = {path.name for path in DISTRIBUTIONS[1:]}
    assert {row["distribution"]: row["status"] for row in rows if row["distribution"] in first_party} == dict.fromkeys(
        first_party, "ok"
    )
    rows = json.loads(fresh("-m", "ganzoo", "list", "--json").stdout)
    names = {kind: {row["name"] for row in rows if row["kind"] == kind} for kind in ("architecture", "recipe")}
    assert names["architecture"]
    # points is played by the recipes of its data.
    assert names["architecture"] <= names["recipe"] | {"points"}
    assert {"ring8", "grid25"} <= names["recipe"]


def test_what_is_installed_trains_and_samples(fresh, command):
    quick = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32"]
    done = fresh("-m", "ganzoo", "train", "vanilla", "--out", "run", *quick)
    assert done.returncode == 0, done.stderr
    assert fresh("-m", "ganzoo", "sample", "run", "-n", "4", "--out", "s.png").returncode == 0
    assert (command.folder / "s.png").is_file()


def test_a_model_that_comes_with_ganzoo_draws_right_after_installing(fresh, command):
    names = [row["name"] for row in json.loads(fresh("-m", "ganzoo", "list", "models", "--json").stdout)]
    assert names
    done = fresh("-m", "ganzoo", "sample", names[0], "-n", "4", "--out", "s.png", "--offline")
    assert done.returncode == 0, done.stderr
    assert (command.folder / "s.png").is_file()


@pytest.mark.parametrize("flag", ["--architecture", "--loss"])
def test_a_new_plugin_begins_with_the_same_files_from_a_wheel_as_from_a_checkout(fresh, command, flag):
    assert fresh("-m", "ganzoo", "new", "ganzoo-begun", flag, "--out", "wheel").returncode == 0
    assert command("new", "ganzoo-begun", flag, "--out", "checkout").returncode == 0
    made = {place: contents(command.folder / place) for place in ("wheel", "checkout")}
    assert made["wheel"] == made["checkout"]
    assert "ganzoo-begun/.gitignore" in made["wheel"]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
