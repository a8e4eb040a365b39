"""No plugin takes the zoo down: real wheels of broken ones, installed beside sound ones into one environment."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from environments import see_ours
from ganzoo._version import __version__
from ganzoo.plugins.scaffold import requirement

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = [ROOT, *(ROOT / "plugins" / name for name in ("ganzoo-vanilla", "ganzoo-losses"))]

LOSS = """
    import ganzoo

    @ganzoo.hookimpl
    def register_losses(register):
        register("{0}", "{1}.losses:Loss")
"""
NET = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("twin", generator="{0}.networks:G", discriminator="{0}.networks:D")
"""
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"
dependencies = ["{requires}"]

[project.entry-points.ganzoo]
{entry} = "{package}"
"""

SABOTAGES = {
    "bad-import": (
        "import nowhere_to_be_found",
        "failed",
        "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    ),
    "bad-exit": ("raise SystemExit(3)", "failed", "SystemExit: 3"),
    "bad-hook-raises": (
        LOSS.format("half", "bad_hook_raises") + "        raise RuntimeError('no luck')",
        "failed",
        "RuntimeError: no luck",
    ),
    "bad-hook-name": (LOSS.replace("_losses", "_looses").format("x", "y"), "failed", "unknown hook 'register_looses'"),
    "bad-signature": (
        LOSS.replace("(register)", "(register, more)").format("x", "y"),
        "failed",
        "Argument(s) {'more'}",
    ),
    "bad-version": (
        "raise RuntimeError('was imported')",
        "incompatible",
        f"needs ganzoo<3,>=2, this is ganzoo {__version__}",
    ),
    "bad-twin-one": (NET.format("bad_twin_one"), "conflict", "architecture 'twin' also comes from bad-twin-two"),
    "bad-twin-two": (NET.format("bad_twin_two"), "conflict", "architecture 'twin' also comes from bad-twin-one"),
    "bad-nowhere": (LOSS.format("nowhere", "bad_nowhere"), "ok", ""),
    "bad-noise": (
        "import sys\nprint('noise')\nprint('louder noise', file=sys.stderr)\n",
        "failed",
        "registers nothing",
    ),
    "bad-chatter": ("    print('chatter')\n" + LOSS.format("chatter", "bad_chatter"), "ok", ""),
    "bad-torch": ("    import torch\n" + LOSS.format("heavy", "bad_torch"), "ok", "loading it imports torch"),
    "same-entry-one": (LOSS.format("one", "same_entry_one"), "ok", ""),
    "same-entry-two": (LOSS.format("two", "same_entry_two"), "ok", ""),
}
REQUIRES = {"bad-version": "ganzoo>=2,<3"}
ENTRIES = {"same-entry-one": "same", "same-entry-two": "same"}
BRINGS = {"bad-chatter": "chatter", "bad-torch": "heavy", "same-entry-one": "one", "same-entry-two": "two"}


def write_project(folder, name, code):
    """The source of a distribution with one package, whose losses and networks are those of `SOUND`."""
    package = name.replace("-", "_")
    (folder / package).mkdir(parents=True)
    filled = {"name": name, "package": package, "requires": REQUIRES.get(name, requirement(__version__))}
    (folder / "pyproject.toml").write_text(PYPROJECT.format(**filled, entry=ENTRIES.get(name, name)))
    (folder / package / "__init__.py").write_text(textwrap.dedent(code))
    if name in BRINGS:
        (folder / package / "losses.py").write_text(SOUND)
    return folder


SOUND = """
import ganzoo


