"""Train by a recipe: start a run or resume one, and roll back to its last checkpoint if it diverges."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganzoo._io import check_utf8
from ganzoo.data.sources import Source, to_name
from ganzoo.engine.checks import resource_errors
from ganzoo.engine.loop import Engine
from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput, Diverged, Failed, Interrupted
from ganzoo.recipe.build import complete
from ganzoo.recipe.given import Given, LossLike, NetworkLike
from ganzoo.recipe.recipe import Recipe, prefer_in
from ganzoo.training.agreement import check_agreement, hold_run, list_facts
from ganzoo.training.callbacks import Callback, describe_callbacks
from ganzoo.training.display.progress import show_progress, warn_of_progress
from ganzoo.training.launch import connect_processes
from ganzoo.training.naming import check_is_recipe
from ganzoo.training.prepare import Plan, add_given, load_or_compose, make_plan, prepare, resolve_init
from ganzoo.training.resume import (
    MAX_ROLLBACKS,
    check_code_exists,
    check_data_exists,
    check_same_architecture,
    check_same_code,
    check_same_facts,
    check_same_holdout,
    check_same_init,
    check_same_range,
    count_rollbacks,
    follow_moved,
    keep_all_classes,
    keep_reading,
    note_other_files,
)
from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.code import keep_code, list_versions, remember_generator
from ganzoo.training.runs.folders import must_remove
from ganzoo.training.runs.lost import check_nothing_lost
from ganzoo.training.runs.run import Run
from ganzoo.training.runs.snapshot import State
from ganzoo.training.threads import train_alone
from ganzoo.training.trainer import Trainer
from ganzoo.training.watch.monitor import describe_patience, is_out_of_patience
from ganzoo.zoo.model import Model

logger = logging.getLogger("ganzoo")


def train(
    recipe: str | Path | Mapping[str, Any] | Recipe | None = None,
    data: Source | None = None,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    *,
    init: str | os.PathLike[str] | Model | None = None,
    resume: bool = False,
    overwrite: bool = False,
    losses: Iterable[LossLike] | LossLike | None = None,
    generator: NetworkLike | None = None,
    discriminator: NetworkLike | None = None,
    callbacks: Sequence[Callback] = (),
    quiet: bool = False,
    progress: Any = None,
    **overrides: Any,
) -> Run:
    """Train by a recipe (its name, file, content or object) and return the run.

    `data` replaces the recipe's: a name, a folder of images, which a `Path` always is, or any iterable of dict batches.
    `init` is a pretrained generator to begin with: a `Model`, or what `load` takes.
    `losses`, `generator` and `discriminator` replace those of the recipe: names, `"./nets.py:G"` for a class in a file,
    or your own classes and objects, as in `losses=[Mine(), "r1"]`. A class is built for the data and takes options in a
    table, `generator={"name": MyG, "width": 64}` or `losses=[{"name": Mine, "weight": 2}]`. Of an object a copy is
    trained, which begins with its weights. No recipe is needed where all three are given. To resume such a run, give
    the same classes and objects again.
    `out` is the run folder, by default `runs/NAME-001` counting up. `resume=True` continues the run in `out`; overrides
    such as `train={"steps": 5000}` change its recipe. `callbacks` are called between the steps, after those that the
    recipe names; give them again to a resumed training. `quiet` shows neither progress bar nor messages. Torch's global
    random generator is seeded with `train.seed`, so one process trains one thing at a time, and meanwhile no other
    thread of it may draw from that generator. `progress` is deprecated: an object with the methods say, start, step,
    log and stop, in place of the bar.
    Raises `BadInput` for a request that cannot work, `Diverged` for non-finite numbers, `Failed` if a plugin, a
    callback or the data fail, and `Interrupted` after Ctrl-C; what was saved stays.
    """
    if progress is not None:
        warn_of_progress()
    if init is not None:
        overrides = {**overrides, "train.init": init.reference if isinstance(init, Model) else init}
    if isinstance(data, str | os.PathLike):
        overrides, data = {**overrides, "data.name": to_name(data)}, None
    if out is not None:
        check_utf8("the folder of the run", out)
    with (
        connect_processes() as processes,
        train_alone(processes),
        show_progress(processes.first, quiet, progress) as display,
    ):
        with processes.raise_on_all_ranks():
            callbacks = check_callbacks(callbacks)
            overrides, given = add_given(overrides, losses, generator, discriminator)
        if resume:
            return resume_run(recipe, data, out, device, display, callbacks, overrides, given, processes)
        with processes.raise_on_all_ranks():
            if isinstance(recipe, str):
                check_is_recipe(recipe)
            if out is not None and processes.first:
                must_remove(out, overwrite)  # before anything that takes time
            begun = resolve_init(load_or_compose(recipe, overrides), data)
            plan = make_plan(begun, data, device, display, callbacks, given)
        check_agreement(processes, plan.recipe, {"--out": str(out), **list_plan_facts(plan)})
        trainer = begin_run(plan, out, overwrite, processes)
        with hold_run(trainer.run, processes, new=True):
            note_code(trainer)
            trainer.record("begun")
            return play(plan, trainer)


def list_plan_facts(plan: Plan, state: State | None = None) -> dict[str, Any]:
    """Return the facts beside the recipe that all processes must have in common before they train."""
    versions = list_versions(plan.resolved.registrations)
    return {"callbacks": describe_callbacks(plan.callbacks), **versions, **list_facts(plan.data, state)}


def note_code(trainer: Trainer) -> None:
    """Keep the code of a run that no plugin brings, as far as that is possible."""
    trainer.on_first_rank(keep_code, trainer.run, trainer.resolved.registrations)
    remember_generator(trainer.run, trainer.resolved.architecture.generator.registration)


def check_callbacks(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return the callbacks as a list. Raises `BadInput` for anything but `ganzoo.Callback` objects."""
    if not isinstance(callbacks, Iterable):
        raise BadInput(f"callbacks is a list of ganzoo.Callback objects, got {callbacks!r}")
    found = list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            raise BadInput(f"a callback is a ganzoo.Callback object, got {callback!r}")
    return found


