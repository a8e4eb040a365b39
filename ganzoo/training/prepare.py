"""Prepare a training: turn a recipe into an engine, data and callbacks, ready for the first step."""

import itertools
import logging
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ganzoo._faults import call_plugin
from ganzoo._numbers import short_size
from ganzoo._seeds import seed_of
from ganzoo.data.base import Data
from ganzoo.data.sources import Source, open_data
from ganzoo.engine.checks import resource_errors
from ganzoo.engine.loop import Engine
from ganzoo.engine.processes import Processes
from ganzoo.engine.scheduled import check_something_trained, trained_sides
from ganzoo.errors import BadInput, NoLabels
from ganzoo.evaluation.independence import find_pretrained, read_pretrained
from ganzoo.layers.conditions import MissingLabels
from ganzoo.pictures.decode import CHANNEL_NAMES
from ganzoo.plugins.datasets import find_data
from ganzoo.recipe.build import ResolvedRecipe, complete, resolve, seen_facts
from ganzoo.recipe.datasets import data_schema, load_data_class
from ganzoo.recipe.given import Given, LossLike, NetworkLike, name_given
from ganzoo.recipe.lookup import NOTHING
from ganzoo.recipe.recipe import Recipe
from ganzoo.training.callbacks import Callback, CallbackList
from ganzoo.training.display.profiler import Profiler
from ganzoo.training.display.tensorboard import TensorBoard
from ganzoo.training.display.trackio import Trackio
from ganzoo.training.housekeeping import Checkpoints, CollapseWarning, Curves, Measurement, MetricsLog, Pictures
from ganzoo.training.pinning import find_data_plugin, make_absolute, pin_data
from ganzoo.training.runs import snapshot
from ganzoo.training.trainer import Prepared
from ganzoo.training.watch.monitor import Monitor
from ganzoo.training.watch.samples import FixedSamples, find_needed
from ganzoo.training.watch.seen import SeenPictures
from ganzoo.zoo.config import CheckedData
from ganzoo.zoo.initial import InitialWeights
from ganzoo.zoo.inputs import find_labels
from ganzoo.zoo.references import OnHub, parse
from ganzoo.zoo.resolve import resolve_model

logger = logging.getLogger("ganzoo")


@dataclass(frozen=True)
class Plan:
    """The plan of a training: a complete recipe with its classes, the data, the device, and further callbacks.

    `display` are those that show the progress, `callbacks` the user's own.
    """

    resolved: ResolvedRecipe
    data: Data
    device: str
    display: Sequence[Callback] = ()
    callbacks: Sequence[Callback] = ()

    @property
    def recipe(self) -> Recipe:
        """The complete recipe."""
        return self.resolved.recipe

    def replace(self, **overrides: Any) -> "Plan":
        """Return a plan with changes in its recipe, none of which may name another class."""
        return replace(self, resolved=replace(self.resolved, recipe=self.recipe.replace(**overrides)))


def add_given(
    overrides: Mapping[str, Any],
    losses: Iterable[LossLike] | LossLike | None,
    generator: NetworkLike | None,
    discriminator: NetworkLike | None,
) -> tuple[dict[str, Any], Given]:
    """Return the overrides with the names of what Python code gives, and what these names stand for."""
    changes, given = name_given(losses, generator, discriminator)
    if "loss" in changes and "loss" in overrides:
        raise BadInput("give losses or loss, not both: losses replaces the recipe's, loss is the key of a recipe")
    return {**changes, **overrides}, given


def load_or_compose(recipe: str | Path | Mapping[str, Any] | Recipe | None, overrides: Mapping[str, Any]) -> Recipe:
    """Load a recipe, or make one of the networks and losses that are given without it."""
    if recipe is None and not any(key.split(".")[0] in ("architecture", "loss") for key in overrides):
        raise BadInput("nothing to train: give a recipe, or resume=True with the folder of a run as out")
    return Recipe.load({} if recipe is None else recipe, **overrides)


def make_plan(
    recipe: Recipe,
    batches: Source | None,
    device: str,
    display: Sequence[Callback],
    callbacks: Sequence[Callback],
    given: Given = NOTHING,
) -> Plan:
    """Open the data, and complete the recipe with all options and everything that depends on the data."""
    data = open_recipe_data(recipe, batches)
    resolved = resolve(recipe, pin_data(recipe, batches, data), Callback, given, data.facts)
    resolved = replace(resolved, data=find_data_plugin(recipe) if batches is None else None)
    plan = Plan(resolved, data, device, display, callbacks)
    return plan.replace(**convert_epochs(resolved, data))


