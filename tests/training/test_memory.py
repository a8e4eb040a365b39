"""Too little memory is said with settings that need less."""

import re
from pathlib import Path

import pytest

from ganzoo.engine.checks import memory_advice
from ganzoo.engine.settings import Train


@pytest.mark.parametrize(
    ("batch", "accumulate", "advice"),
    [
        (64, 1, "try train.accumulate=2 (the same update in less memory) or train.batch=32"),
        (64, 4, "try train.accumulate=8 (the same update in less memory) or train.batch=32"),
        (9, 1, "try train.accumulate=3 (the same update in less memory) or train.batch=4"),
        (7, 1, "try train.batch=3"),
        (1, 1, "try smaller networks"),
    ],
)
def test_advice_on_memory_names_settings_that_exist(batch, accumulate, advice):
    assert memory_advice(Train(batch=batch, accumulate=accumulate)) == advice


def test_advice_on_memory_is_never_refused():
    for batch in range(1, 65):
        for accumulate in (parts for parts in range(1, batch + 1) if batch % parts == 0):
            advice = memory_advice(Train(batch=batch, accumulate=accumulate))
            for key, value in re.findall(r"train\.(\w+)=(\d+)", advice):
                assert Train(**{"batch": batch, "accumulate": accumulate, key: int(value)})


def test_advice_on_the_memory_of_own_batches_does_not_speak_of_the_recipes():
    advice = memory_advice(Train(batch=8), own_batches=True)
    assert advice == "try smaller batches or train.accumulate=2 (the same update in less memory)"


LIMITED = """
import resource, sys
import torch, ganzoo
from ganzoo.cli.main import main
torch.randn(64, 64) @ torch.randn(64, 64)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 900_000_000, used + 900_000_000))
main(sys.argv[1:])
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits its own memory by what /proc says")
def test_too_little_memory_says_what_to_try(command):
    words = ["train", "vanilla", "--precision", "fp32", "-o", "train.steps=1"]
    done = command.python("-c", LIMITED, *words, "-o", "train.batch=65536")
    assert done.returncode == 2, done.stderr
    assert "error: out of memory with train.batch=65536; try train.accumulate=2 (the same update" in done.stderr
    assert "Traceback" not in done.stderr
    assert command.python("-c", LIMITED, *words, "-o", "train.batch=64").returncode == 0
    done = command.python("-c", LIMITED, *words, "-o", "architecture.widths=[1000000,1000000]")
    assert (done.returncode, "error: out of memory with train.batch=64; try" in done.stderr) == (2, True), done.stderr
