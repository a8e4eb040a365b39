"""Worker processes of a stream where shared memory is short, without them, and where processes are not forked."""

import os
import subprocess
import sys

import pytest

from ganzoo.data.sources import open_data
from pictures import flat, many
from samples import same, take

STREAM = """
import logging, multiprocessing, sys
import torch
from ganzoo.data import folders, sources
folders.MAX_IMAGES_IN_MEMORY = 0
multiprocessing.set_start_method(sys.argv[2], force=True)
logging.basicConfig(stream=sys.stdout, format="%(message)s")
"""
READ = "print(sum(len(batch['image']) for _, batch in zip(range(30), data.batches(64, 0))))"
OPEN = "data = sources.open_data(sys.argv[1], size=128, workers=2)"


def run(tmp_path, *lines, method="fork", before=()):
    """Run a script on a folder in a process of its own that must end by itself."""
    many(tmp_path / "images")
    (tmp_path / "script.py").write_text("\n".join([STREAM, *lines]))
    command = [*before, sys.executable, str(tmp_path / "script.py"), str(tmp_path / "images"), method]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_number_of_workers_changes_no_batch(tmp_path, streamed, workers):
    many(tmp_path)
    found = open_data(tmp_path, size=8, workers=workers)
    same(take(found.batches(5, 4), 6), take(open_data(tmp_path, size=8).batches(5, 4), 6))
    assert any("by 2 worker processes" in note for note in found.notes) == (workers == 2)


def can_mount():
    """Whether this user may give a process a /dev/shm of its own."""
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False) if os.name == "posix" else None
    return tried is not None and tried.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
@pytest.mark.parametrize("size", ["2m", "4k"])
def test_where_shared_memory_is_short_a_stream_goes_on_or_says_why_not(tmp_path, size):
    mounted = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"', "sh"]
    done = run(tmp_path, OPEN, READ, before=mounted)
    told = done.stdout if size == "2m" else done.stderr
    assert (done.returncode, "1920" in done.stdout) == ((0, True) if size == "2m" else (1, False)), done.stderr
    assert "docker run --shm-size=1g, data.workers=0 needs none" in told
    assert told.count("--shm-size") == 1 and ("shared memory is full" in told or "no process can be started" in told)


def test_a_script_without_a_main_guard_is_told_of_it(tmp_path):
    for number in range(900):  # names that together are larger than a pipe's buffer
        flat(tmp_path / "images/c" / f"{'x' * 100}{number}.png", number % 256)
    done = run(tmp_path, OPEN, READ, method="spawn")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "must begin its work below: if __name__ == '__main__':, or set data.workers=0"
    )


@pytest.mark.slow
def test_a_script_with_a_main_guard_streams_also_where_processes_are_not_forked(tmp_path):
    done = run(tmp_path, "if __name__ == '__main__':", f"    {OPEN}", f"    {READ}", method="spawn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1920\n", "")