def prepare(plan: Plan, state: snapshot.State | None = None) -> Prepared:
    """Bring networks, losses and data together, at the beginning or at a checkpoint."""
    settings, data = plan.recipe.train, plan.data
    with resource_errors(settings, own_batches=plan.recipe.data.from_python), say_why_unlabelled(data):
        torch.manual_seed(settings.seed)
        engine, inherited = make_engine(plan, fresh=state is None)
        seen = find_seen(engine, state, inherited.pretrained)
        init_license = state.numbers.get("init_license", "") if state else inherited.license
        processes = engine.processes
        with processes.raise_on_all_ranks(), engine.hardware.preserve_random_state():
            generator = engine.generator
            labels = find_labels(generator, data.specs)
            monitor = Monitor(data, settings, find_needed(generator), generator.makes, seen, labels)
        shard = partial(processes.shard, parts=settings.accumulate)
        with processes.raise_on_all_ranks():
            used = state.numbers["images"] if state else 0
            readers = data.to(engine.hardware.device).batches(settings.batch, settings.seed, used, shard)
            first = call_plugin("the data", next, readers)
        engine.prepare(first)
        if processes.rank:  # or dropout would drop the same units in all processes
            torch.manual_seed(seed_of("process", settings.seed, processes.rank))
        with processes.raise_on_all_ranks():
            samples = FixedSamples(engine, data, settings.seed)
            callbacks = make_callbacks(plan, engine)
            if state:
                snapshot.restore(engine, state)
                monitor.restore(state.numbers)
        if settings.precision != engine.hardware.precision:
            plan = plan.replace(train={"precision": engine.hardware.precision})
        batches = itertools.chain([first], readers)
        measures = state.numbers["measured"] if state else {}
        seconds = state.numbers.get("seconds", 0.0) if state else 0.0
        return Prepared(
            plan.resolved,
            data,
            engine,
            readers,
            batches,
            monitor,
            samples,
            callbacks,
            measures,
            seconds,
            seen,
            init_license,
        )


@dataclass(frozen=True)
class Inherited:
    """What a training has of the model that it began with: the pretrained networks that were seen, and the licence."""

    pretrained: Collection[str] = ()
    license: str = ""


def find_seen(engine: Engine, state: snapshot.State | None, inherited: Collection[str]) -> list[str]:
    """Return the pretrained networks that a training has seen: its own, those before a checkpoint, those of an init."""
    before = state.numbers.get("pretrained", []) if state else inherited
    losses = [use.loss for use in engine.losses]
    return sorted({*find_pretrained([engine.generator, engine.discriminator, *losses]), *before})


@contextmanager
def say_why_unlabelled(data: Data) -> Iterator[None]:
    """Add to an error about missing labels why these data have none."""
    try:
        yield
    except BadInput as error:
        told = isinstance(error.__cause__, MissingLabels)  # what labels can be is in its sentence
        if not (data.unlabelled and (told or isinstance(error, NoLabels))):
            raise
        what = "" if told else "sub-folders of a folder of images become classes; "
        raise error.append(f"{what}here {data.unlabelled}") from None


def make_engine(plan: Plan, fresh: bool) -> tuple[Engine, Inherited]:
    """Build networks and losses. If the training is `fresh`, the networks begin with what fits of `train.init`.

    Returns what the training has of that model, too.
    """
    resolved, settings, facts = plan.resolved, plan.recipe.train, plan.data.facts
    with Processes().raise_on_all_ranks():
        initial = InitialWeights(settings.init) if fresh and settings.init else None
        losses = resolved.make_losses()
        known = {"generator": facts, "discriminator": seen_facts(facts, losses)}
        networks: dict[str, Any] = {}
        for side in known:
            networks[side] = resolved.architecture[side].make(**known[side])
            if initial:
                initial.give(side, networks[side])
        if initial:
            initial.tell()
            for side in networks:
                initial.check_frozen(side, plan.recipe.optimizer.side(side).parts)
        check_something_trained(losses, settings.steps, settings.keep_discriminator)
        inherited = Inherited(read_pretrained(initial.model.config), initial.find_license()) if initial else Inherited()
    engine = Engine(**networks, losses=losses, train=settings, optimizer=plan.recipe.optimizer, device=plan.device)
    return engine, inherited


