"""Tables at several widths: names whole, text between words, columns left out and named."""

import json
import sys

import pytest
from rich.cells import cell_len

from ganzoo.cli.tables import draw_table, fit, format_cell
from ptys import on_terminal, states

NAMES = ["dcgan-mnist", "wgan-gp-mnist", "infogan-mnist"]
SECTIONS = ["architectures", "losses", "recipes", "data", "models", "keys"]


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """All names of each section, from the JSON of the command."""
    code, out = on_terminal([sys.executable, "-m", "ganzoo", "list", "--json"], 80, tmp_path_factory.mktemp("x"))
    assert code == 0
    return {row["name"] for row in json.loads(out)}


@pytest.mark.parametrize("width", [40, 80, 130])
def test_no_name_is_cut_and_no_line_is_wider_than_the_terminal(width, listed, tmp_path):
    code, written = on_terminal([sys.executable, "-m", "ganzoo", "list"], width, tmp_path)
    shown = states(written)
    assert code == 0
    assert listed <= {line.split()[0] for line in shown}
    note = [line for line in shown if line.startswith("left out")]
    assert all(cell_len(line) <= width for line in shown if line not in note)
    assert bool(note) == (width == 40)


@pytest.mark.parametrize("words", [["list", "models"], ["list", "keys"], ["plugins"]], ids=" ".join)
def test_what_a_narrow_terminal_leaves_out_is_said(words, tmp_path):
    _, written = on_terminal([sys.executable, "-m", "ganzoo", *words], 40, tmp_path)
    shown = states(written)
    assert "left out, since the terminal is narrow: " in " ".join(shown)
    assert "--json shows all" in " ".join(shown[-2:])
    assert all(cell_len(line) <= 40 for line in shown)


def test_a_pipe_gets_every_column_each_row_on_one_line(typed):
    _, out, err = typed("list", "models")
    assert err == ""
    assert len(out.splitlines()) == 2 + len(json.loads(typed("list", "models", "--json")[1]))
    assert "registry" in out.splitlines()[0]


def test_columns_give_way_in_order():
    natural = {"name": 20, "size": 8, "summary": 60}
    assert fit(natural, ("size", "summary"), 200) == natural
    assert fit(natural, ("size", "summary"), 60) == {"name": 20, "size": 8, "summary": 28}
    assert fit(natural, ("size", "summary"), 50) == {"name": 20, "summary": 28}
    assert fit(natural, ("size", "summary"), 41) == {"name": 20}
    assert fit(natural, ("size", "summary"), 10) == {"name": 20}


def test_a_cell_shows_a_plain_value_as_people_read_it():
    values = [None, True, False, 12345, 0.5, ["a", 1], "x\x1b[2J"]
    assert list(map(format_cell, values)) == ["", "yes", "no", "12,345", "0.5", "a, 1", "x [2J"]


def test_empty_columns_are_not_shown(capsys):
    assert draw_table("thing", [{"name": "a", "note": ""}], ("name", "note")) == []
    assert capsys.readouterr().out.split() == ["thing", "─" * 5, "a"]


def test_the_help_is_as_narrow_as_the_terminal(tmp_path):
    code, written = on_terminal([sys.executable, "-m", "ganzoo"], 40, tmp_path)
    whole = [line for line in states(written) if "eval" not in line]
    assert code == 0
    assert all(cell_len(line) <= 40 for line in whole)