def begin_run(plan: Plan, out: str | os.PathLike[str] | None, overwrite: bool, processes: Processes) -> Trainer:
    """Prepare a training and, if that succeeds, make a folder for its run."""
    prepared = prepare(plan)
    with processes.raise_on_all_ranks():
        run = Run.create(prepared.recipe, out, overwrite) if processes.first else None
    return Trainer(prepared, Run(processes.broadcast_object(str(run.path) if run else "")))


def resume_run(
    recipe: str | Path | Mapping[str, Any] | Recipe | None,
    data: Source | None,
    out: str | os.PathLike[str] | None,
    device: str,
    display: Sequence[Callback],
    callbacks: Sequence[Callback],
    overrides: Mapping[str, Any],
    given: Given,
    processes: Processes,
) -> Run:
    """Continue the run in `out`. With the same settings, it ends as if it had never been interrupted."""
    with processes.raise_on_all_ranks():
        if out is None:
            raise BadInput("resume=True needs the folder of a run as out")
        run = Run.open(out)
    with hold_run(run, processes):
        with processes.raise_on_all_ranks():
            state, old = newest_state(run), run.recipe
            facts = state.numbers["facts"] if state else {}
            new = Recipe.load(old if recipe is None else recipe, **keep_reading(facts, old, overrides))
            check_same_init(old, new)
            check_same_holdout(old, new)
        check_agreement(processes, new, list_facts(None, state))
        with processes.raise_on_all_ranks():
            if state and is_finished(run, state, new):
                return run
            if data is None:
                check_data_exists(new)
            check_code_exists(new, run.path)
            plan = make_plan(new, data, device, display, callbacks, given)
            used = [each.distribution for each in plan.resolved.registrations]
            # Losses and callbacks may change, and what made the old ones need not be there any more.
            old = follow_moved(
                prefer_in(old.replace(callback=[], loss=plan.recipe.written_out()["loss"]), used), plan.recipe
            )
            check_same_code(old, plan.recipe)
            check_same_architecture(complete(old, given, plan.data.facts), plan.recipe)
            if state:
                check_same_facts(facts, plan.data.facts, plan.resolved.architecture)
                known = state.numbers.get("data", {})
                keep_all_classes(plan.data, known, run, plan.resolved.architecture)
                check_same_range(new, plan.data, known)
                note_other_files(plan.data, known)
                if is_finished(run, state, plan.recipe):
                    return run
        check_agreement(processes, plan.recipe, list_plan_facts(plan, state))
        trainer = Trainer(prepare(plan, state), run)
        note_code(trainer)
        trainer.record("resumed")
        return play(plan, trainer)