def make_callbacks(plan: Plan, engine: Engine) -> CallbackList:
    """Return the callbacks of a training in the order in which they are called.

    These are the progress display, trackers and the profiler; collapse warning and measurement; those that the
    recipe names and those of `ganzoo.train(callbacks=...)`; log, pictures, curves and, at the end, checkpoints.
    """
    settings, data = plan.recipe.train, plan.data
    shown: list[Callback] = [*plan.display]
    if engine.processes.first:
        chosen = {TensorBoard: settings.tensorboard, Trackio: settings.trackio, Profiler: settings.profile}
        shown += [make() for make, wanted in chosen.items() if wanted]  # making one imports what it needs
    with engine.hardware.preserve_random_state():
        own = [found.make() for found in plan.resolved.callbacks]
    before, after = [CollapseWarning(engine, data), Measurement()], [MetricsLog(), Pictures(data, settings.seed)]
    seen = [SeenPictures(engine, data)] if settings.show_augmented else []
    return CallbackList([*shown, *before, *own, *plan.callbacks, *after, *seen, Curves(), Checkpoints()], engine)


def open_recipe_data(recipe: Recipe, batches: Source | None) -> Data:
    """Open the data that a recipe names, or the batches that Python code passes in."""
    wanted = recipe.data
    if batches is None and wanted.from_python:
        folder = "; the folder here is written ./batches" * Path(wanted.name).is_dir()
        raise BadInput(
            f"this recipe learns from batches that Python code gives: call ganzoo.train(..., data=batches){folder}"
        )
    return call_plugin(
        "the data",
        open_data,
        wanted.name if batches is None else batches,
        global_seed=recipe.train.seed,
        **wanted.model_dump(include={"classes", "broken", "workers", "holdout"}),
        **wanted.options(),
    )


def check_runs(recipes: Iterable[Recipe]) -> None:
    """Check every word of every run before the first begins, and open all their data. Raises `BadInput`."""
    opened: list[Any] = []
    for recipe in recipes:
        complete(recipe)
        if recipe.data not in opened:
            open_recipe_data(recipe, None)
            opened.append(recipe.data)


def resolve_init(recipe: Recipe, batches: Source | None) -> Recipe:
    """Return a recipe whose `train.init`, if it has one, names the same pretrained generator from any folder.

    The data then get the size and the channels of the generator's images, each unless the recipe sets it.
    """
    if recipe.train.init is None:
        return recipe
    reference = parse(recipe.train.init)
    local = resolve_model(reference)
    changes: dict[str, Any] = {}
    if isinstance(reference, OnHub):
        changes["train.init"] = f"hub:{reference.repository}@{local.folder.name}"
    elif isinstance(reference, Path):
        changes["train.init"] = make_absolute(recipe.train.init)
    if batches is None:
        changes |= fit_data(recipe, local.config.data)
    return recipe.replace(**changes)


def fit_data(recipe: Recipe, learnt: CheckedData) -> dict[str, Any]:
    """Return the changes with which the data get the size and channels that a generator makes, and log them."""
    shape = learnt.shape if learnt.kind == "image" else None
    if not shape or shape[0] not in CHANNEL_NAMES:
        return {}
    channels, height, width = shape
    fitted = {"size": short_size(height, width), "channels": channels}
    words = {"size": f"{height} x {width}", "channels": CHANNEL_NAMES[channels]}
    taken = data_schema(load_data_class(find_data(recipe.data.name)[0])).model_fields
    missing = {key: value for key, value in fitted.items() if key in taken and getattr(recipe.data, key) is None}
    if missing and recipe.data.name != learnt.name:
        become = " in ".join(words[key] for key in missing)
        logger.info("the images become %s, as '%s' draws them", become, recipe.train.init)
    return {f"data.{key}": value for key, value in missing.items()}


def convert_epochs(resolved: ResolvedRecipe, data: Data) -> dict[str, Any]:
    """Return the change that converts a recipe's epochs over these data into steps, if it has epochs."""
    train = resolved.recipe.train
    if train.epochs is None:
        return {}
    if data.count is None:
        raise BadInput("train.epochs needs data of known length; give train.steps instead")
    # The losses are made for that only where it matters: some have networks of their own.
    one_batch = train.critic_steps == 1 or "discriminator" not in trained_sides(resolved.make_losses())
    batches_per_step = 1 if one_batch else train.critic_steps
    return {"train.steps": math.ceil(train.epochs * data.count / (train.batch * batches_per_step))}
