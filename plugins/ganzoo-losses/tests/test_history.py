import numpy as np
import pytest
import torch

import ganzoo
from ganzoo_losses.adversarial import Hinge
from ganzoo_losses.history import HistoricalAveraging
from single_turns import play, tiny_discriminator

toys = ganzoo.testing.toys


class Remembers(ganzoo.Loss):
    """Keeps what a side's parameters were after each of its turns, from the first."""

    def __init__(self):
        super().__init__()
        self.past = {"discriminator": [], "generator": []}

    def after(self, step, terms):
        flat = torch.cat([each.detach().flatten() for each in getattr(step, step.turn).parameters()])
        self.past[step.turn].append(flat.double().numpy())


def test_the_term_is_the_squared_distance_to_the_mean_of_all_that_has_been():
    torch.manual_seed(0)
    loss, past = HistoricalAveraging(), Remembers()
    engine = ganzoo.Engine(
        toys.TinyGenerator(), toys.TinyCritic(), [Hinge(), loss, past], device="cpu",
        train={"precision": "fp32"}, optimizer={"lr": 0.1},
    )  # fmt: skip
    for number in range(6):
        means = engine.run([{"image": torch.rand(4, 1, 2, 2)}], 1)
        for side, kept in past.past.items():
            before, expected = kept[:number], 0.0
            if before:
                expected = np.sum((before[-1] - np.mean(before, axis=0)) ** 2)
            assert means[f"{side}/HistoricalAveraging/distance"] == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_its_gradient_pulls_back_to_the_mean():
    step, loss = play("discriminator", tiny_discriminator()), HistoricalAveraging()
    loss.setup(step)
    before = [parameter.detach().clone() for parameter in step.discriminator.parameters()]
    with torch.no_grad():
        loss.after(step, {})
        for parameter in step.discriminator.parameters():
            parameter += 1
    loss.discriminator(step)["distance"].backward()
    for parameter, old in zip(step.discriminator.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.grad, 2 * (parameter.detach() - old))
    assert all(parameter.grad is None for parameter in step.generator.parameters())
