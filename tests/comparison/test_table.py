"""Tables: which values are best, worst or within noise, and what is written into files."""

import csv
import json
import math

import pytest

from ganzoo.comparison.table import Table, check_files, format_seconds, summarise
from ganzoo.errors import BadInput

ROWS = [
    {"lr": 0.001, "fd": 2.0, "coverage": 0.5, "odd": None},
    {"lr": 0.01, "fd": 1.0, "coverage": 0.5, "odd": math.nan},
    {"lr": 0.1, "fd": None, "coverage": 0.9, "odd": None},
    {"lr": 1.0, "fd": 4.0, "coverage": 0.1, "odd": None},
]
BETTER = {"fd": "lower", "coverage": "higher", "odd": "lower"}


@pytest.mark.parametrize(("column", "marks"), [("fd", ",best,,worst"), ("coverage", ",,best,worst"), ("odd", ",,,")])
def test_the_best_and_the_worst_of_each_metric_are_marked(column, marks):
    table = Table(ROWS, BETTER)
    assert [table.mark(place, column) for place in range(4)] == marks.split(",")
    assert [table.mark(place, "lr") for place in range(4)] == [""] * 4


def test_rows_that_do_not_compete_are_not_marked_and_equal_values_neither():
    assert Table(ROWS, BETTER, [True, False, False, True]).mark(0, "fd") == "best"
    assert Table(ROWS, BETTER, [True, False, False, False]).mark(0, "fd") == ""
    assert Table([{"fd": 1.0}, {"fd": 1.0}], BETTER).mark(0, "fd") == ""


@pytest.mark.parametrize(
    ("errors", "mark"),
    [((0.15, 0.1), "within noise"), ((0.01, 0.01), "worst"), ((0.15, None), "worst"), ((None, None), "worst")],
)
def test_what_differs_by_less_than_two_standard_errors_is_within_noise(errors, mark):
    rows = [{"fd": value, "fd_error": error} for value, error in zip((1.0, 1.3), errors, strict=True)]
    table = Table(rows, BETTER)
    assert (table.mark(0, "fd"), table.mark(1, "fd")) == ("best", mark)
    assert table.columns == ["fd"]


def test_mean_and_standard_error_are_those_of_the_textbook():
    assert summarise([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert summarise([5.0]) == (5.0, None)


def test_files_hold_plain_values(tmp_path):
    table = Table(
        [{"name": "a|b", "fd": 0.123456789, "betas": [0.5, 0.9]}, {"name": "c", "fd": None}], BETTER, notes=["why"]
    )
    for ending in ("csv", "md", "json"):
        table.write(tmp_path / f"t.{ending}")
    with (tmp_path / "t.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["fd"] for row in rows] == ["0.123456789", ""]
    assert rows[0]["betas"] == "[0.5, 0.9]"
    written = json.loads((tmp_path / "t.json").read_text())
    assert written["rows"][0]["fd"] == 0.123456789
    assert written["better"] == BETTER
    text = (tmp_path / "t.md").read_text()
    assert text.startswith("| name | fd | betas |")
    assert "| a\\|b | 0.1235 | [0.5, 0.9] |" in text
    assert "why" in text
    assert "lower is better: fd" in text


def test_markdown_has_the_best_in_bold(tmp_path):
    Table([{"fd": 1.0}, {"fd": 2.0}], BETTER).write(tmp_path / "t.md")
    assert "| **1** |\n| 2 (worst) |" in (tmp_path / "t.md").read_text()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("t.txt", "'t.txt' is not a .csv, .md or .json file"), ("none/t.csv", "there is no folder none")],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(name, sentence, tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as refused:
        check_files([Path(name)])
    assert sentence in str(refused.value)


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (99, "99 s"), (150, "2 min"), (7200, "2.0 h")])
def test_a_time_has_a_unit_that_suits(seconds, text):
    assert format_seconds(seconds) == text
