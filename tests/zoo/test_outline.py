"""A constructor on the meta device: the same names, shapes and types, without drawing and without torch's compiler."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo.zoo.outline import outlining
from ganzoo.zoo.weights import build_with_weights, serialize_weights
from outlined import CONSTRUCTORS, Alone, part_of


def described(module: nn.Module) -> dict:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("make", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_an_outline_has_the_names_shapes_and_types_of_the_network(make):
    with outlining():
        outline = make()
    assert described(outline) == described(make())
    assert all(tensor.is_meta for tensor in outline.state_dict().values())


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_weights_fit_and_no_generator_advances(name):
    made = CONSTRUCTORS[name]()
    torch.manual_seed(3), random.seed(3), np.random.seed(3)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    loaded = build_with_weights(part_of(CONSTRUCTORS[name]), {}, made.state_dict())
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]
    assert serialize_weights(loaded) == serialize_weights(made)


def test_what_cannot_run_on_the_meta_device_is_built_all_the_same():
    made = Alone()
    with outlining(), pytest.raises(RuntimeError):
        Alone()
    loaded = build_with_weights(part_of(Alone), {}, made.state_dict())
    assert serialize_weights(loaded) == serialize_weights(made)


def test_weights_of_another_shape_are_refused_before_there_is_memory_for_the_network():
    def huge() -> nn.Module:
        module = nn.Linear(2, 2)
        module.weight = nn.Parameter(torch.randn(10**6, 10**6) / 2)  # 4 TB
        return module

    with pytest.raises(ValueError, match=r"'weight' has the shape \(2, 2\), not \(1000000, 1000000\)"):
        build_with_weights(part_of(huge), {}, nn.Linear(2, 2).state_dict())


def test_outlines_do_without_the_compiler_of_torch():
    code = """
import sys
from outlined import CONSTRUCTORS
from ganzoo.zoo.outline import outlining
for name, make in CONSTRUCTORS.items():
    with outlining():
        make()
    assert "torch._dynamo" not in sys.modules, name
"""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr


def test_random_parameters_need_no_library_for_symbols():
    code = """
import sys, torch
from ganzoo.zoo.outline import outlining
with outlining():
    made = [torch.randn(3, 4), torch.rand((2,), dtype=torch.float64), torch.randn(5, generator=torch.Generator("cpu"))]
    there = torch.randn(3, device="cpu")
assert [tuple(each.shape) for each in made] == [(3, 4), (2,), (5,)] and made[1].dtype == torch.float64
assert all(each.is_meta for each in made) and there.std() > 0
assert "sympy" not in sys.modules
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr
