"""How long a training takes, as it is shown: on terminals of several widths, in pipes, and in words."""

import re
import sys

import pytest
from rich.cells import cell_len

from ganzoo.training.display.pace import Pace, fit_terms, format_about, format_clock, write_line
from ptys import on_terminal, states

SHORT = ["train", "vanilla", "-o", "train.steps=60", "-o", "train.log_every=10", "--precision", "fp32"]
SHORT += ["--device", "cpu", "-o", "train.batch=16", "--out", "run"]


@pytest.mark.parametrize("width", [40, *(pytest.param(width, marks=pytest.mark.slow) for width in (80, 130))])
def test_a_bar_keeps_what_is_left_at_every_width(width, tmp_path):
    code, written = on_terminal([sys.executable, "-m", "ganzoo", *SHORT], width, tmp_path)
    moving = [line for line in states(written) if re.search(r"\d+/60\b", line)]
    assert code == 0
    assert all(cell_len(line) <= width for line in moving)
    assert all(re.search(r"\d+/60  ?.*(images|img)/s  ?[-\d]+:..:..", line) for line in moving)
    assert "60/60" in moving[-1]
    assert re.search(r"\d:\d\d:\d\d", moving[-1])
    assert ("D fake" in moving[-1]) == (width > 40)  # a faster machine writes longer numbers: less room for the rest
    assert ("G fool" in moving[-1]) == (width == 130)
    assert ("━" in moving[-1]) == (width > 40)


def test_a_pipe_gets_total_and_time_left_and_the_place_of_the_pictures(command):
    done = command(*SHORT)
    first, *lines = done.stderr.splitlines()
    assert first.startswith("training vanilla on mnist-10k (10,000 samples), cpu in fp32, to run; pictures in run")
    steps = [re.fullmatch(r"step (\d+)/60  [\d,]+ images/s  0:0\d:\d\d left  D fake .*", line) for line in lines]
    assert [match and match[1] for match in steps] == ["10", "20", "30", "40", "50", "60"]


def clock(times):
    return iter(times).__next__


def test_the_first_step_does_not_count_for_the_speed():
    pace = Pace(clock([100.0, 101.0, 103.0]))
    pace.mark(1)
    assert (pace.steps_per_second, pace.seconds_left(10)) == (None, None)
    pace.mark(2)
    assert pace.seconds_left(10) == 10
    pace.mark(6)
    assert pace.seconds_left(10) == pytest.approx(6)


def test_the_speed_is_that_of_the_last_minute():
    pace = Pace(clock([*range(101), *range(200, 300, 10)]))
    for step in range(101):
        pace.mark(step)
    for step in range(101, 111):
        pace.mark(step)
    assert pace.steps_per_second == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("seconds", "clock", "words"),
    [
        (0.4, "0:00:00", "about a second"),
        (42, "0:00:42", "about 42 seconds"),
        (200, "0:03:20", "about 3 minutes"),
        (7000, "1:56:40", "about 2 hours"),
        (400_000, "111:06:40", "about 5 days"),
    ],
)
def test_times_are_said_in_words_and_as_a_clock(seconds, clock, words):
    assert (format_clock(seconds), format_about(seconds)) == (clock, words)


@pytest.mark.parametrize(("step", "steps"), [(7, 60), (1234, 20_000), (1_000_000, 1_000_000)])
def test_the_line_fits_into_40_columns(step, steps):
    line = write_line(step, steps, 12_345.6, 45_296, 39)
    assert len(line) <= 39
    assert str(steps) in line.replace(",", "")
    assert "12346 img/s" in line or "12,346 images/s" in line
    assert "12:34:56" in line


def test_the_line_calls_samples_by_their_name():
    assert write_line(7, 60, 5.0, 9, noun="sounds") == "step 7/60  5 sounds/s  0:00:09 left"
    assert write_line(7, 60, 5.0, 9, 20, noun="sounds") == "7/60 5/s 0:00:09"


def test_terms_are_shown_whole_or_not_at_all():
    terms = ["D fake 0.5", "D real 0.7", "G fool 1.2"]
    assert [fit_terms(terms, room) for room in (9, 10, 21, 22, 99)] == [
        "",
        "D fake 0.5",
        "D fake 0.5",
        "D fake 0.5  D real 0.7",
        "  ".join(terms),
    ]
