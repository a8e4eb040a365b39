"""What networks and views return: samples or scores, perhaps with a dict of more beside them."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from torch import Tensor

from ganzoo._faults import network_name
from ganzoo.errors import BadInput

T = TypeVar("T")


class NetworkCall(Protocol):
    """Calls a network as the engine does, in its precision and on its device."""

    def __call__(self, network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
        """Return `network(*inputs)`, in float32 or wider; `twice` as in `Step.make`."""


def split_samples(generator: object, output: Any) -> tuple[Any, dict[str, Tensor]]:
    """Return the samples, a tensor or a dict of tensors, and the extras of what a generator returned."""
    if isinstance(output, Tensor):
        return output, {}
    rule = "samples, a dict of them by batch key, or either with a dict of extras: (images, {'w': ...})"
    samples, extras = split(output, dict, network_name(generator), rule)
    return samples, extras or {}


def split_view(loss: str, output: Any, given: dict[str, Tensor]) -> tuple[Any, dict[str, Tensor]]:
    """Return the images that a loss's `view` returned, and what belongs to them."""
    if isinstance(output, Tensor):
        return output, given
    rule = "images, or with them what belongs to them: (images, given)"
    images, moved = split(output, dict, f"loss '{loss}': its view()", rule)
    return images, given if moved is None else type(given)(moved)


def split_scores(discriminator: object, output: Any) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Return all score maps and the extras of what a discriminator returned."""
    if isinstance(output, Tensor):
        return [output], {}
    rule = "scores, a list of score maps, or either with a dict of extras: (scores, {'label': ...})"
    scores, extras = split(output, list, network_name(discriminator), rule)
    return [scores] if isinstance(scores, Tensor) else scores, extras or {}


def split(
    output: Any, group: type[dict[str, Any] | list[Any]], culprit: str, rule: str
) -> tuple[Any, dict[str, Tensor] | None]:
    """Return a tensor, or a `group` of tensors, and the dict beside it, None without one. Raises `BadInput`."""
    has_more = isinstance(output, tuple) and len(output) == 2 and isinstance(output[1], dict)
    main, more = output if has_more else (output, None)
    parts: list[Any] = [main]
    if isinstance(main, group) and isinstance(main, dict | list):
        parts = list(main.values() if isinstance(main, dict) else main)
    if not parts or not all(isinstance(part, Tensor) for part in parts):
        raise BadInput(f"{culprit} must return {rule}; it returned {describe(output)}")
    return main, more


def describe(output: Any) -> str:
    """Return the types in an output: "(Tensor, Tensor)"."""
    if isinstance(output, tuple | list):
        return ("({})" if isinstance(output, tuple) else "[{}]").format(", ".join(map(describe, output)))
    if isinstance(output, dict):
        return "{" + ", ".join(f"{key!r}: {describe(value)}" for key, value in output.items()) + "}"
    return type(output).__name__


class Judges:
    """The judges of one turn: a discriminator that returns a list of score maps is as many as there are maps."""

    def __init__(self) -> None:
        self.number, self.count = 0, 1

    def each(self) -> Iterator[None]:
        """Make one judge after the other the one whose scores are picked; the first alone if none are picked."""
        self.number, self.count = 0, 1
        while self.number < self.count:
            yield
            self.number += 1
        self.number = 0

    def pick(self, scores: list[Tensor]) -> Tensor:
        """Return the scores of the judge whose turn it is. Raises `BadInput` where their number has changed."""
        self.count = max(self.count, len(scores))
        if self.number >= len(scores):
            counts = f"{len(scores)} for some images and {self.count} for others"
            raise BadInput(f"a discriminator must always return as many score maps, and returned {counts}")
        return scores[self.number]
