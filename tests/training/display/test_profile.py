"""Where the time of a training goes."""

import json
import re

import pytest
from torch.autograd import DeviceType

from ganzoo.engine.loop import BETWEEN_STEPS, PROFILE_PREFIX
from ganzoo.training.display.profiler import PARTS, summarize
from trainings import assert_same_weights, tiny, train_with

TINY = tiny(steps=6, log_every=2, sample_every=3, save_every=2)
train = train_with(TINY)


def test_a_profile_tells_every_part_of_a_step(tmp_path):
    settings = {"steps": 50, "profile": True, "sample_every": 100, "save_every": 100}
    run = train(tmp_path / "run", train=settings)
    page = (run.path / "profile" / "summary.txt").read_text()
    rows = dict(re.findall(r"^(\w[\w ]+?) +[\d.]+ +([\d.]+)%$", page, re.MULTILINE))
    parts = [part for part in PARTS if "exchange" not in part]  # with other processes, of which there are none
    shares = [float(rows[part]) for part in (*parts, "everything else")]
    assert all(share > 0 for share in shares)
    assert sum(shares) == pytest.approx(100, abs=0.6)
    marks = {event["name"] for event in json.loads((run.path / "profile" / "trace.json").read_text())["traceEvents"]}
    assert {f"ganzoo: {part}" for part in parts} <= marks
    plain = train(tmp_path / "plain", train=settings | {"profile": False})
    assert_same_weights(run, plain)


class Event:
    """A line of a profile, as torch sums them up."""

    def __init__(self, key, cpu_time, device="CPU", device_time=0.0):
        self.key, self.cpu_time_total, self.self_cpu_time_total = key, cpu_time, cpu_time
        self.self_device_time_total, self.device_type = device_time, getattr(DeviceType, device)


class OnGpu:
    """A profile with the lines that a GPU adds, each mark once more without any time of the host's."""

    def key_averages(self):
        host = [
            Event("ProfilerStep*", 60_000),
            Event(PROFILE_PREFIX + "data", 30_000),
            Event(PROFILE_PREFIX + BETWEEN_STEPS, 30_000),
        ]
        device = [Event(event.key, 0, "CUDA", 5_000) for event in host]
        return [*host, Event("aten::mm", 10, device_time=9_000), *device, Event("gemm", 0, "CUDA", 9_000)]


def test_a_profile_tells_the_hosts_time_without_what_happens_between_the_steps():
    page = summarize(OnGpu())
    assert page.startswith("A training step took 1.00 ms")
    assert re.search(r"^data +1\.000 +100\.0%$", page, re.MULTILINE), page
    assert "gemm" not in page
    assert "aten::mm" in page


def test_a_training_that_is_too_short_to_be_profiled_leaves_none(tmp_path):
    assert not (train(tmp_path / "run", train={"profile": True}).path / "profile").exists()
