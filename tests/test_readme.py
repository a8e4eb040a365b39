"""The README's Python runs, block by block and in its own order, and its files make a plugin that trains."""

import re
from pathlib import Path

import pytest

import ganzoo
from ganzoo._seeds import make_rng
from ganzoo.cli.main import commands

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"`ganzoo-mine/([\w./]+)`[^`]*?```\w+\n(.*?)```", re.DOTALL)


def blocks(language):
    return [code for kind, code in BLOCK.findall(README.read_text()) if kind == language]


def test_every_python_block_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks("python"):
        exec(compile(code, str(README), "exec"), names)
    assert "discriminator/Relativistic/pairs" in capsys.readouterr().out


@pytest.mark.parametrize(("what", "most"), [("Your own loss in 8 lines", 8), ("Your own architecture in 40", 40)])
def test_the_promised_number_of_lines_holds(what, most):
    section = README.read_text().partition(f"## {what}")[2].partition("\n## ")[0]
    lines = [line for kind, code in BLOCK.findall(section) if kind == "python" for line in code.splitlines()]
    assert 0 < len([line for line in lines if line.strip()]) <= most


def test_the_files_of_the_own_architecture_make_a_plugin(site):
    site.install("ganzoo-mine", "")
    files = dict(FILE.findall(README.read_text()))
    assert files.keys() == {
        "pyproject.toml",
        "ganzoo_mine/__init__.py",
        "ganzoo_mine/networks.py",
        "ganzoo_mine/recipes/mine.toml",
    }
    for name, content in files.items():
        path = site.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    generator, _ = ganzoo.create("mine", image=(3, 8, 8))
    assert generator(generator.latent(2, make_rng(0))).shape == (2, 3, 8, 8)
    assert ganzoo.Recipe.load("mine").architecture.shared() == {"width": 512}


def test_every_command_of_the_readme_parses():
    lines = [line.partition("#")[0].split() for code in blocks("sh") for line in code.splitlines()]
    words = [line[1:] for line in lines if line[:1] == ["ganzoo"]]
    assert len(words) > 5
    for name, *rest in words:
        commands.commands[name].make_context(name, rest)
