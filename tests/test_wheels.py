"""What a user installs: real wheels, put by pip and uv into environments that have no ganzoo yet."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command import Command
from environments import make_without_ours, site_packages
from ganzoo.evaluation.mnist_cnn import MNIST_SHA256
from ganzoo.plugins.firstparty import first_party
from installed import UV, good, sentence, wheel

ROOT = Path(__file__).parent.parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
NO_INDEX = {
    "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_BUILD_ISOLATION": "0",
    "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_BUILD_ISOLATION": "1", "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1",
}  # fmt: skip


class Fresh(Command):
    """A new environment, all of this one but ours in it, and commands that are typed there in an empty folder."""

    def __init__(self, folder, wheels=None):
        self.venv = folder / "venv"
        super().__init__(folder, make_without_ours(self.venv))
        self.site = site_packages(self.venv)
        kept = {key: value for key, value in self.environment.items() if key != "PYTHONPATH"}
        self.environment = kept | NO_INDEX | {"VIRTUAL_ENV": str(self.venv), "PIP_FIND_LINKS": str(wheels or folder)}
        self.environment["UV_FIND_LINKS"] = self.environment["PIP_FIND_LINKS"]

    def type(self, line, folder=None):
        """Run a line of README that begins with pip or uv."""
        program, *words = line.split()
        command = [self.executable, "-m", "pip"] if program == "pip" else [UV]
        done = subprocess.run(
            [*command, *words],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return good(done)

    def statuses(self):
        return {row["distribution"]: row["status"] for row in json.loads(good(self("plugins", "--json")).stdout)}

    def where(self, module):
        code = f"import ganzoo, {module}; print({module}.__file__)"
        return Path(good(self.python("-c", code)).stdout.strip())


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with the wheel of every distribution, each built alone."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--wheel-dir", folder, ROOT, *PLUGINS]
    subprocess.run(command, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, wheels):
    """An environment into which ganzoo was installed from a folder of wheels; more of them lie there."""
    environment = Fresh(tmp_path_factory.mktemp("fresh"), wheels)
    environment.type("pip install ganzoo")
    return environment


def test_the_wheel_of_the_core_brings_the_plugins_and_a_model_draws_right_after_installing(fresh):
    assert fresh.statuses() == dict.fromkeys(first_party(), "ok")
    names = [row["name"] for row in json.loads(fresh("list", "models", "--json").stdout)]
    assert names
    good(fresh("sample", names[0], "-n", "4", "--out", "s.png", "--offline"))
    assert (fresh.folder / "s.png").is_file()


def test_what_is_installed_trains_and_samples(fresh):
    quick = ["-o", "train.steps=2", "-o", "train.batch=8", "--precision", "fp32"]
    good(fresh("train", "vanilla", "--out", "run", *quick))
    good(fresh("sample", "run", "-n", "4", "--out", "t.png"))
    assert (fresh.folder / "t.png").is_file()


def test_the_wheels_hold_code_data_recipes_and_registry(fresh):
    assert fresh.where("ganzoo").is_relative_to(fresh.site)
    assert fresh.where("ganzoo_dcgan").is_relative_to(fresh.site / "ganzoo_bundled")
    package = fresh.site / "ganzoo"
    assert (package / "registry.toml").read_bytes() == (ROOT / "registry.toml").read_bytes()
    (record,) = fresh.site.glob("ganzoo-*.dist-info/RECORD")
    tops = {line.partition("/")[0] for line in record.read_text().splitlines()}
    assert tops == {"..", record.parent.name, "ganzoo", "ganzoo_bundled"}
    assert all((package / "data" / name / "ATTRIBUTION.md").is_file() for name in ("avatars5k", "mnist10k"))
    assert {path.name for path in (package / "evaluation" / "mnist_data").iterdir()} == {
        "ATTRIBUTION.md",
        *MNIST_SHA256,
    }


def test_every_package_says_that_it_is_typed(fresh):
    packages = [fresh.site / "ganzoo", *(fresh.site / "ganzoo_bundled").glob("*/py.typed")]
    assert (packages[0] / "py.typed").is_file()
    assert len(packages) == 1 + len(PLUGINS)


def test_every_architecture_has_a_recipe_that_is_called_after_it(fresh):
    rows = json.loads(fresh("list", "--json").stdout)
    names = {kind: {row["name"] for row in rows if row["kind"] == kind} for kind in ("architecture", "recipe")}
    assert names["architecture"]
    begun = {name.partition("-")[0] for name in names["recipe"]}  # "sngan-32"; points is played by those of its data
    assert names["architecture"] <= begun | {"points"}
    assert {"ring8", "grid25"} <= names["recipe"]


@pytest.mark.parametrize("flag", ["--architecture", "--loss"])
def test_a_new_plugin_begins_with_the_same_files_from_a_wheel_as_from_a_checkout(fresh, command, flag):
    shutil.rmtree(fresh.folder / "begun", ignore_errors=True)
    good(fresh("new", "ganzoo-begun", flag, "--out", "begun"))
    good(command("new", "ganzoo-begun", flag, "--out", "begun"))
    made = contents(fresh.folder / "begun")
    assert made == contents(command.folder / "begun")
    assert "ganzoo-begun/.gitignore" in made


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_installers_see_ganzoo_alone_and_so_write_no_name_of_a_plugin_into_a_list_of_what_to_fetch(fresh):
    """On an index these names may belong to anybody."""
    frozen = fresh.type("pip freeze").stdout.splitlines()
    assert [line.partition("==")[0] for line in frozen if "ganzoo" in line] == ["ganzoo"]
    fresh.type("pip check")


def test_a_plugin_that_is_installed_by_itself_is_used_instead_and_the_one_that_came_is_back_afterwards(fresh, wheels):
    assert "comes with ganzoo and stays with it" in sentence(fresh("uninstall", "ganzoo-dcgan"), 2)
    done = good(fresh("install", next(wheels.glob("ganzoo_dcgan-*.whl"))))
    assert "it brings the same as before" in done.stderr
    assert fresh.where("ganzoo_dcgan").parent == fresh.site / "ganzoo_dcgan"
    fresh.type("pip install --force-reinstall --no-deps ganzoo")
    assert fresh.where("ganzoo_dcgan").parent == fresh.site / "ganzoo_dcgan"
    assert fresh.statuses() == dict.fromkeys(first_party(), "ok")
    done = good(fresh("uninstall", "ganzoo-dcgan"))
    assert done.stdout.splitlines() == ["gone: ganzoo-dcgan", f"used instead: {came('ganzoo-dcgan')}"]
    assert fresh.where("ganzoo_dcgan").is_relative_to(fresh.site / "ganzoo_bundled")


def came(name):
    import ganzoo

    return f"{name} {ganzoo.__version__}, which comes with ganzoo"


def test_a_requirement_on_a_plugin_that_came_with_ganzoo_fetches_no_stranger(fresh, tmp_path):
    import ganzoo

    wheel(tmp_path, "ganzoo-losses", ganzoo.__version__, code="raise ImportError('a stranger')")
    done = fresh("install", wheel(tmp_path, "needy", requires=["ganzoo-losses"]), PIP_FIND_LINKS=str(tmp_path))
    assert "pip failed and changed nothing" in sentence(done, 4)
    assert not (fresh.site / "ganzoo_losses").exists()


LINES = [
    "pip install .",
    pytest.param("pip install -e .", marks=pytest.mark.slow),
    pytest.param(
        "uv pip install .", marks=[pytest.mark.slow, pytest.mark.skipif(not UV, reason="uv is not installed")]
    ),
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_readme_brings_everything_out_of_a_checkout_and_takes_it_away_again(line, tmp_path, copy):
    assert line in (ROOT / "README.md").read_text() or "-e" in line
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    for name in ("ganzoo", *first_party()):
        wheel(strangers, name, "99.0", code="raise ImportError('a stranger')")
    fresh = Fresh(tmp_path, strangers)
    fresh.type(line, copy)
    assert fresh.statuses() == dict.fromkeys(first_party(), "ok")
    good(fresh("sample", "dcgan-mnist", "-n", "4", "--out", "s.png", "--offline"))
    code = fresh.where("ganzoo_dcgan")
    assert code.is_relative_to(copy / "plugins" if "-e" in line else fresh.site)
    fresh.type(f"{line.partition(' install')[0]} uninstall {'' if 'uv' in line else '--yes '}ganzoo")
    assert not [path.name for path in fresh.site.iterdir() if "ganzoo" in path.name]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what the core is built from."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "registry.toml", "ganzoo", "plugins"):
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copied(ROOT / name, folder / name)
    return folder


ABSENT = "ganzoo's own plugins are not installed: type 'pip install .' in a checkout of ganzoo"
DCGAN = "ganzoo-dcgan is not installed: ganzoo install ./plugins/ganzoo-dcgan in a checkout of ganzoo"
MISSING = {
    "train dcgan": f"no installed plugin brings the recipe 'dcgan'; {ABSENT}",
    "train ganzoo-dcgan:dcgan": f"the recipe 'ganzoo-dcgan:dcgan' is missing, as {DCGAN}",
    "train strange:it": "the recipe 'strange:it' is missing, as strange is not installed: install that plugin, if you "
    "trust its authors: ganzoo install strange",
    "train r.toml": f"no installed plugin brings the architecture 'dcgan'; {ABSENT}",
    "sample dcgan-mnist": f"this model needs the architecture 'dcgan' of ganzoo-dcgan 0.1.0: {DCGAN}",
    "info dcgan": f"nothing is called 'dcgan'; {ABSENT}; did you mean 'dcgan-mnist'?",
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory, copy):
    """An environment with a core that was built where there are no plugins."""
    without = tmp_path_factory.mktemp("without")
    shutil.copytree(copy, without, ignore=shutil.ignore_patterns("plugins", "__pycache__"), dirs_exist_ok=True)
    shutil.copytree(copy / "ganzoo" / "plugins", without / "ganzoo" / "plugins")
    fresh = Fresh(tmp_path_factory.mktemp("bare"))
    fresh.type("pip install .", without)
    (fresh.folder / "r.toml").write_text('architecture = { name = "dcgan" }\nloss = "hinge"\n')
    return fresh


@pytest.mark.parametrize(("line", "said"), MISSING.items(), ids=MISSING)
def test_a_core_without_plugins_says_what_is_missing_and_how_to_get_it(bare, line, said):
    assert sentence(bare(*line.split()), 2) == f"error: {said}"


def test_a_core_without_plugins_lists_what_there_is(bare):
    for words in (["list"], ["list", "recipes"], ["plugins"]):
        assert ABSENT in good(bare(*words)).stderr
    listed = good(bare("info", "dcgan-mnist"))
    assert f"missing: {DCGAN}" in listed.stdout
    assert bare.statuses() == {}


def test_own_networks_need_no_plugin_but_a_loss_that_is_missing_is_said(bare):
    code = """
import ganzoo, torch

class G(ganzoo.Generator):
    latent_size, makes = 2, "point"
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(2, 2)
    def forward(self, given):
        return self.net(given["z"])

class D(torch.nn.Linear):
    def forward(self, images, given):
        return super().forward(images)

ganzoo.train(generator=G(), discriminator=D(2, 1), losses=["hinge"], data="ring8")
"""
    assert f"BadInput: no installed plugin brings the loss 'hinge'; {ABSENT}" in sentence(bare.python("-c", code), 1)
