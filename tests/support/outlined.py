"""Networks as authors write them: whose weights are drawn by torch, by `nn.init`, by hand, or from other generators."""

import math
import random
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from ganzoo._faults import call_plugin


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU())
        self.label, self.cell = nn.Embedding(5, 3), nn.GRU(3, 4)
        self.attention = nn.MultiheadAttention(4, 2)


class ByInit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name in (
            "normal_",
            "uniform_",
            "trunc_normal_",
            "xavier_normal_",
            "kaiming_normal_",
            "orthogonal_",
            "eye_",
        ):
            weight = nn.Parameter(torch.empty(4, 4))
            getattr(nn.init, name)(weight)
            self.register_parameter(name, weight)
        nn.init.constant_(tensor=self.eye_, val=2.0)
        self.apply(lambda module: [nn.init.normal_(weight, 0, 0.02) for weight in module.parameters()])


class ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.randn(4, 3) * 0.02)
        self.b = nn.Parameter(2 * torch.rand(3, 1) - 1 + torch.randn(1, 4))
        self.c = nn.Parameter(torch.randn([5, 3]) / math.sqrt(3))
        self.d = nn.Parameter(torch.empty(3, 3).normal_(0, 1).div_(2))
        self.e = nn.Parameter(torch.zeros(2, 2, dtype=torch.float64).exponential_())
        self.a.data.uniform_(-1, 1)
        self.register_buffer("halved", torch.randn(2, 2).half())
        self.register_buffer("count", torch.tensor(0))
        with torch.no_grad():
            self.b[:, 0] = 1
            self.c *= 0.5
            self.d.copy_(torch.ones(3, 3))


class FromOthers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3))
        self.weight.data.fill_(random.random() + float(np.random.rand()))


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.spectral_norm(nn.Linear(4, 3))


class Parametrized(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 3, 3))
        self.label = nn.utils.parametrizations.spectral_norm(nn.Embedding(5, 3))


class Alone(nn.Module):
    """Looks at its own weights, which the meta device does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(3))
        self.scale = nn.Parameter(torch.full((2,), self.weight.sum().item()))


CONSTRUCTORS: dict[str, Callable[[], nn.Module]] = {
    "torch": Plain,
    "nn.init": ByInit,
    "by hand": ByHand,
    "other generators": FromOthers,
    "spectral norm": Normed,
    "spectral norm as a parametrization": Parametrized,
}


def part_of(make: Callable[[], nn.Module]) -> SimpleNamespace:
    """Return what loading knows of a registered class, with no options."""
    return SimpleNamespace(options={}, make=lambda: call_plugin("a constructor", make))
