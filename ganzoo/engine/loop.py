"""The training loop of the game between a generator and a discriminator, its two sides.

One training step is `critic_steps` turns of the discriminator, each with a fresh batch, then one turn of the generator,
which reuses the last batch. A turn belongs to one side: the losses that are due give their terms, the gradients of the
terms update this side, and the losses see their terms once more (`Loss.after`). The engine knows no loss, no
architecture and no batch key by name.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import record_function

from ganzoo._faults import call_plugin
from ganzoo._seeds import make_rng
from ganzoo.contract import Generator, Loss, Step, batch_length
from ganzoo.engine.average import MovingAverage
from ganzoo.engine.batches import check_batch, cycle, next_batch, small_batch_errors, split_batch
from ganzoo.engine.checks import (
    check_finite,
    check_fit,
    check_one_kind_of_device,
    check_players,
    choose_labels,
    eval_mode,
    preserve_buffers,
    resource_errors,
)
from ganzoo.engine.exchange import Exchange, fingerprint
from ganzoo.engine.hardware import Hardware
from ganzoo.engine.player import Player
from ganzoo.engine.processes import Processes
from ganzoo.engine.scheduled import Scheduled, name_uniquely, no_gradient, trained_sides
from ganzoo.engine.settings import SIDES, Optimizer, Train
from ganzoo.engine.steps import StepMaker, WholeTurn
from ganzoo.engine.terms import TermLog, mean_terms
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput

OPPONENT = {"discriminator": "generator", "generator": "discriminator"}

PROFILE_PREFIX = "ganzoo: "
"""The beginning of the names of a training step's parts in a profile."""
BETWEEN_STEPS = "between the steps"
"""The part that belongs to no step: pictures, checkpoints, evaluations."""


