"""The adversarial loop: turns, optimizer steps, the averaged generator and the guard against non-finite losses.

One training step is `critic_steps` discriminator turns, each with a fresh batch, then one generator turn that
reuses the last batch. The engine knows two sides and a list of losses; it knows none of them by name.
"""

import copy
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.profiler import record_function

from ganzoo._faults import call_plugin, network_name
from ganzoo._seeds import make_rng
from ganzoo.contract import Generator, Loss, Step, batch_length
from ganzoo.engine.batches import check_batch, cycle, split_batch
from ganzoo.engine.checks import check_fit, check_players, eval_mode, preserve_buffers, resource_errors
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.player import Player
from ganzoo.engine.processes import Processes
from ganzoo.engine.scheduled import Scheduled, name_uniquely
from ganzoo.engine.settings import SIDES, Optimizer, Train, validate
from ganzoo.engine.terms import TermLog
from ganzoo.errors import BadInput, Diverged

MARK = "ganzoo: "
"""What the names of the parts of a training step begin with in a profile."""
BETWEEN = "between the steps"
"""The part that belongs to no step: pictures, checkpoints, measuring."""
TERMS = 64
"""Terms are exchanged in rows of so many."""
EACH = 100
"""First training steps after each of which the generator is averaged, whatever `train.ema_every` says."""


