"""The pages in docs: the public names have a page, and the author's guide is a plugin that works."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

import ganzoo
from environments import see_ours
from ganzoo._seeds import make_rng
from pages import BLOCK, blocks

DOCS = Path(__file__).parent.parent / "docs"
PUBLIC = (DOCS / "api.md").read_text() + (DOCS / "contract.md").read_text()
FILE = re.compile(r"`ganzoo-mine/([\w./]+)`[^`]*?```\w+\n(.*?)```", re.DOTALL)
RUN = ["training.md", "trackers.md", "data.md", "own-code.md", "start.md", "evaluation.md", "api.md"]
"""The pages whose Python runs as it stands, beside the tutorials. The guide for authors has a test of its own."""
QUICK = "-o train.steps=1 -o train.batch=8 --precision fp32 --device cpu"


def test_every_public_name_has_its_place_on_one_page_and_nothing_else_has():
    names = re.findall(r"^### `ganzoo\.(\w+)`$", PUBLIC, re.MULTILINE)
    assert sorted(names) == sorted(ganzoo.__all__)


def source_of(name):
    """The text of the module that defines a public name."""
    return Path(importlib.import_module(f"ganzoo.{ganzoo._HOMES[name]}").__file__).read_text()


@pytest.mark.parametrize(
    "name",
    [
        "Generator",
        "Loss",
        "Step",
        "Model",
        "Run",
        "Engine",
        "Callback",
        "Trainer",
        "Kind",
        "RealSamples",
    ],
)
def test_what_the_page_says_of_a_class_is_there(name):
    section = PUBLIC.partition(f"### `ganzoo.{name}`")[2].partition("\n#")[0]
    cls = getattr(ganzoo, name)
    members = re.findall(r"`(\w+)", section)
    here = {*dir(cls), *inspect.get_annotations(cls), *re.findall(r"(?:self\.|def )(\w+)", source_of(name))}
    others = {"ganzoo", *ganzoo.__all__, *vars(ganzoo.Generator), "torch", "forward", "twice", "labels"}
    assert len(members) > 2
    assert set(members) <= here | others


@pytest.mark.parametrize("name", ["Generator", "Loss", "Step", "Dataset", "Kind", "Suite"])
def test_the_contract_has_all_members_of_a_class(name):
    section = PUBLIC.partition(f"### `ganzoo.{name}`")[2].partition("\n#")[0]
    cls = getattr(ganzoo, name)
    own = {member for member in {**vars(cls), **inspect.get_annotations(cls)} if not member.startswith("_")}
    known = {member for base in cls.__mro__[1:] for member in vars(base)} - {"forward"}
    assert own - known - set(re.findall(r"`(\w+)", section)) == set()


def test_the_page_on_measuring_names_every_metric_and_its_code_runs(capsys):
    from ganzoo.evaluation.inception import INCEPTION_METRICS
    from ganzoo.evaluation.mixtures import MIXTURE_METRICS
    from ganzoo.evaluation.mnist import DigitSuite
    from ganzoo.evaluation.neighbours import NEIGHBOUR_METRICS

    text = (DOCS / "evaluation.md").read_text()
    named = re.findall(
        r"`([a-z0-9_-]+)`", "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    )
    assert [name for name in named if name not in LOGGED] == [
        *DigitSuite().metrics,
        *MIXTURE_METRICS,
        *NEIGHBOUR_METRICS,
        *INCEPTION_METRICS,
    ]
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in text.splitlines() if line.startswith("| `")]
    said = {name.strip(" `"): row[3].split(",")[0] for row in rows for name in row[1].split(",")}
    ours = DigitSuite().metrics
    assert [name for name in ours if said[name] != ours[name].better] == [
        "ms-ssim"
    ]  # neither way, but near the real one
    (code,) = blocks(text, "python")
    exec(code, {})
    generated, real = map(float, capsys.readouterr().out.split()[:2])
    assert 0 < generated < real <= 1


TUTORIALS = sorted(path.name for path in (DOCS / "tutorials").iterdir() if path.stem != "plugin-author")


@pytest.mark.parametrize("page", [*RUN, *(f"tutorials/{name}" for name in TUTORIALS)])
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks((DOCS / page).read_text(), "python"):
        exec(compile(code, page, "exec"), names)


def test_the_files_of_the_first_plugin_make_a_plugin(site):
    """And its architecture has no more lines than are promised."""
    site.install("ganzoo-mine", "")
    files = dict(FILE.findall((DOCS / "tutorials" / "plugin-author.md").read_text()))
    assert files.keys() == {
        "pyproject.toml",
        "ganzoo_mine/__init__.py",
        "ganzoo_mine/networks.py",
        "ganzoo_mine/recipes/mine.toml",
    }
    assert sum(bool(line.strip()) for name in files if name.endswith(".py") for line in files[name].splitlines()) <= 40
    for name, content in files.items():
        path = site.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    generator, _ = ganzoo.create("mine", image=(3, 8, 8))
    assert generator(generator.latent(2, make_rng(0))).shape == (2, 3, 8, 8)
    assert ganzoo.Recipe.load("mine").architecture.shared() == {"width": 512}


def test_the_exit_codes_are_those_of_the_errors():
    text = (DOCS / "exit-codes.md").read_text()
    said = dict(re.findall(r"^\| (\d+) \|.*`ganzoo\.(\w+)`", text, re.MULTILINE))
    assert said.keys() == {"1", "2", "3", "4", "130", "143"}
    assert {code: str(getattr(ganzoo, said[code]).exit_code) for code in "1234"} == {code: code for code in "1234"}
    assert said["130"] == said["143"] == "Interrupted"
    assert {str(ganzoo.Interrupted("", number).exit_code) for number in (SIGINT, SIGTERM)} == {"130", "143"}


LOGGED = ("diversity", "swd_ratio", "fd_ratio", "lite0_fd_ratio", "reverse_kl_ratio")
"""Measures of the log, which the page has as well."""


def guide():
    return [(kind, code) for _, kind, code in BLOCK.findall((DOCS / "plugins.md").read_text())]


@pytest.mark.parametrize(("what", "most"), [("A loss in 8 lines", 8), ("An architecture in 40", 40)])
def test_the_guide_keeps_its_promise_of_lines(what, most):
    section = (DOCS / "plugins.md").read_text().partition(f"## {what}")[2].partition("\n## ")[0]
    (code,) = blocks(section, "python")
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert 0 < len(lines) <= most


@pytest.fixture
def venv(tmp_path):
    """A new environment that sees what the tests see, and in which plugins can be installed."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", folder], check=True)
    see_ours(folder)
    return folder


def test_the_guide_followed_from_its_first_block_to_its_last(venv, tmp_path):
    """Commands are run, files are written where their first line says, other Python is run."""
    work = tmp_path / "work"
    work.mkdir()
    (venv / "bin" / "ganzoo").write_text(f"#!{venv}/bin/python\nfrom ganzoo.cli.main import main\nmain()\n")
    (venv / "bin" / "ganzoo").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{venv}/bin:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the other way round
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def run(*words):
        done = subprocess.run(
            words, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])

    for kind, code in guide():
        named = re.match(r"# ([\w./-]+\.(?:py|toml))\n", code)
        if named:
            path = work / "ganzoo-mine" / named[1]
            assert path.parent.is_dir()
            path.write_text(code)
        elif kind == "python":
            run("python", "-c", code)
        else:
            assert kind == "sh"
            for line in code.splitlines():
                words = line.partition("#")[0].replace("-m build", "-m build --no-isolation")
                run("bash", "-c", f"{words} {QUICK}" if words.startswith("ganzoo train") else words)
    assert sorted(path.name for path in (work / "ganzoo-mine" / "dist").iterdir()) == [
        "ganzoo_mine-0.1.0-py3-none-any.whl",
        "ganzoo_mine-0.1.0.tar.gz",
    ]