class Engine:
    """Plays the game between a generator and a discriminator, device handling included.

    `losses` are `Loss` objects, or `Scheduled` ones to give them a weight or a schedule. `train` and `optimizer` are
    settings, or plain dicts of them. The networks are moved to the device in place. Raises `BadInput` for settings,
    networks or losses that cannot work, such as two networks that share a parameter.

    Under torch.distributed each process gives its own part of every batch, all of one length. Gradients are averaged
    and random numbers are drawn for the whole batch, so that n processes play the same game as one.

    The state of the game: `generator`, `discriminator`, their optimizers in `players`, the average behind `ema`, the
    buffers of `losses`, `index` (training steps done), `images` (real samples seen), `rng` and `terms_log`.
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
            choose_labels(generator, self.train.labels)
            self.optimizer = validate(Optimizer, optimizer or {}, "optimizer")
            if self.train.epochs:
                raise BadInput("the engine counts in steps: give train.steps instead of train.epochs")
            device = self.processes.device(device)
            self.hardware = Hardware(device, self.train.precision, self.train.channels_last, self.train.compile)
            if self._syncs_batch_norm:
                self.hardware.check_sync_batch_norm(generator, discriminator)
            self.losses = name_uniquely(losses)
            self.trained_sides = trained_sides(self.losses)
            self.generator = self.hardware.place(generator)
            self.discriminator = self.hardware.place(discriminator)
            for network in (generator, discriminator):
                if not network.training:  # else modules inside that the author has put into eval() stay so
                    network.train()
            for use in self.losses:
                use.freeze(self.hardware.device)
            self.players = self._make_players()
            self.average = MovingAverage(self.generator, self.train.ema, self.train.ema_every)
        check_one_kind_of_device(self.processes, self.hardware.device)
        networks = (self.generator, self.discriminator)
        self.step_maker = StepMaker(networks, self.losses, self.hardware, self.processes)
        self.steps = self.step_maker.total = self.train.steps or math.inf
        self.exchange = Exchange(self.processes, self.hardware.device)
        self.terms_log = TermLog()
        self.rng = make_rng("run", self.train.seed)
        self.index = self.images = self.usual_length = 0
        self.prepared = False

    def run(self, batches: Iterable[dict[str, Tensor]], steps: int | None = None) -> dict[str, float]:
        """Train for `steps` training steps, by default `train.steps`, on dict batches, repeated when they end.

        Returns the mean of every loss term. Raises `Diverged` if a term was not finite, and `BadInput` without a number
        of steps.
        """
        steps = self.train.steps if steps is None else steps
        if steps is None:
            raise BadInput("the engine counts in steps: give train.steps instead of train.minutes")
        stream = cycle(batches)
        with resource_errors(self.train, own_batches=True):
            for _ in range(steps):
                self.step(stream)
        return self.metrics()

    @property
    def batches_per_step(self) -> int:
        """Real batches in a training step: one for each turn of the discriminator; one if no loss trains it."""
        return self.train.critic_steps if "discriminator" in self.trained_sides else 1

    def step(self, batches: Iterator[dict[str, Tensor]]) -> None:
        """Play one training step."""
        self.step_maker.total = self.steps
        for _ in range(self.batches_per_step):
            with self.profile_part("data"):
                batch = self.hardware.put(next_batch(batches))
            if not self.prepared:
                self.prepare(batch)
            self._turn("discriminator", batch)
            self.images += batch_length(batch) * self.processes.count
        self._turn("generator", batch)
        self._update_average()
        self.index += 1

    def _turn(self, side: str, batch: dict[str, Tensor]) -> None:
        """Update one side with the losses that are due; without a due loss for it, skip the turn."""
        player = self.players[side]
        due = [use for use in self.losses if use.is_due(self.index, player.turns)]
        for use in due:
            if use.varies:
                use.follow(self.index, self.steps)
        player.turns += 1
        if not any(use.has_terms_for(side) for use in due):
            return
        with self.players[OPPONENT[side]].freeze():
            with small_batch_errors(batch_length(batch), self.usual_length, self.train.accumulate):
                step, terms = self._compute_gradients(player, batch, due)
            if self.processes.count > 1:
                with self.profile_part(f"{side} exchange"):
                    facts = fingerprint(batch_length(batch), terms, self.rng)
                    self.exchange.average(player.parameters, terms, facts)
            with self.profile_part(f"{side} optimizer"):
                player.update(self.index, self.steps)
            with self.profile_part("log"):
                self._log(step, due, terms)

    def _compute_gradients(
        self, player: Player, batch: dict[str, Tensor], due: list[Scheduled]
    ) -> tuple[Step, list[dict[str, Tensor]]]:
        """Add up the gradients of all parts of the batch (`train.accumulate`).

        Returns the `Step` of the whole turn, and the terms of each due loss: detached, averaged over the parts.
        """
        parts, side, steps, collected = self.train.accumulate, player.side, list[Step](), []
        latent = self.step_maker.latent(batch, self.rng, parts)
        for part in range(parts):
            data = split_batch(batch, part, parts), split_batch(latent, part, parts)
            step = self.step_maker.make(side, self.index, *data, self.rng, due)
            # What they have computed is kept only for `Loss.after`: it takes memory.
            steps = [*steps, step] if parts > 1 and any(use.overrides("after") for use in due) else [step]
            with self.profile_part(f"{side} forward"), self.hardware.one_forward():
                terms = [use.terms(step) for use in due]
            weighted = [term for use, own in zip(due, terms, strict=True) for term in use.weigh(own, parts)]
            if not weighted or not player.parameters:
                raise no_gradient(side, self.index, due, terms)
            with self.profile_part(f"{side} backward"):
                call_plugin(f"the {side}'s backward pass", torch.autograd.backward, player.scaler.scale(weighted))
            # Cloned, since a term may be a buffer or a parameter, which changes later.
            collected.append([{name: term.detach().clone() for name, term in own.items()} for own in terms])
        whole = WholeTurn(steps, batch, latent) if len(steps) > 1 else step
        return whole, [mean_terms(use.name, own) for use, *own in zip(due, *collected, strict=True)]

    @torch.no_grad()
    def _log(self, step: Step, due: list[Scheduled], terms: list[dict[str, Tensor]]) -> None:
        """Record the terms, as "turn/loss/term", and show each loss its own."""
        by_loss = list(zip(due, terms, strict=True))
        named = {f"{step.turn}/{use.name}/{name}": term for use, own in by_loss for name, term in own.items()}
        self.terms_log.add(self.index, named)
        for use, own in by_loss:
            use.call("after", step, own)

    def _update_average(self) -> None:
        decay = self.average.decay_after(self.index, self.steps)
        if decay is not None:
            with self.profile_part("average"):
                self.processes.broadcast(self.generator.buffers())
                self.average.update(self.generator, decay)

    @property
    def ema(self) -> Generator:
        """The averaged generator, in `eval()`; if `train.ema` is 0, a copy of the generator as it is now."""
        if not self.train.ema:
            self.average.update(self.generator, decay=0.0)
        return self.average.network

    def metrics(self, keep: bool = False) -> dict[str, float]:
        """Return the mean of every term since the last call, as {"turn/loss/term": mean}; waits for the device.

        With `keep` the next call includes these terms again. Raises `Diverged` if a term was not finite.
        """
        self.terms_log.check()
        means = self.terms_log.means()
        if not keep:
            self.terms_log = TermLog()
        return means

    def check(self) -> None:
        """Raise `Diverged` if a term since the last `metrics` or a weight is not finite, or a buffer has a NaN.

        If one of several processes fails this check, all raise. Buffers of the networks then become those of rank 0.
        Raises `BadInput` if the processes no longer play the same game.
        """
        with self.processes.raise_on_all_ranks():
            self.exchange.check()
            self.terms_log.check()
            check_finite((self.generator, self.discriminator), [use.loss for use in self.losses], self.index)
        self.processes.broadcast((*self.generator.buffers(), *self.discriminator.buffers()))

    @contextmanager
    def observe(self, batch: dict[str, Tensor]) -> Iterator[Step]:
        """Yield a turn of the discriminator that is not played: afterwards everything is as it was before.

        Its latents are the same each time, its views those of the losses that have begun and not ended. The networks
        are in the mode in which they are trained.
        """
        modules = (self.generator, self.discriminator, *(use.loss for use in self.losses))
        part = self._first_part(batch)
        with self.hardware.preserve_random_state(), preserve_buffers(modules), self.hardware.one_forward():
            in_time = [use for use in self.losses if use.is_due(self.index, 0)]
            yield self.step_maker.rehearsal("discriminator", self.index, part, losses=in_time)

    def prepare(self, batch: dict[str, Tensor]) -> None:
        """Check that data, networks and losses fit together, and choose the precision; `step` does it before the first.

        Draws nothing from the run's random generator and leaves the networks as they are; of several processes, all
        begin with the networks of rank 0. Raises `BadInput` for what cannot work.
        """
        with self.processes.raise_on_all_ranks():
            part = self._first_part(batch)
            self.usual_length = batch_length(batch)
            with small_batch_errors(self.usual_length, self.usual_length, self.train.accumulate):
                self._check_and_rehearse(part)
        self.hardware.precision = self.processes.broadcast_object(self.hardware.precision)
        networks = (self.generator, self.discriminator, self.average.network)
        weights = [weight for network in networks for weight in (*network.parameters(), *network.buffers())]
        self.processes.broadcast([*weights, *(weight for use in self.losses for weight in use.loss.parameters())])
        if self._syncs_batch_norm:  # after the rehearsal: if it failed in one process, the others would wait for it
            self.hardware.sync_batch_norm(self.generator)
            self.hardware.sync_batch_norm(self.discriminator)
        self.prepared = True

    def _check_and_rehearse(self, part: dict[str, Tensor]) -> None:
        networks = (self.generator, self.discriminator)
        with self.hardware.preserve_random_state():
            with torch.no_grad(), eval_mode(networks):
                check_fit(step := self.step_maker.rehearsal("discriminator", self.index, part))
            self.step_maker.set_up(self.losses, step)
        self.hardware.rehearse(partial(self.step_maker.play_rehearsal, self.index, part), *networks)
        self.step_maker.warn_untrained(self.trained_sides)
        self.players = self._make_players()  # again, since layers may have been frozen meanwhile

    def profile_part(self, part: str) -> AbstractContextManager[Any]:
        """Return a context whose time a profile shows under the name of this part of the training step."""
        return record_function(PROFILE_PREFIX + part) if self.train.profile else nullcontext()

    @property
    def _syncs_batch_norm(self) -> bool:
        return self.train.sync_batch_norm and self.processes.count > 1

    def _make_players(self) -> dict[str, Player]:
        networks = {"discriminator": self.discriminator, "generator": self.generator}
        return {side: Player(side, networks[side], self.optimizer.side(side), self.hardware.scaler()) for side in SIDES}

    def _first_part(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the part of a batch that one forward pass takes, on the device."""
        return split_batch(self.hardware.put(check_batch(batch)), 0, self.train.accumulate)
