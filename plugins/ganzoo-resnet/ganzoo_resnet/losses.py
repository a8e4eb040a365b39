"""Orthogonal regularisation, which keeps the filters of a generator unlike each other."""

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.layers import check_positive

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Orthogonal(ganzoo.Loss):
    """Penalise what the generator's filters have in common: beta * sum over layers of ||W^T W (1 - I)||^2.

    Brock et al. 2019, equation 3: the columns of W are the filters of a convolution or linear layer, flattened; 1 - I
    leaves out their own lengths, and the norm is Frobenius'. Embeddings and frozen weights do not count. Of a layer
    with spectral norm the weights before the division count.
    Option `beta`, greater than 0; 1e-4 is the paper's. Raises `ValueError` for a beta out of range.
    """

    schedulable = ("beta",)

    def __init__(self, beta: float = 1e-4) -> None:
        super().__init__()
        check_positive(beta=beta)
        self.beta = beta

    def setup(self, step: ganzoo.Step) -> None:
        """Raise `ValueError` for a generator without such a layer."""
        if not find_filters(step.generator):
            raise ValueError("the generator has no convolution or linear layer whose filters could be regularised")

    def generator(self, step: ganzoo.Step) -> dict[str, Tensor]:
        """Return term "penalty"."""
        penalties = [penalise(filters) for filters in find_filters(step.generator)]
        return {"penalty": self.beta * torch.stack(penalties).sum()}


def penalise(filters: Tensor) -> Tensor:
    """Return the sum of the squared inner products of all pairs of different rows."""
    if len(filters) <= filters.shape[1]:
        return 2 * (filters @ filters.T).triu(1).square().sum()
    # W W^T and the smaller W^T W have equal norms; so many rows are far from orthogonal, and the difference is exact.
    return (filters.T @ filters).square().sum() - filters.square().sum(1).square().sum()


def find_filters(network: nn.Module) -> list[Tensor]:
    """Return the trainable weights of all layers, each as a matrix whose rows are the filters."""
    found = []
    for layer in network.modules():
        if isinstance(layer, (*LAYERS, *TRANSPOSED)) and (weight := trained_weight(layer)).requires_grad:
            by_filter = weight.transpose(0, 1) if isinstance(layer, TRANSPOSED) else weight
            found.append(by_filter.flatten(1))
    return found


def trained_weight(layer: nn.Module) -> Tensor:
    """Return the weight that the optimizer changes: a look at `layer.weight` would do a step of spectral norm.

    Of weight norm, which has two, it is the one of directions.
    """
    return max((weight for name, weight in layer.named_parameters() if "weight" in name), key=Tensor.numel)
