"""Whether networks, losses and data fit together, found out before the first training step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from ganzoo.contract import Generator, Step
from ganzoo.errors import BadInput
from ganzoo.settings import SIDES


def check_players(generator: nn.Module, discriminator: nn.Module) -> None:
    """Whether the two can play at all; else `BadInput`.

    Every parameter belongs to exactly one side, or freezing one would freeze the other.
    """
    if not isinstance(generator, Generator):
        raise BadInput(f"the generator is a {type(generator).__name__}; it must be a subclass of ganzoo.Generator")
    own = {id(parameter): name for name, parameter in generator.named_parameters()}
    for name, parameter in discriminator.named_parameters():
        if id(parameter) in own:
            raise BadInput(f"generator and discriminator share a parameter ({own[id(parameter)]} is {name})")


def check_fit(step: Step) -> None:
    """Whether the data has what the networks need and the shape that the generator makes; else `BadInput`."""
    for side in SIDES:
        for key in getattr(getattr(step, side), "needs", ()):
            if key not in step.batch:
                raise BadInput(f"the {side} needs '{key}' in every batch; the data has {', '.join(step.batch)}")
    makes = step.generator.makes
    fakes = {makes: step.fake} if isinstance(makes, str) else step.fake
    if isinstance(fakes, Tensor) or (not isinstance(makes, str) and set(makes) - fakes.keys()):
        raise BadInput(f"the generator says that it makes {makes}; its forward must return a dict with these keys")
    for key, fake in fakes.items():
        real = step.batch.get(key)
        if isinstance(fake, Tensor) and real is not None and fake.shape != real.shape:
            shapes = f"{tuple(fake.shape)}, the data has {tuple(real.shape)}"
            raise BadInput(f"the generator makes '{key}' of shape {shapes}")


@contextmanager
def all_in_eval(networks: Iterable[nn.Module]) -> Iterator[None]:
    """All networks in `eval()` for a while; each of their modules then gets its own mode back."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def refusing(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call what a plugin brings; its `ValueError` becomes a `BadInput` that names it."""
    try:
        return function(*arguments)
    except BadInput:
        raise
    except ValueError as error:
        raise BadInput(f"{name}: {error}") from error
