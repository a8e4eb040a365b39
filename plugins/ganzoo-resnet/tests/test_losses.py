"""Orthogonal regularisation against equation 3 of Brock et al. 2019."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import ganzoo
from ganzoo_resnet.losses import Orthogonal

toys = ganzoo.testing.toys
LAYERS = {
    "linear": (lambda: nn.Linear(5, 3), lambda w: w.T),
    "more filters than values": (lambda: nn.Linear(3, 7), lambda w: w.T),
    "convolution": (lambda: nn.Conv2d(2, 3, 3), lambda w: w.reshape(3, -1).T),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 3), lambda w: w.transpose(1, 0, 2, 3).reshape(3, -1).T),
}


class Wrapped(toys.TinyGenerator):
    """Only the given layers."""

    def __init__(self, *layers):
        super().__init__()
        self.network = nn.ModuleList(layers).double()


def step_with(*layers):
    batch = {"image": torch.zeros(2, 1, 2, 2)}
    return toys.make_step("generator", Wrapped(*layers), toys.TinyCritic(), batch, {"z": torch.zeros(2, 3)})


def equation_three(w, beta):
    """beta * ||W^T W * (1 - I)||_F^2, where the columns of W are filters."""
    return beta * np.linalg.norm(w.T @ w * (1 - np.eye(w.shape[1])), "fro") ** 2


@pytest.mark.parametrize("name", LAYERS)
def test_the_penalty_is_equation_three(name):
    make, columns = LAYERS[name]
    step = step_with(make())
    expected = equation_three(columns(step.generator.network[0].weight.detach().numpy()), 0.3)
    assert Orthogonal(0.3).generator(step)["penalty"].item() == pytest.approx(expected, rel=1e-10)


def test_layers_add_up_and_frozen_ones_and_embeddings_do_not_count():
    layers = [nn.Linear(5, 3), nn.Linear(4, 2), nn.Linear(4, 2).requires_grad_(False), nn.Embedding(4, 3)]
    step = step_with(*layers)
    step.generator.network[2].requires_grad_(False)
    both = sum(equation_three(layer.weight.detach().numpy().T, 1e-4) for layer in layers[:2])
    assert Orthogonal().generator(step)["penalty"].item() == pytest.approx(both, rel=1e-10)


@pytest.mark.parametrize(("normalise", "original"), [(spectral_norm, "original"), (weight_norm, "original1")])
def test_the_weight_before_normalisation_counts_and_nothing_is_iterated(normalise, original):
    layer = normalise(nn.Linear(5, 3))
    step = step_with(layer)
    kept = {name: value.clone() for name, value in layer.state_dict().items()}
    term = Orthogonal().generator(step)["penalty"]
    weight = getattr(layer.parametrizations.weight, original)
    assert term.item() == pytest.approx(equation_three(weight.detach().numpy().T, 1e-4), rel=1e-10)
    assert all(value.equal(kept[name]) for name, value in layer.state_dict().items())
    term.backward()
    found = weight.grad.clone()
    slopes = toys.central_differences(lambda: Orthogonal().generator(step)["penalty"], weight)
    torch.testing.assert_close(found, slopes, rtol=1e-6, atol=1e-10)


def test_what_cannot_work_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^the generator has no convolution or linear layer whose filters could be"):
        Orthogonal().setup(step_with(nn.Embedding(3, 2)))
    with pytest.raises(ValueError, match=r"^beta must be a number greater than 0, got 0$"):
        Orthogonal(beta=0)
