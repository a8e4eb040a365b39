"""The README keeps its promises: its Python runs, and the Chinese one says the same."""

import re

import pytest

from pages import BLOCK, LINK, ROOT, blocks, commands

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


CHINESE = (ROOT / "README.zh-CN.md").read_text()


def code(text):
    """All that one types, by its language, without comments."""
    kinds = {kind for _, kind, _ in BLOCK.findall(text)}
    lines = {kind: "\n".join(blocks(text, kind)).splitlines() for kind in kinds}
    return {kind: [line.partition("  #")[0].rstrip() for line in lines[kind]] for kind in kinds}


def test_the_chinese_one_has_the_same_code():
    assert code(CHINESE) == code(README)
    assert sum(map(len, code(README).values())) > 30


def test_the_chinese_one_leads_to_the_same_pages():
    others = {"README.md", "README.zh-CN.md"}
    assert set(LINK.findall(CHINESE)) - others == set(LINK.findall(README)) - others
    assert others <= {*LINK.findall(CHINESE), *LINK.findall(README)}
    assert [line.count("|") for line in CHINESE.splitlines() if line.startswith("|")] == [
        line.count("|") for line in README.splitlines() if line.startswith("|")
    ]


@pytest.mark.parametrize("text", [README, CHINESE], ids=["English", "Chinese"])
def test_what_they_say_in_code_between_the_words_is_the_same(text):
    """Such as names of files and keys."""
    words = re.findall(r"`([^`]+)`", BLOCK.sub("", README))
    assert set(re.findall(r"`([^`]+)`", BLOCK.sub("", text))) == set(words)
