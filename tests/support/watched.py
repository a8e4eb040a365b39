"""Digits that are measured by how much ink they have, which takes next to no time."""

import torch

import ganzoo
from ganzoo.data.sources import open_data
from ganzoo.evaluation.suites import Metric, Suite
from ganzoo.zoo.sampling import concatenate
from trainings import tiny

TINY = tiny(steps=24, log_every=3, save_every=8)
EVALUATED = {"train": {**TINY["train"], "evaluate_every": 5, "evaluate_samples": 100}}


class Ink(Suite):
    """Judges digits by how much ink they have: the distance of the means, and how many have more than the average."""

    name = "ink"
    watched = ("shift", "dark")

    def __init__(self):
        self.mean = open_data("mnist-10k").images.double().div(255).mean().item()
        self.metrics = {
            "shift": Metric("shift", lambda ink: abs(ink.mean().item() - self.mean), "lower", least=10),
            "dark": Metric("dark", lambda ink: (ink > self.mean).double().mean().item(), "higher"),
        }

    def observe(self, pieces):
        images = concatenate([samples for samples, _ in pieces])
        assert images.min() >= 0 and images.max() <= 1
        torch.rand(3)  # as a metric may that draws random subsets
        return images.double().mean((1, 2, 3))

    def control(self, n):
        if n > 1000:
            raise ganzoo.BadInput(f"there are 1,000 real samples to compare with, so {n:,} are too many")
        return self.observe([(open_data("mnist-10k").images[:n] / 255, {})])

    def protocol(self, n):
        return {"real": f"{n} training images"}

    def check_data(self, data):
        if data["shape"] != [1, 28, 28]:
            raise ganzoo.BadInput("ink measures images of 1 x 28 x 28")


def measured(run, key="shift_ratio"):
    return [(line["step"], line[key]) for line in run.metrics if key in line]
