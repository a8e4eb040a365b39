"""Logs of any length: cut from their end, thinned for the curves."""

import json
import random
import tracemalloc

import pytest

from ganzoo.training.runs.log import cut_lines, format_terms, last_step, read_lines, read_thinned

LINES = 100_000


@pytest.fixture(scope="module")
def long_log(tmp_path_factory):
    """A long log in which every thousandth line has a measure."""
    path = tmp_path_factory.mktemp("log") / "metrics.jsonl"
    with path.open("w") as file:
        for step in range(1, LINES + 1):
            measure = {"swd_ratio": 1.0} if step % 1000 == 0 else {}
            file.write(json.dumps({"step": step, "images": 8 * step, "generator/fool": 0.5} | measure) + "\n")
    return path


def peak(function, *arguments):
    """What a function returns, and the most memory that it took meanwhile, in bytes."""
    tracemalloc.start()
    try:
        found = function(*arguments)
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "end", [b"", b"\n", b'{"step": 99, "ima', b'{"step": 99, "ima\n', b"[1, 2]\n", b"\n\n", b"\xff\n"]
)
@pytest.mark.parametrize("step", [0, 1, 7, 400, 10_000])
def test_the_lines_after_a_step_are_cut_whatever_follows_them(tmp_path, end, step, monkeypatch):
    monkeypatch.setattr("ganzoo.training.runs.log.BLOCK_BYTES", 64)  # shorter than some lines
    chance, path = random.Random(0), tmp_path / "metrics.jsonl"
    lines = [json.dumps({"step": number, "term": "x" * chance.randrange(200)}) for number in range(1, 401)]
    path.write_bytes("\n".join(lines).encode() + b"\n" * bool(end) + end)
    cut_lines(path, step)
    kept = lines[:step]
    assert path.read_text() == "".join(f"{line}\n" for line in kept)
    assert last_step(path) == len(kept)


def test_no_log_is_cut_and_read_as_an_empty_one(tmp_path):
    path = tmp_path / "metrics.jsonl"
    cut_lines(path, 3)
    assert not path.exists()
    assert (last_step(path), read_thinned(path, 10)) == (0, [])


def test_a_long_log_is_cut_without_reading_it(long_log):
    _, memory = peak(cut_lines, long_log, LINES - 10)
    assert last_step(long_log) == LINES - 10
    assert memory < 1_000_000 < long_log.stat().st_size


def test_a_long_log_is_thinned_and_rare_measures_stay(long_log):
    lines, memory = peak(read_thinned, long_log, 500)
    steps = [line["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert steps[-1] == last_step(long_log)
    assert 500 <= len([line for line in lines if "swd_ratio" not in line]) <= 1001
    assert [line["step"] for line in lines if "swd_ratio" in line] == list(range(1000, LINES - 10, 1000))
    assert memory < 2_000_000 < long_log.stat().st_size


def test_a_short_log_is_not_thinned(tmp_path, finished):
    path = finished.path / "metrics.jsonl"
    assert read_thinned(path, 2000) == read_lines(path)


def test_terms_of_two_losses_with_one_word_do_not_read_alike():
    line = {
        "step": 3, "images": 24, "images_per_second": 1.0, "discriminator/hinge/real": 0.5,
        "discriminator/wgan/real": 1, "discriminator/gp/penalty": 2,
        "generator/hinge/fool": 4, "generator/own/real": 5, "diversity": 0.25,
        "schedule/optimizer.lr": 6,
    }  # fmt: skip
    assert format_terms(line) == [
        "D hinge/real 0.500", "D wgan/real 1.000", "D penalty 2.000", "G fool 4.000", "G real 5.000", "diversity 0.250",
        "lr 6",
    ]  # fmt: skip
