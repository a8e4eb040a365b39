"""Half precision and the layout of tensors change only what they should."""

import math

import pytest
import torch
from torch import nn

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from games.parts import NOISE, PointDiscriminator, PointGenerator
from ganzoo import Scheduled
from tiny_game import agree, batches, differ, make, play

pytestmark = pytest.mark.usefixtures("float64")


class ConvGenerator(ganzoo.Generator):
    latent_size = NOISE

    def __init__(self):
        super().__init__()
        first = nn.ConvTranspose2d(NOISE, 4, 3, bias=False)
        self.net = nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 2, 3))

    def forward(self, given):
        return self.net(given["z"][:, :, None, None])


class ConvDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layouts_are_last = set()
        self.net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 1), nn.Tanh(), nn.Conv2d(4, 1, 3))

    def forward(self, images, given):
        self.layouts_are_last.add(images.is_contiguous(memory_format=torch.channels_last))
        return self.net(images)


def conv_networks() -> tuple[ganzoo.Generator, nn.Module]:
    return ConvGenerator(), ConvDiscriminator()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_channels_last_changes_the_layout_and_no_number(accumulate):
    def played(channels_last):
        losses = NonSaturating(), Scheduled(GradientPenalty(), weight=10)
        engine = make(*losses, networks=conv_networks, channels_last=channels_last, accumulate=accumulate)
        return play(engine, 5, batches(2, 5, 5))

    last, first = played(True), played(False)
    assert last.discriminator.layouts_are_last == {True} and first.discriminator.layouts_are_last == {False}
    assert last.discriminator.net[0].weight.is_contiguous(memory_format=torch.channels_last)
    for side in ("generator", "discriminator", "ema"):
        agree(getattr(last, side), getattr(first, side), rtol=1e-5, atol=1e-9)


class SeesItsDtype(PointDiscriminator):
    """Keeps the type of the numbers inside it."""

    def forward(self, images, given):
        hidden = self.net[:2](images)
        self.dtype_inside = hidden.dtype
        return self.net[2](hidden)


class Dtypes(NonSaturating):
    """Takes part in the game, and keeps what it sees of precision."""

    def discriminator(self, step):
        terms, inside_a_score = super().discriminator(step), step.discriminator.dtype_inside
        slope, inside_a_gradient = step.gradient(step.real, step.batch), step.discriminator.dtype_inside
        self.inside = inside_a_score, inside_a_gradient
        self.outside = {tensor.dtype for tensor in (step.fake, step.real_scores, step.fake_scores, slope)}
        return terms


def cpu_computes_in_fp16() -> bool:
    try:
        with torch.autocast("cpu", torch.float16):
            nn.Linear(2, 2).float()(torch.ones(2, 2, dtype=torch.float32)).sum().backward()
        return True
    except RuntimeError:
        return False


needs_fp16 = pytest.mark.skipif(not cpu_computes_in_fp16(), reason="this torch has no fp16 on the CPU")


half = pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), pytest.param("fp16", torch.float16, marks=needs_fp16)]
)


@half
def test_half_precision_stays_inside_the_networks(precision, dtype, float32):
    dtypes = Dtypes()
    engine = play(make(dtypes, networks=lambda: (PointGenerator(), SeesItsDtype()), precision=precision), 2)
    assert dtypes.inside == (dtype, torch.float32)
    assert dtypes.outside == {torch.float32}
    for side in (engine.generator, engine.discriminator, engine.ema):
        assert {parameter.dtype for parameter in side.parameters()} == {torch.float32}


@half
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "adam", "eps": 1e-2},
        {"name": "rmsprop", "eps": 1e-2},
        {"name": "sgd", "lr": 0.1},
        {"name": "sgd", "lr": 0.1, "clip_norm": 0.01},
    ],
)
def test_half_precision_moves_the_weights_nearly_as_fp32_does(precision, dtype, optimizer, float32):
    def weights(precision, steps):
        engine = play(make(optimizer=optimizer, precision=precision), steps)
        return nn.utils.parameters_to_vector([*engine.generator.parameters(), *engine.discriminator.parameters()])

    start, exact, rough = weights("fp32", 0), weights("fp32", 4), weights(precision, 4)
    error = (rough - exact).norm() / (exact - start).norm()
    assert 0 < error < 0.05


class Casting(NonSaturating):
    """Counts the half-precision copies of the critic's parameters that its terms go back to."""

    def discriminator(self, step):
        terms = super().discriminator(step)
        nodes, waiting = set(), [term.grad_fn for term in terms.values()]
        while waiting:
            node = waiting.pop()
            if node not in nodes:
                nodes.add(node)
                waiting += [following for following, _ in node.next_functions if following]
        kinds = {node: [following.name() for following, _ in node.next_functions if following] for node in nodes}
        self.copies = sum(
            "ToCopy" in node.name() and "AccumulateGrad" in kinds[node][0] for node in nodes if kinds[node]
        )
        return terms


@half
def test_real_and_fake_samples_are_scored_with_the_same_half_precision_weights(precision, dtype, float32):
    casting = Casting()
    engine = play(make(casting, precision=precision), 2)
    assert casting.copies == len(list(engine.discriminator.parameters()))


@half
def test_an_autocast_around_the_training_changes_nothing(precision, dtype, float32):
    with torch.autocast("cpu", enabled=False):
        around = play(make(precision=precision), 3)
    agree(around.discriminator, play(make(precision=precision), 3).discriminator, rtol=0, atol=0)


class Peeking(NonSaturating):
    """Looks at scores without a graph before it asks for them with one."""

    def discriminator(self, step):
        with torch.no_grad():
            step.score(step.real, step.batch)
        return super().discriminator(step)

    def generator(self, step):
        with torch.no_grad():
            step.generate(step.given)
        return super().generator(step)


@half
def test_a_look_without_a_graph_takes_no_gradient_away(precision, dtype, float32):
    peeking, plain = (play(make(loss, precision=precision), 3) for loss in (Peeking(), NonSaturating()))
    agree(peeking.discriminator, plain.discriminator, rtol=0, atol=0)
    agree(peeking.generator, plain.generator, rtol=0, atol=0)


@needs_fp16
def test_fp16_skips_an_update_that_overflows_and_then_finds_a_scale_that_does_not(float32):
    engine = make(Scheduled(NonSaturating(), weight=1e4), precision="fp16", optimizer={"name": "sgd", "lr": 1e-6})
    untouched = make()
    stream = iter(batches(count=40))
    engine.step(stream)
    agree(engine.discriminator, untouched.discriminator, rtol=0, atol=0)
    for _ in range(30):
        engine.step(stream)
    assert differ(engine.discriminator, untouched.discriminator) and differ(engine.generator, untouched.generator)
    assert all(math.isfinite(value) for value in engine.metrics().values())
