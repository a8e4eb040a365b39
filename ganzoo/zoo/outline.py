"""Outlines of networks: a constructor runs on the meta device, so that only names, shapes and types come of it.

For most arithmetic on that device torch imports its compiler, which takes longer than all else that loading does. What
constructors do to draw their first weights is therefore left out: nothing on the meta device has values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Function = Callable[..., Any]

FILLS = frozenset(
    getattr(Tensor, name)
    for name in (
        *("bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_"),
        *("add_", "clamp_", "copy_", "div_", "erfinv_", "fill_", "mul_", "sub_", "zero_"),
        *("__iadd__", "__imul__", "__isub__", "__itruediv__", "__setitem__"),
    )
)
"""Methods that change nothing but the values of their tensor."""
ELEMENTWISE = frozenset(
    getattr(place, name)
    for place, names in {
        torch: "add sub mul div pow neg exp log sqrt rsqrt sin cos tanh sigmoid abs clamp randn_like",
        Tensor: "add sub mul div pow neg exp log sqrt rsqrt sin cos tanh sigmoid abs clamp __add__ __radd__ __sub__ "
        "__rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __rdiv__ __pow__ __rpow__ __neg__",
        functional: "normalize",
    }.items()
    for name in names.split()
)
"""Functions whose result has the shape that their tensors have together, and their type where that is a float."""

DRAWS = frozenset((torch.rand, torch.randn))
"""Functions that make tensors of random values, of a shape. On the meta device they import a library for symbols."""
PRODUCTS: Mapping[Function, int] = {torch.mv: 1, torch.vdot: 0}
"""Products with a vector, as in the first iterations of spectral norm: how many axes of the first tensor are left."""


@contextmanager
def outlining() -> Iterator[None]:
    """Make modules inside on the meta device, where they take no memory; nothing is drawn or filled."""
    with torch.device("meta"), WithoutValues():
        yield


class WithoutValues(TorchFunctionMode):
    """Leaves out what changes only the values of tensors on the meta device."""

    def __torch_function__(
        self, func: Function, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what a function of torch would, as far as that is known without calling it."""
        named = dict(kwargs or {})
        given = [*args, *named.values()]
        if func in FILLS or getattr(func, "__module__", "") == "torch.nn.init":
            named.setdefault("out", next(iter(given), None))
        if is_outlined(named.get("out")):
            return named["out"]
        if func in DRAWS and "device" not in named:
            return torch.empty(*args, **{key: value for key, value in named.items() if key != "generator"})
        if func in PRODUCTS and is_outlined(given[0]):
            return torch.empty(given[0].shape[: PRODUCTS[func]], dtype=given[0].dtype, device="meta")
        if func in ELEMENTWISE and (made := elementwise(given)) is not None:
            return made
        return func(*args, **(kwargs or {}))


def is_outlined(value: object) -> bool:
    """Return whether a value is a tensor without values."""
    return isinstance(value, Tensor) and value.is_meta and value.numel() > 0  # an empty one may be resized


def elementwise(given: Sequence[Any]) -> Tensor | None:
    """Return an empty tensor for the result of an elementwise function; None where its type is not plain."""
    tensors = [each for each in given if isinstance(each, Tensor)]
    kinds = {tensor.dtype for tensor in tensors}
    if len(kinds) != 1 or not all(is_outlined(tensor) and tensor.is_floating_point() for tensor in tensors):
        return None
    shape = torch.broadcast_shapes(*(each.shape for each in tensors))  # type: ignore[no-untyped-call]  # it has no types
    return torch.empty(shape, dtype=kinds.pop(), device="meta")