def newest_state(run: Run) -> State | None:
    """Read the newest intact checkpoint of a run, and log damaged ones; None if there is no checkpoint yet.

    Raises `BadInput` if none is intact, or if there were checkpoints and are none any more.
    """
    if not checkpoint.list_checkpoints(run.checkpoints):
        check_nothing_lost(run)
        logger.info("%s has no checkpoint yet; starting from the beginning", run.path)
        return None
    state, notes = checkpoint.read_newest(run.checkpoints)
    for note in notes:
        logger.warning("%s", note)
    return state


def is_finished(run: Run, state: State, recipe: Recipe) -> bool:
    """Return True if there is nothing left to train, and log how to continue."""
    index, patience = state.numbers["index"], recipe.train.patience
    done = f"{run.path} is finished: it was trained for {index} steps"
    if recipe.train.steps is not None and index >= recipe.train.steps:
        if index > recipe.train.steps:
            done += f", more than the {recipe.train.steps} of train.steps, and a run does not go back"
        logger.info("%s; to continue, give it more steps: -o train.steps=%s", done, 2 * index)
        return True
    minutes, seconds = recipe.train.minutes, state.numbers.get("seconds", 0.0)
    if minutes is not None and seconds >= 60 * minutes:
        logger.info(
            "%s in %.3g minutes; to continue, give it more: -o train.minutes=%g", done, seconds / 60, 2 * minutes
        )
        return True
    if is_out_of_patience(state.numbers, patience):
        more = f"-o train.patience={2 * patience}, or 0 for no limit"
        logger.info("%s, and %s; to continue, give it more patience: %s", done, describe_patience(state.numbers), more)
        return True
    return False


def play(plan: Plan, trainer: Trainer) -> Run:
    """Train to the end; roll back to the last checkpoint if the training diverges and the recipe allows it."""
    run = trainer.run
    while True:
        try:
            with resource_errors(trainer.settings, own_batches=trainer.recipe.data.from_python):
                trainer.train()
            return run
        except Diverged as error:
            reason = str(error)
            check_rollback(trainer, error)
        except (BadInput, Failed) as error:
            trainer.record_failure(error)
            raise error.append(run.describe_resume_point()) from error
        trainer = roll_back(plan, trainer, reason)


def check_rollback(trainer: Trainer, error: Diverged) -> None:
    """Raise the error that ends a diverged training, unless it may roll back."""
    run, processes = trainer.run, trainer.processes
    if number := processes.all_max(trainer.stop_request.signal_number):
        sentence = f"stopped; {error}; {run.describe_resume_point()}"
        raise Interrupted(sentence, number, reported_by_me=processes.first) from error
    rollbacks = ""
    if trainer.settings.on_nonfinite == "rollback":
        if processes.broadcast_object(count_rollbacks(run.history)) < MAX_ROLLBACKS:
            return
        rollbacks = f", also after {MAX_ROLLBACKS} rollbacks"
    trainer.record("diverged", reason=f"{error}{rollbacks}")
    raise Diverged(f"{error}{rollbacks}; {run.describe_resume_point()}", reported_by_me=error.reported_by_me) from error


def roll_back(plan: Plan, trainer: Trainer, reason: str) -> Trainer:
    """Return the training as it was at the last checkpoint, with another seed from there on."""
    last_step, run, processes = trainer.step, trainer.run, trainer.processes
    seed = trainer.settings.seed + 1
    plan = replace(plan, resolved=trainer.resolved).replace(train={"seed": seed})
    release(trainer.engine)
    logger.info("%s; going back to the last checkpoint", reason)
    with processes.raise_on_all_ranks():
        state = newest_state(run)
    check_agreement(processes, plan.recipe, list_facts(plan.data, state))
    trainer = Trainer(prepare(plan, state), run)
    trainer.record("rolled back", came_to=last_step, reason=reason)
    return trainer


def release(engine: Engine) -> None:
    """Free the memory of an engine's networks, averages and optimizers for the next one."""
    for network in (engine.generator, engine.discriminator, engine.ema):
        for tensor in (*network.parameters(), *network.buffers()):
            # In place, since the optimizers hold the parameters too.
            tensor.data, tensor.grad = tensor.new_empty(0), None
    for player in engine.players.values():
        player.optimizer.state.clear()
