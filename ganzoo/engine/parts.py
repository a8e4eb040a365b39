"""Parts of a network with a learning rate of their own, found by the names of its modules."""

from collections.abc import Iterable, Mapping
from itertools import chain

from torch import nn

from ganzoo.engine.schedule import Number
from ganzoo.errors import BadInput, accept, find_near

WHOLE = ""
"""The name of what no other part has."""


def belongs(name: str, part: str) -> bool:
    """Return whether a parameter lies in a part: `mapping.0.weight` in `mapping`, and everything in the whole."""
    return part in (WHOLE, name) or name.startswith(f"{part}.")


def sort_into_parts(side: str, network: nn.Module, parts: Mapping[str, Number]) -> dict[str, list[nn.Parameter]]:
    """Return the trainable parameters of a network by the part that they belong to; those with factor 0 are frozen.

    Of several parts that fit, the one with the longest name counts. Modules of a frozen part that keep statistics, such
    as batch norm, are put into eval(), or the part would change with them. Raises `BadInput` for a part that matches
    nothing, and where nothing is left to train.
    """
    named = dict(network.named_parameters())
    for part in parts:
        if not any(belongs(name, part) for name in named):
            raise BadInput(f"optimizer.{side}.parts: the {side} has no '{part}'; {suggest_parts(named, part)}")
    found: dict[str, list[nn.Parameter]] = {}
    for name, parameter in named.items():
        part = find_part(name, parts)
        if parts.get(part) == 0:
            parameter.requires_grad_(False)
        if parameter.requires_grad:
            found.setdefault(part, []).append(parameter)
    if parts and not found:
        raise BadInput(f"optimizer.{side}.parts freezes all of the {side}; one that shall not be trained needs no loss")
    for name, module in network.named_modules():
        if parts.get(find_part(name, parts)) == 0 and any(True for _ in module.buffers(recurse=False)):
            module.training = False  # not eval(): a module inside may belong to another part
    return found or {WHOLE: []}


def find_part(name: str, parts: Iterable[str]) -> str:
    """Return the part with the longest name that something belongs to."""
    return max((part for part in parts if belongs(name, part)), key=len, default=WHOLE)


def suggest_parts(names: Iterable[str], like: str) -> str:
    """Return the parts of a network that are near a name, else all that are as deep in it, in the order of the network.

    Where these would be one alone, such as the "network" that holds all layers, they are those inside it.
    """
    words, depth = [name.split(".") for name in names], like.count(".") + 1
    levels = [
        list(dict.fromkeys(".".join(each[:level]) for each in words)) for level in range(1, 1 + max(map(len, words)))
    ]
    if near := find_near(like, list(chain(*levels[:depth]))):
        return accept(near)
    deep = next((level for level in levels[depth - 1 :] if len(level) > 1), levels[-1])
    return f"its parts are {', '.join(deep)}"
