"""Top-k training and feature matching."""

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_losses.adversarial import Hinge, Relativistic
from ganzoo_losses.generator import FeatureMatching, TopK
from single_turns import SHAPES, play, tiny_discriminator

toys = ganzoo.testing.toys


def with_view(turn, discriminator, loss, n=6):
    """A step whose images go through the loss's view."""
    step = play(turn, discriminator, n)
    step._views = [loss.view]
    return step


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share, count", [(1.0, 6), (0.5, 3), (0.4, 2), (0.01, 1)])
def test_the_generator_learns_as_if_only_its_best_samples_were_there(shape, share, count):
    step = with_view("generator", tiny_discriminator(shape), TopK(share))
    Hinge().generator(step)["fool"].backward()

    def best():
        scores = step.discriminator(step.generator(step.latent), {}).flatten(1) if shape else None
        scores = step.discriminator(step.generator(step.latent), {}) if scores is None else scores.mean(1)
        return -np.mean(sorted(scores.tolist())[-count:])

    for parameter in step.generator.parameters():
        expected = toys.central_differences(best, parameter)
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-6, atol=1e-9)


def test_relativistic_pairs_of_the_best_alone_count():
    step = with_view("generator", tiny_discriminator(), TopK(0.5))
    Relativistic().generator(step)["pairs"].backward()
    found = [parameter.grad.clone() for parameter in step.generator.parameters()]
    plain = play("generator", tiny_discriminator())
    best = plain.fake_scores.topk(3).indices
    nn.functional.softplus(plain.real_scores - plain.fake_scores)[best].mean().backward()
    for gradient, parameter in zip(found, plain.generator.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_top_k_leaves_the_discriminator_alone():
    with_it, without = (
        with_view("discriminator", tiny_discriminator(), TopK(0.2)),
        play("discriminator", tiny_discriminator()),
    )
    gradients = []
    for step in (with_it, without):
        sum(Hinge().discriminator(step).values()).backward()
        gradients.append([parameter.grad for parameter in step.discriminator.parameters()])
    assert all(one.equal(other) for one, other in zip(*gradients, strict=True))


def test_the_share_is_annealed_as_in_the_paper():
    loss = ganzoo.Scheduled(TopK(), options={"share": {"from": 1.0, "to": 0.5, "over": 69, "kind": "exponential"}})
    for epoch in (0, 1, 10, 68, 200):
        loss.follow(epoch, 1000)
        assert loss.loss.share == pytest.approx(max(0.99**epoch, 0.5), rel=1e-3)


class Features(nn.Module):
    """Scores from features that it also returns, if wanted, as its extra."""

    def __init__(self, extra):
        super().__init__()
        self.extra, self.body, self.last = extra, nn.Linear(4, 5), nn.Linear(5, 1)

    def forward(self, images, given):
        features = torch.tanh(self.body(images.flatten(1)))
        scores = self.last(features).squeeze(1)
        return (scores, {"features": features}) if self.extra else scores


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("layer", ["", "last"])
def test_feature_matching_is_the_squared_distance_of_mean_features(extra, layer):
    torch.manual_seed(3)
    step, loss = play("generator", Features(extra).double()), FeatureMatching(layer)
    loss.setup(step)
    term = loss.generator(step)["distance"]
    term.backward()
    weight, bias = (p.detach().numpy() for p in step.discriminator.body.parameters())

    def distance():
        images = (step.batch["image"], step.generator(step.latent).detach())
        real, fake = (np.tanh(each.flatten(1).numpy() @ weight.T + bias).mean(0) for each in images)
        return sum((real - fake) ** 2)

    assert term.item() == pytest.approx(distance(), rel=1e-12)
    for parameter in step.generator.parameters():
        torch.testing.assert_close(parameter.grad, toys.central_differences(distance, parameter), rtol=1e-6, atol=1e-9)


def test_features_of_a_layer_that_is_named_are_its_inputs():
    step = play("generator", Features(extra=True).double())
    assert FeatureMatching("body").features(step, step.real, step.batch).equal(step.real.flatten(1))


class NoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(4, dtype=torch.float64))
        self.unused = nn.Identity()

    def forward(self, images, given):
        return images.flatten(1) @ self.slope


@pytest.mark.parametrize(
    "discriminator, layer, sentence",
    [
        (NoLayers(), "", "the discriminator has no convolution or linear layer; name one of its modules as layer"),
        (NoLayers(), "unused", "the discriminator does not call its layer 'unused'; name another with layer = ..."),
        (Features(extra=True).double(), "lost", "the discriminator has no layer 'lost'; did you mean 'last'?"),
    ],
)
def test_features_that_are_not_there_are_refused_in_a_sentence(discriminator, layer, sentence):
    with pytest.raises(ValueError) as refusal:
        FeatureMatching(layer).setup(play("discriminator", discriminator))
    assert str(refusal.value) == sentence