class Engine:
    """Plays the game between a generator and a discriminator, device handling included.

    `losses` holds `Loss` objects, or `Scheduled` ones where the weight or the time matters. `train` and `optimizer`
    are settings or plain dicts of them. The networks are moved to the hardware in place. Two sides that share a
    parameter are refused with `BadInput`.

    Where torch.distributed is at work, each process gives its own part of every batch, all of one size: the gradients
    are averaged, and what is random is drawn for the whole batch, so that n processes play the game of one.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: nn.Module,
        losses: Iterable[Loss | Scheduled],
        *,
        train: Train | dict[str, Any] | None = None,
        optimizer: Optimizer | dict[str, Any] | None = None,
        device: str = "auto",
    ) -> None:
        self.processes = Processes()
        with self.processes.raise_on_all_ranks():
            check_players(generator, discriminator)
            self.train = validate(Train, train or {}, "train")
            self.optimizer = validate(Optimizer, optimizer or {}, "optimizer")
            if not self.train.steps:
                raise BadInput("the engine counts in steps: give train.steps instead of train.epochs")
            device = self.processes.device(device)
            self.hardware = Hardware(device, self.train.precision, self.train.channels_last, self.train.compile)
            if self._syncs:
                self.hardware.check_sync_batch_norm(generator, discriminator)
            self.losses = name_uniquely(losses)
            self._place(generator, discriminator)
        kinds = self.processes.all_gather(self.hardware.device.type)
        with self.processes.raise_on_all_ranks():
            if len(set(kinds)) > 1:
                raise BadInput(
                    f"all processes must train on one kind of device, not on {', '.join(kinds)}; see --device"
                )
        self.rng = make_rng("run", self.train.seed)
        self.index = self.images = 0
        self.players: dict[str, Player] = {}
        self.terms_log = TermLog()
        self._apart = 0.0

    @property
    def _syncs(self) -> bool:
        return self.train.sync_batch_norm and self.processes.count > 1

    def _place(self, generator: Generator, discriminator: nn.Module) -> None:
        """Networks and losses on the hardware, and the average, which begins as the generator does."""
        self.generator = self.hardware.place(generator)
        self.discriminator = self.hardware.place(discriminator)
        for network in (generator, discriminator):
            # Only from the top: what an author has put into eval() inside stays so.
            if not network.training:
                network.train()
        self._settle_losses()
        self._ema = copy.deepcopy(self.generator).eval().requires_grad_(False)

    def run(self, batches: Iterable[dict[str, Tensor]], steps: int | None = None) -> dict[str, float]:
        """Train for `steps` (else `train.steps`) training steps on dict batches, gone through again when they end.

        Returns the mean of every loss term. Raises `Diverged` where a term was not finite.
        """
        stream = cycle(batches)
        with resource_errors(self.train, own_batches=True):
            for _ in range(self.train.steps if steps is None else steps):
                self.step(stream)
        return self.metrics()

    def step(self, batches: Iterator[dict[str, Tensor]]) -> None:
        """One training step."""
        for _ in range(self.train.critic_steps):
            with self.profiled("data"):
                batch = self.hardware.put(check_batch(call_plugin("the data", next, batches, None)))
            if not self.players:
                self.prepare(batch)
            self._turn("discriminator", batch)
            self.images += batch_length(batch) * self.processes.count
        self._turn("generator", batch)
        if self.train.ema and (decay := self._decay) is not None:
            with self.profiled("average"):
                self.processes.broadcast(self.generator.buffers())
                self._average(decay)
        self.index += 1

    def prepare(self, batch: dict[str, Tensor]) -> None:
        """Before the first step: check that data, networks and losses fit together, and settle the precision.

        Draws nothing from the run's random generator and leaves the networks as they are; of several processes all
        begin with those of the first. Raises `BadInput`.
        """
        with self.processes.raise_on_all_ranks():
            self._check_and_rehearse(batch)
        self.hardware.precision = self.processes.broadcast_object(self.hardware.precision)
        networks = (self.generator, self.discriminator, self._ema)
        weights = [weight for each in networks for weight in (*each.parameters(), *each.buffers())]
        self.processes.broadcast([*weights, *(weight for use in self.losses for weight in use.loss.parameters())])
        if self._syncs:  # only now, as the rehearsal may fail in one process, and the others would wait for it
            for network in networks[:2]:
                self.hardware.sync_batch_norm(network)

    def _check_and_rehearse(self, batch: dict[str, Tensor]) -> None:
        rehearsal = partial(
            self._rehearse, split_batch(self.hardware.put(check_batch(batch)), 0, self.train.accumulate)
        )
        networks = (self.generator, self.discriminator)
        step = rehearsal("discriminator", *networks)
        with torch.no_grad(), self.hardware.random_state_kept(), eval_mode(networks):
            check_fit(step)
            for use in self.losses:
                use.call("setup", step)
        self._settle_losses()
        self.hardware.rehearse(partial(self._rehearse_turns, rehearsal), networks)
        settings = {side: self.optimizer.side(side) for side in SIDES}
        self.players = {side: Player(getattr(self, side), settings[side], self.hardware) for side in SIDES}

    def metrics(self, keep: bool = False) -> dict[str, float]:
        """The mean of every term since the last call, as {"turn/loss/term": value}; waits for the device.

        With `keep` the sums go on as if nobody had asked. Raises `Diverged` where a term was not finite.
        """
        self.terms_log.check()
        means = self.terms_log.means()
        if not keep:
            self.terms_log = TermLog()
        return means

    def check(self) -> None:
        """Raise `Diverged` if a term since the last `metrics` or a weight is not finite, or a buffer has a NaN.

        Of several processes all raise it, and the others' buffers become those of the first.
        """
        with self.processes.raise_on_all_ranks():
            self._check()
        self.processes.broadcast((*self.generator.buffers(), *self.discriminator.buffers()))

    def _check(self) -> None:
        if self._apart:
            raise BadInput(
                "the processes have come apart: batches of other lengths, other terms of the losses, or random numbers "
                "drawn in some of them only; these may not depend on the samples"
            )
        self.terms_log.check()
        networks = (self.generator, self.discriminator)
        weights = [weight.isfinite().all() for network in networks for weight in network.parameters()]
        if not torch.stack(weights).all():
            raise Diverged(f"training diverged: a weight is not a finite number after step {self.index}")
        # A buffer may well hold infinities, as masks do.
        modules = (*networks, *(use.loss for use in self.losses))
        buffers = [~buffer.isnan().any() for module in modules for buffer in module.buffers()]
        if buffers and not torch.stack(buffers).all():
            raise Diverged(f"training diverged: a buffer has a NaN after step {self.index}")

    def _turn(self, turn: str, batch: dict[str, Tensor]) -> None:
        side = self.players[turn]
        active = [use for use in self.losses if use.is_due(self.index, side.turns)]
        side.turns += 1
        if any(use.has_terms_for(turn) for use in active):
            (other,) = (each for name, each in self.players.items() if name != turn)
            with other.frozen():
                step, terms = self._gather(side, turn, batch, active)
                if self.processes.count > 1:
                    with self.profiled(f"{turn} exchange"):
                        self._exchange(side, step, terms)
                with self.profiled(f"{turn} optimizer"):
                    side.update(side.settings.factor(self.index, self.train.steps))
                with self.profiled("log"):
                    self._after(step, active, terms)

    def _gather(
        self, side: Player, turn: str, batch: dict[str, Tensor], active: list[Scheduled]
    ) -> tuple[Step, list[dict[str, Tensor]]]:
        """Gradients of all parts of the batch; the last part's step and each loss's terms, averaged over the parts."""
        parts, gathered = self.train.accumulate, []
        latent = self._latent(batch, self.rng, parts)
        for part in range(parts):
            given = split_batch(batch, part, parts), split_batch(latent, part, parts)
            step = self._step(turn, *given, self.rng, active, self.generator, self.discriminator)
            with self.profiled(f"{turn} forward"), self.hardware.one_forward():
                terms = [use.terms(step) for use in active]
            counted = [term for use, own in zip(active, terms, strict=True) for term in use.weighted(own, parts)]
            if not counted or not side.parameters:
                named = [f"{use.name}/{name}" for use, own in zip(active, terms, strict=True) for name in own]
                told = f" ({', '.join(named)} have none: what is detached is only logged)" if named else ""
                raise BadInput(f"no loss gives the {turn} a gradient at step {self.index}{told}")
            with self.profiled(f"{turn} backward"):
                call_plugin(f"the {turn}'s backward pass", torch.autograd.backward, side.scaler.scale(counted))
            # Copies, since a term may be a buffer or a parameter, which changes after this.
            gathered.append([{name: term.detach().clone() for name, term in own.items()} for own in terms])
        return step, [mean_terms(own) for own in zip(*gathered, strict=True)]

    @torch.no_grad()
    def _exchange(self, side: Player, step: Step, terms: list[dict[str, Tensor]]) -> None:
        """Gradients and terms become their means over all processes; where only some have a gradient, others have 0."""
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in side.parameters]
        named = [(own, name) for own in terms for name in own]
        sign = self._sign(step, terms)
        there = torch.tensor([sign, *(p.grad is not None for p in side.parameters)], dtype=torch.float64)
        # Of a length that hardly depends on the terms: other ones elsewhere are to be noticed, and not to break off.
        sent = [*(own[name][None] for own, name in named), torch.zeros(-len(named) % TERMS)]
        means = torch.cat([part.to(self.hardware.device, torch.float64) for part in sent])
        self.processes.average([there, *gradients, means])
        self._apart += abs(there[0].item() - sign)
        for (own, name), mean in zip(named, means, strict=False):
            own[name] = mean.to(own[name].dtype if own[name].is_floating_point() else torch.float32)
        for somewhere, parameter, gradient in zip(there[1:].tolist(), side.parameters, gradients, strict=True):
            # None stays None where no process has one: an optimizer passes over it, but not over zeros.
            if parameter.grad is None and somewhere:
                parameter.grad = gradient

    def _sign(self, step: Step, terms: list[dict[str, Tensor]]) -> int:
        """What must be the same in all processes after a turn, beside its weights, as a number."""
        facts = repr([batch_length(step.batch), *(list(own) for own in terms)]).encode()
        return zlib.crc32(facts, zlib.crc32(self.rng.get_state().numpy()))

    @torch.no_grad()
    def _after(self, step: Step, active: list[Scheduled], terms: list[dict[str, Tensor]]) -> None:
        flat = {
            f"{step.turn}/{use.name}/{name}": v
            for use, own in zip(active, terms, strict=True)
            for name, v in own.items()
        }
        self.terms_log.add(self.index, flat)
        for use, own in zip(active, terms, strict=True):
            use.call("after", step, own)

    @contextmanager
    def observe(self, batch: dict[str, Tensor]) -> Iterator[Step]:
        """A discriminator's turn that is looked at and not played: afterwards all is as it was before.

        Its latents are the same each time. The networks are in the mode in which they are trained.
        """
        networks = (self.generator, self.discriminator)
        part = split_batch(self.hardware.put(check_batch(batch)), 0, self.train.accumulate)
        kept = (*networks, *(use.loss for use in self.losses))
        with self.hardware.random_state_kept(), preserve_buffers(kept), self.hardware.one_forward():
            yield self._rehearse(part, "discriminator", *networks)

    @property
    def ema(self) -> Generator:
        """The averaged generator, in `eval()`; with `train.ema` 0 as the generator is now."""
        if not self.train.ema:
            self._average(decay=0.0)
        return self._ema

    @property
    def _decay(self) -> float | None:
        """What the average keeps of itself, for all steps since it last moved; None where it does not move yet."""
        late = self.index + 1 - EACH
        every = self.train.ema_every if late > 0 else 1
        if late % every:
            return None
        # The warm-up lets a short run forget its random start.
        steps = range(self.index, self.index - every, -1)
        return math.prod(min(self.train.ema, (1 + index) / (10 + index)) for index in steps)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        average, current = list(self._ema.parameters()), list(self.generator.parameters())
        get_ema_multi_avg_fn(decay)(average, current, None)
        for kept, buffer in zip(self._ema.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(buffer)

    def profiled(self, part: str) -> AbstractContextManager[Any]:
        """A part of the training step that the profile tells by this name."""
        return record_function(MARK + part) if self.train.profile else nullcontext()

    def _settle_losses(self) -> None:
        """Networks inside a loss, also those that its `setup` made, are frozen and on the hardware."""
        for use in self.losses:
            use.loss.to(self.hardware.device).eval().requires_grad_(False)

    def _latent(self, batch: dict[str, Tensor], rng: torch.Generator, parts: int = 1) -> dict[str, Tensor]:
        whole = batch_length(batch) * self.processes.count
        drawn = call_plugin(network_name(self.generator), self.generator.latent, whole, rng)
        return self.hardware.put({key: self.processes.shard(value, parts) for key, value in drawn.items()})

    def _call(self, network: nn.Module, *inputs: Any, twice: bool = False) -> Any:
        return call_plugin(network_name(network), self.hardware.call, network, *inputs, twice=twice)

    def _rehearse(self, batch: dict[str, Tensor], turn: str, generator: nn.Module, discriminator: nn.Module) -> Step:
        """A turn outside the game, with a random generator of its own."""
        rng = make_rng("rehearsal")
        return self._step(turn, batch, self._latent(batch, rng), rng, self.losses, generator, discriminator)

    def _step(
        self,
        turn: str,
        batch: dict[str, Tensor],
        latent: dict[str, Tensor],
        rng: torch.Generator,
        losses: Iterable[Scheduled],
        generator: nn.Module,
        discriminator: nn.Module,
    ) -> Step:
        return Step(
            turn,
            self.index,
            batch,
            latent,
            generator=generator,
            discriminator=discriminator,
            call=self._call,
            rng=rng,
            views=[partial(use.call, "view") for use in losses],
            rank=self.processes.rank,
            processes=self.processes.count,
        )

    def _rehearse_turns(self, rehearsal: Callable[..., Step], *networks: nn.Module) -> None:
        """The work of a training step: both turns with all losses, forward and backward."""
        for turn in SIDES:
            step = rehearsal(turn, *networks)
            with self.hardware.one_forward():
                terms = [term for use in self.losses for term in use.weighted(use.terms(step))]
            if terms:
                call_plugin("a first step", torch.autograd.backward, terms)


def mean_terms(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Each term's mean over the parts of a batch."""
    if len(parts) == 1:
        return parts[0]
    return {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
