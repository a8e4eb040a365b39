"""A batch that is smaller than the others: most often the last one of a DataLoader."""

import pytest
import torch
from torch import nn

import ganzoo

ADVICE = r"a DataLoader leaves out a smaller last batch with drop_last=True"


class Maker(ganzoo.Generator):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(100, 16), nn.BatchNorm1d(16))

    def forward(self, given):
        return self.layers(given["z"]).tanh().unflatten(1, (1, 4, 4))


class Judge(nn.Module):
    """Compares the samples of a batch in groups of four."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 1)

    def forward(self, images, given):
        return self.layer(images.flatten(1).unflatten(0, (-1, min(4, len(images)))))


class Wasserstein(ganzoo.Loss):
    def discriminator(self, step):
        return {"score": step.fake_scores.mean() - step.real_scores.mean()}

    def generator(self, step):
        return {"score": -step.fake_scores.mean()}


def play(*lengths, accumulate=1):
    batches = [{"image": torch.zeros(length, 1, 4, 4)} for length in lengths]
    engine = ganzoo.Engine(
        Maker(),
        Judge(),
        [Wasserstein()],
        train={"steps": 9, "precision": "fp32", "accumulate": accumulate},
        device="cpu",
    )
    engine.run(batches)


@pytest.mark.parametrize(
    ("lengths", "accumulate", "sentence"),
    [
        ((8, 8, 1), 1, f"this batch has 1 sample, and batch norm needs 2 or more; {ADVICE}"),
        ((1,), 1, f"this batch has 1 sample, and batch norm needs 2 or more; {ADVICE}"),
        ((8, 6), 1, f"this batch has 6 samples, the first one had 8; {ADVICE}"),
        ((8, 5), 2, rf"cannot be split into 2 equal parts .*the first one had 8; {ADVICE}"),
        ((8, 2), 2, r"this batch has 1 sample in each of 2 parts \(train.accumulate\), and batch norm needs"),
    ],
)
def test_what_fails_with_a_small_batch_says_how_small_it_is(lengths, accumulate, sentence):
    with pytest.raises((ganzoo.BadInput, ganzoo.Failed), match=sentence):
        play(*lengths, accumulate=accumulate)


def test_a_small_batch_that_does_no_harm_is_trained_on():
    play(8, 4)
    play(8, 2)
