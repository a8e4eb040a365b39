"""The README keeps its promises: its Python runs, and the Chinese one says the same."""

import re

from pages import ROOT, blocks, commands

README = (ROOT / "README.md").read_text()


def test_every_python_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks(README, "python"):
        exec(compile(code, "README.md", "exec"), names)
    assert names["images"].shape == (64, 1, 28, 28)


def test_the_promised_number_of_lines_holds():
    section = README.partition("## Your own loss in 8 lines")[2].partition("\n## ")[0]
    lines = [line for code in blocks(section, "python") for line in code.splitlines()]
    assert 0 < len([line for line in lines if line.strip()]) <= 8


def test_picture_and_licence_come_first():
    lines = README.splitlines()
    assert lines[2].startswith("![")
    assert "MIT" in "".join(lines[:6])
    assert re.search("weights", "".join(lines[:6]))


def test_it_has_commands():
    assert len(commands(README)) > 5
