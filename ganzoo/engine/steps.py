"""Making the `Step` of a turn: its latents, and the way it calls the networks."""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from ganzoo._faults import call_plugin, network_name
from ganzoo._seeds import make_rng
from ganzoo.contract import Extras, Generator, Images, Step, batch_length
from ganzoo.engine.checks import eval_mode
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.processes import Processes
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES

T = TypeVar("T")
logger = logging.getLogger("ganzoo")
Networks = tuple[Generator, nn.Module]
"""Generator and discriminator."""


class WholeTurn(Step):
    """A turn whose batch was split: what its parts have computed, or compute when asked, put together.

    `batch` and `latent` are the whole ones of this process.
    """

    def __init__(self, parts: Sequence[Step], batch: dict[str, Tensor], latent: dict[str, Tensor]) -> None:
        last, self._parts = parts[-1], parts
        super().__init__(
            last.turn,
            last.index,
            batch,
            latent,
            generator=last.generator,
            discriminator=last.discriminator,
            call=last._call,
            rng=last._draws.rng,
            views=last._views,
            rank=last.rank,
            processes=last.processes,
            parts=len(parts),
            total=last.total,
        )

    @cached_property
    def _made(self) -> tuple[Images, Extras]:
        return concatenate([part._made for part in self._parts])

    @cached_property
    def _judged_real(self) -> tuple[list[Tensor], Extras]:
        return concatenate([part._judged_real for part in self._parts])

    @cached_property
    def _judged_fake(self) -> tuple[list[Tensor], Extras]:
        return concatenate([part._judged_fake for part in self._parts])


def concatenate(values: Sequence[T]) -> T:
    """Return what the parts of a batch have as one: tensors along the first axis, scalars as their mean."""
    first: Any = values[0]
    each: list[Any] = list(values)
    if isinstance(first, dict):
        return cast("T", {key: concatenate([value[key] for value in each]) for key in first})
    if isinstance(first, tuple | list):
        return cast("T", type(first)(concatenate(items) for items in zip(*each, strict=True)))
    if not isinstance(first, Tensor):
        return values[0]
    joined = torch.cat(each) if first.dim() else torch.stack(each).mean(dtype=torch.get_default_dtype())
    return cast("T", joined)


class StepMaker:
    """Makes the `Step` of each turn of a game."""

    def __init__(
        self, networks: Networks, losses: Sequence[Scheduled], hardware: Hardware, processes: Processes
    ) -> None:
        self.networks, self.losses = networks, losses
        self.hardware, self.processes = hardware, processes
        self.total = math.inf
        """Training steps in all."""
        self.unread: dict[str, str] = {}
        """Per side, what the last rehearsal found that no loss trains of a network that returns extras, in words."""

    def latent(self, batch: dict[str, Tensor], rng: torch.Generator, parts: int = 1) -> dict[str, Tensor]:
        """Draw latents for the whole batch of all processes, and return this process's rows, on the device."""
        generator, whole = self.networks[0], batch_length(batch) * self.processes.count
        drawn = call_plugin(network_name(generator), generator.latent, whole, rng)
        return self.hardware.put({key: self.processes.shard(value, parts) for key, value in drawn.items()})

    def make(
        self,
        side: str,
        index: int,
        batch: dict[str, Tensor],
        latent: dict[str, Tensor],
        rng: torch.Generator,
        losses: Iterable[Scheduled],
        networks: Networks | None = None,
    ) -> Step:
        """Return one turn of the game, with the views of these losses."""
        generator, discriminator = networks or self.networks
        return Step(
            side,
            index,
            batch,
            latent,
            generator=generator,
            discriminator=discriminator,
            call=partial(self._call, (generator, discriminator)),
            rng=rng,
            views=[use.view for use in losses if use.overrides("view")],
            rank=self.processes.rank,
            processes=self.processes.count,
            total=self.total,
        )

    def rehearsal(
        self,
        side: str,
        index: int,
        batch: dict[str, Tensor],
        networks: Networks | None = None,
        losses: Sequence[Scheduled] | None = None,
    ) -> Step:
        """Return a turn outside the game, with the same random numbers each time, and the views of these losses."""
        rng = make_rng("rehearsal")
        seen = self.losses if losses is None else losses
        return self.make(side, index, batch, self.latent(batch, rng), rng, seen, networks)

    def set_up(self, losses: Iterable[Scheduled], step: Step) -> None:
        """Let losses make buffers, or refuse the game, before it begins."""
        with torch.no_grad(), eval_mode((step.generator, step.discriminator)):
            for use in losses:
                use.set_up(step, self.hardware.device)

    def play_rehearsal(
        self, index: int, batch: dict[str, Tensor], generator: Generator, discriminator: nn.Module
    ) -> None:
        """Do the work of a training step, forward and backward with all losses, but update nothing.

        Options that vary have their last values: losses may refuse these, and networks that grow are largest then.
        """
        networks, losses = (generator, discriminator), [use.as_it_ends() for use in self.losses]
        rehearsal = partial(self.rehearsal, index=index, batch=batch, networks=networks, losses=losses)
        self.set_up([use for use in losses if use not in self.losses], rehearsal("discriminator"))
        for side in SIDES:
            step = rehearsal(side)
            with self.hardware.one_forward():
                terms = [term for use in losses for term in use.weigh(use.terms(step))]
            if terms:
                call_plugin("a first step", torch.autograd.backward, terms)
        # A part without gradient may still be growing; one of a network with extras lacks the loss that reads these.
        played = (("generator", generator, "_made"), ("discriminator", discriminator, "_judged_fake"))
        found = [(side, find_untrained(network), vars(step).get(made, ((), {}))[1]) for side, network, made in played]
        self.unread = {each[0]: describe_unread(*each) for each in found if each[1] and each[2]}

    def warn_untrained(self, sides: Iterable[str]) -> None:
        """Log what no loss trains of these sides, as far as a rehearsal has found it."""
        for side in self.unread.keys() & set(sides):
            logger.warning("%s", self.unread[side])

    def _call(self, networks: Networks, network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
        name = partial(name_part, network, networks)
        return call_plugin(name, self.hardware.call, network, *inputs, twice=twice)


def find_untrained(network: nn.Module) -> list[str]:
    """Return the names of the modules that have weights to train, none of which has a gradient, the outermost alone."""
    found: list[str] = []
    for name, module in network.named_modules():
        weights = [weight for weight in module.parameters() if weight.requires_grad]
        is_inside = any(name.startswith(f"{outer}.") for outer in found)
        if name and weights and not is_inside and all(weight.grad is None for weight in weights):
            found.append(name)
    return found


def describe_unread(side: str, untrained: Sequence[str], extras: Extras) -> str:
    """Return the warning about parts that no loss trains beside extras of a network."""
    offered = ", ".join(f"'{name}'" for name in extras)
    advice = "add a loss that reads these, or choose a network without them"
    return f"no loss trains {', '.join(untrained)} of the {side}, which returns the extras {offered}; {advice}"


def name_part(network: object, networks: Networks) -> str:
    """Return the name of a network in messages; that of a part of the two says where it is, such as an encoder."""
    owner = getattr(network, "__self__", network)  # of a method
    for side, whole in zip(("generator", "discriminator"), networks, strict=True):
        for name, module in whole.named_modules() if owner not in networks else ():
            if module is owner:
                return f"the {side}'s {name} ({network_name(owner)})"
    return network_name(owner)
