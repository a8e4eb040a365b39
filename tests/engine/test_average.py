"""The averaged generator: how it warms up, what it copies, and how often it is renewed."""

import math

import pytest
import torch

from normed import normed_networks
from tiny_game import batches, make

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("ema", [0.999, 0.2, 0])
def test_the_average_warms_up_and_copies_buffers(ema):
    engine = make(networks=normed_networks, ema=ema, optimizer={"lr": 0.1})
    expected = {name: value.clone() for name, value in engine.generator.named_parameters()}
    stream = iter(batches())
    for t in range(6):
        engine.step(stream)
        decay = min(ema, (1 + t) / (10 + t))
        for name, value in engine.generator.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value
        torch.testing.assert_close(dict(engine.ema.named_parameters()), expected, rtol=1e-12, atol=1e-14)
        buffers = (dict(net.named_buffers()) for net in (engine.ema, engine.generator))
        torch.testing.assert_close(*buffers, rtol=0, atol=0)
    assert not engine.ema.training and not any(p.requires_grad for p in engine.ema.parameters())


def test_after_a_while_the_average_is_renewed_less_often_with_the_decay_of_all_steps_between(monkeypatch):
    monkeypatch.setattr("ganzoo.engine.average.FIRST_STEPS", 3)
    engine = make(networks=normed_networks, ema=0.9, ema_every=2, optimizer={"lr": 0.1})
    expected = {name: value.clone() for name, value in engine.generator.named_parameters()}
    stream, renewed_after = iter(batches()), {1: [1], 2: [2], 3: [3], 5: [4, 5], 7: [6, 7]}
    for step in range(1, 9):
        engine.step(stream)
        if step in renewed_after:
            decay = math.prod(min(0.9, count / (9 + count)) for count in renewed_after[step])
            for name, value in engine.generator.named_parameters():
                expected[name] = decay * expected[name] + (1 - decay) * value
        torch.testing.assert_close(dict(engine.ema.named_parameters()), expected, rtol=1e-12, atol=1e-14)
