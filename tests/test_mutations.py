"""Mutated files of every kind, read by every reader: a sentence or a result, never more. The long run is by hand."""

import os
import shutil
import subprocess
import sys

import pytest

import mutate_files


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return mutate_files.make_sources(tmp_path_factory.mktemp("sound") / "source")


def test_mutated_files_end_in_a_sentence_or_a_result():
    done = subprocess.run([sys.executable, mutate_files.__file__, "60"], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("60 mutated files, 0 faults\n"), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("name", mutate_files.TARGETS)
def test_what_is_not_mutated_is_read(source, tmp_path, name):
    folder = tmp_path / "case"
    shutil.copytree(source, folder)
    assert not mutate_files.read_in_child([(folder, mutate_files.TARGETS[name].read)])
    assert "error: " not in (folder / "said.txt").read_text()


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (lambda folder: {}["x"], "traceback"),
        (lambda folder: sys.exit(1), "traceback"),
        (lambda folder: (folder / "canary").touch(), "code was run"),
        (lambda folder: subprocess.run(["true"], check=True), "code was run"),
        pytest.param(lambda folder: bytearray(2**31 + 2**29), "over 2 GB", marks=pytest.mark.slow),
        pytest.param(lambda folder: [None for _ in iter(int, 1)], "over 5 s", marks=pytest.mark.slow),
        (lambda folder: os.abort(), "ended with -6"),
    ],
)
def test_every_fault_is_found(tmp_path, read, fault):
    assert fault in mutate_files.read_in_child([(tmp_path, read)])