class Loss(ganzoo.Loss):
    def discriminator(self, step):
        return {"all": (step.fake_scores - step.real_scores).square().mean()}

    def generator(self, step):
        return {"all": -step.fake_scores.mean()}
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment in which ganzoo, two sound plugins and every broken one are installed."""
    sources, wheels = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheels")
    projects = [write_project(sources / name, name, code) for name, (code, _, _) in SABOTAGES.items()]
    building = [
        subprocess.Popen([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], cwd=project)
        for project in (*projects, *DISTRIBUTIONS)
    ]
    assert not any(process.wait(timeout=300) for process in building)
    venv = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", venv], check=True)
    interpreter = venv / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
        interpreter,
        "install",
    ]
    subprocess.run([*install, "--no-deps", "--no-index", *wheels.glob("*.whl")], check=True, timeout=300)
    see_ours(venv)  # only now, or pip would take ours for installed
    return interpreter


@pytest.fixture
def run(python, tmp_path):
    """`ganzoo` of that environment with the given words, in an empty folder."""

    def call(*words, **environment):
        inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "GANZOO_REGISTRY")}
        return subprocess.run(
            [python, "-m", "ganzoo", *map(str, words)],
            cwd=tmp_path,
            env=inherited | {"COLUMNS": "300", "OMP_NUM_THREADS": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return call


def only(name):
    """An environment in which the other broken plugins are switched off."""
    partner = {"bad-twin-one": "bad-twin-two", "bad-twin-two": "bad-twin-one"}.get(name)
    return {"GANZOO_DISABLE_PLUGINS": ",".join(other for other in SABOTAGES if other not in (name, partner))}


QUICK = ["-o", "train.steps=1", "-o", "train.batch=8", "--precision", "fp32", "--device", "cpu"]


def test_what_is_tested_is_what_the_wheels_hold(python):
    done = subprocess.run(
        [python, "-c", "import ganzoo; print(ganzoo.__file__)"], capture_output=True, text=True, cwd="/"
    )
    assert Path(done.stdout).is_relative_to(python.parent.parent)


@pytest.mark.parametrize("name", SABOTAGES)
def test_each_is_a_row_with_its_status_and_the_others_are_listed(run, name):
    _, status, reason = SABOTAGES[name]
    rows = json.loads(run("plugins", "--json", **only(name)).stdout)
    (row,) = (row for row in rows if row["distribution"] == name)
    assert row["status"] == status
    assert reason in row["reason"]
    sound = {row["distribution"]: row["status"] for row in rows}
    assert (sound["ganzoo-vanilla"], sound["ganzoo-losses"]) == ("ok", "ok")
    named = [row["name"] for row in json.loads(run("list", "--json", **only(name)).stdout)]
    assert {"vanilla", "hinge", "mnist-10k"} <= set(named)
    assert (BRINGS.get(name) in named) == (name in BRINGS)


def test_with_all_of_them_at_once_the_others_train_and_sample(run, tmp_path):
    done = run("train", "vanilla", "--loss", "hinge", *QUICK, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "noise" not in done.stdout
    assert run("sample", "run", "-n", "4", "--out", "a.png").returncode == 0
    assert (tmp_path / "a.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", SABOTAGES)
def test_beside_each_of_them_the_others_train_and_sample(run, tmp_path, name):
    done = run("train", "vanilla", *QUICK, "--out", "run", **only(name))
    assert done.returncode == 0, done.stderr
    assert run("sample", "run", "-n", "4", "--out", "a.png", **only(name)).returncode == 0
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--loss", "nowhere"], ["loss 'nowhere' of bad-nowhere 1.0 cannot be loaded from 'bad_nowhere.losses:Loss'"]),
        (["-o", "architecture.name=twin"], ["'bad-twin-one:twin' or 'bad-twin-two:twin'"]),
        (["--loss", "half"], ["unknown loss 'half'", "bad-hook-raises", "bad-import", "bad-version", "ganzoo plugins"]),
    ],
    ids=["a string that points nowhere", "a name of two", "a name of a failed one"],
)
def test_asking_for_what_is_broken_is_answered_with_the_distribution(run, words, said):
    done = run("train", "vanilla", *QUICK, *words)
    assert (done.returncode, done.stdout) == (2, "")
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert all(each in sentence for each in said), sentence
    assert "Traceback" not in done.stderr


def test_those_that_only_behave_badly_can_be_used(run):
    losses = [word for name in BRINGS.values() for word in ("--loss", name)]
    done = run("train", "vanilla", *losses, *QUICK, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "chatter" not in done.stdout
