"""Training by recipe: a new run, or one that goes on, and how either ends."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from ganzoo.data.base import Data
from ganzoo.data.batches import Batches
from ganzoo.engine.checks import resource_errors
from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput, Diverged, Failed, Interrupted
from ganzoo.recipe import build
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.training import checkpoint, resume
from ganzoo.training.launch import connect_processes
from ganzoo.training.monitor import describe_patience, out_of_patience
from ganzoo.training.prepare import Source, epochs_to_steps, open_recipe_data, with_absolute_data, with_init
from ganzoo.training.progress import Bar, Silence
from ganzoo.training.run import Run, must_remove
from ganzoo.training.trainer import Trainer


def train(
    recipe: str | Path | Mapping[str, Any] | Recipe | None = None,
    data: Source | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Silence | None = None,
    **overrides: Any,
) -> Run:
    """Train by a recipe (its name, file, content or object) and return the run.

    `data` replaces the recipe's: a name, a folder of images, or any iterable of dict batches. `out` is the run folder,
    by default `runs/NAME-001` counting up. `resume=True` continues the run in `out`; overrides such as
    `train={"steps": 5000}` change its recipe. Torch's global random generator is seeded with `train.seed`.
    Raises `BadInput` for what cannot work, `Diverged` for non-finite numbers, `Failed` where a plugin or the data
    break down, and `Interrupted` after Ctrl-C; what was saved stays.
    """
    if isinstance(data, str | Path):
        overrides, data = {**overrides, "data.name": str(data)}, None
    with connect_processes() as processes:
        progress = (progress or Bar()) if processes.first else Silence()
        if resume:
            return resume_run(recipe, data, out, device, progress, overrides, processes)
        with processes.raise_on_all_ranks():
            if recipe is None:
                raise BadInput("say what to train: a recipe, or with resume=True a run in out")
            if out is not None and processes.first:
                must_remove(out, overwrite)  # before anything that takes time
            wanted = with_init(Recipe.load(recipe, **overrides), data)
            complete, opened_data = open_training_data(wanted, data)
        check_agreement(processes, complete, {"--out": str(out), **facts_of(opened_data)})
        trainer = prepare_trainer(complete, opened_data, device, progress)
        with processes.raise_on_all_ranks():
            run = Run.create(trainer.recipe, out, overwrite) if processes.first else None
        run = Run(processes.broadcast_object(str(run.path) if run else ""))
        with hold_run(run, processes, new=True):
            trainer.record(run, "begun")
            return play(trainer, run)


def resume_run(
    recipe: str | Path | Mapping[str, Any] | Recipe | None,
    data: Source | None,
    out: str | Path | None,
    device: str,
    progress: Silence,
    overrides: Mapping[str, Any],
    processes: Processes,
) -> Run:
    """Continue the run in `out`: with the same settings as if nothing had happened, or with what is changed."""
    with processes.raise_on_all_ranks():
        if out is None:
            raise BadInput("resume=True needs the folder of a run: out=...")
        run = Run.open(out)
    with hold_run(run, processes):
        with processes.raise_on_all_ranks():
            state, old = newest_state(run, progress), run.recipe
            facts = state.numbers["facts"] if state else {}
            new = Recipe.load(old if recipe is None else recipe, **resume.in_the_shape_of(facts, overrides))
            resume.check_beginning(old, new)
        check_agreement(processes, new, facts_of(None, state))
        with processes.raise_on_all_ranks():
            if state and is_finished(run, state, new, progress):
                return run
            if data is None:
                resume.check_data_is_here(new)
            new, opened_data = open_training_data(new, data)
            resume.check_architecture(build.complete(old), new)
            if state:
                resume.check_shape(facts, opened_data.facts)
                if is_finished(run, state, new, progress):
                    return run
        check_agreement(processes, new, facts_of(opened_data, state))
        trainer = prepare_trainer(new, opened_data, device, progress, state)
        trainer.record(run, "resumed")
        return play(trainer, run)


@contextmanager
def hold_run(run: Run, processes: Processes, new: bool = False) -> Iterator[None]:
    """A run, perhaps a `new` one, while this training works in it.

    Raises `BadInput` where another one does, or a process cannot see it.
    """
    with ExitStack() as stack:
        with processes.raise_on_all_ranks():
            if processes.first:
                stack.enter_context(run.locked())
        if processes.count > 1:
            check_folder(run, processes, new)
        yield


def check_folder(run: Run, processes: Processes, new: bool) -> None:
    """Raise `BadInput` where a process cannot see the run's folder; a new one is then empty again."""
    word = processes.broadcast_object(secrets.token_hex())
    with processes.raise_on_all_ranks():
        if processes.first:
            run.leave(word)
    try:
        with processes.raise_on_all_ranks():
            run.find(word)
    except BadInput:
        if processes.first and new:
            run.clear()
        raise
    finally:
        if processes.first:
            run.leave(None)


def check_agreement(processes: Processes, recipe: Recipe, facts: Mapping[str, Any]) -> None:
    """Raise `BadInput` where the processes would not train the same, or cannot share a batch equally."""
    everyone = processes.all_gather((recipe.written_out(), facts))
    with processes.raise_on_all_ranks():
        first, found = everyone[0]
        for rank, (other, there) in enumerate(everyone):
            facts_apart = {key: [value, there[key]] for key, value in found.items() if value != there[key]}
            for path, (one, another) in (differences(first, other) | facts_apart).items():
                said = f"'{path}' is {one!r} in process 0 and {another!r} in process {rank}"
                raise BadInput(f"all processes must train by one recipe on the same data, but {said}")
        if not recipe.data.from_python:
            processes.check_shares(recipe.train.batch, recipe.train.accumulate, f"train.batch={recipe.train.batch}")


def facts_of(data: Data | None, state: checkpoint.State | None = None) -> dict[str, Any]:
    """What must be the same in all processes, beside the recipe."""
    facts = {key: data.facts.get(key) if data else None for key in ("image", "point", "classes")}
    facts["checksum of the first batch"] = data.checksum if isinstance(data, Batches) else None
    return {**facts, "samples": data.count if data else None, "step": state.numbers["index"] if state else 0}


def open_training_data(recipe: Recipe, batches: Source | None) -> tuple[Recipe, Data]:
    """The data that a training learns from, and its recipe with all that they settle written out."""
    data = open_recipe_data(recipe, batches)
    return build.complete(epochs_to_steps(with_absolute_data(recipe, batches, data), data)), data


def prepare_trainer(
    recipe: Recipe, data: Data, device: str, progress: Silence, state: checkpoint.State | None = None
) -> Trainer:
    """A trainer that is ready for its first step, or for the one after a checkpoint."""
    with resource_errors(recipe.train, own_batches=recipe.data.from_python):
        torch.manual_seed(recipe.train.seed)
        trainer = Trainer(recipe, data, device, progress, fresh=state is None)
        trainer.set_up(state)
        return trainer


def newest_state(run: Run, progress: Silence) -> checkpoint.State | None:
    """What a run was when last saved, None where it never was; damaged checkpoints are told of."""
    if not checkpoint.checkpoints(run.checkpoints):
        progress.say(f"{run.path} was not saved yet; it starts at the beginning")
        return None
    state, notes = checkpoint.read(run.checkpoints)
    for note in notes:
        progress.say(note)
    return state


def is_finished(run: Run, state: checkpoint.State, recipe: Recipe, progress: Silence) -> bool:
    """Whether there is nothing left to do, which is then said."""
    index, patience = state.numbers["index"], recipe.train.patience
    done = f"{run.path} is finished: it was trained for {index} steps"
    if recipe.train.steps is not None and index >= recipe.train.steps:
        progress.say(f"{done}; to go on, ask for more: -o train.steps={2 * index}")
        return True
    if out_of_patience(state.numbers, patience):
        more = f"-o train.patience={2 * patience}, or 0 for no end"
        progress.say(f"{done}, and {describe_patience(state.numbers)}; to go on, ask for more: {more}")
        return True
    return False


def play(trainer: Trainer, run: Run) -> Run:
    """Train to the end, going back to the last checkpoint where numbers are not finite and the recipe says so."""
    while True:
        try:
            with resource_errors(trainer.settings, own_batches=trainer.recipe.data.from_python):
                trainer.play(run)
            return run
        except Diverged as error:
            reason = str(error)
            check_rollback(trainer, run, error)
        except (BadInput, Failed) as error:
            raise error.append(run.what_is_left()) from error
        trainer = roll_back(trainer, run, reason)


def check_rollback(trainer: Trainer, run: Run, error: Diverged) -> None:
    """Whether a training that diverged may go back by itself; else raise what it ends with."""
    if number := trainer.processes.all_max(trainer.stopping.signal_number):
        said = f"stopped; {error}; {run.what_is_left()}"
        raise Interrupted(said, number, reported_by_me=trainer.processes.first) from error
    often = ""
    if trainer.settings.on_nonfinite == "rollback":
        if trainer.processes.broadcast_object(resume.rollbacks(run.history)) < resume.ROLLBACKS:
            return
        often = f", also after {resume.ROLLBACKS} rollbacks"
    raise Diverged(f"{error}{often}; {run.what_is_left()}", reported_by_me=error.reported_by_me) from error


def roll_back(trainer: Trainer, run: Run, reason: str) -> Trainer:
    """The training as it was at the last checkpoint, with another seed from there on."""
    came_to, data, progress = trainer.engine.index, trainer.data, trainer.progress
    device, processes = trainer.device, trainer.processes
    recipe = trainer.recipe.replace(train={"seed": trainer.recipe.train.seed + 1})
    del trainer.engine  # its memory is needed for the new one
    progress.say(f"{reason}; going back to the last checkpoint")
    with processes.raise_on_all_ranks():
        state = newest_state(run, progress)
    check_agreement(processes, recipe, facts_of(data, state))
    trainer = prepare_trainer(recipe, data, device, progress, state)
    trainer.record(run, "rolled back", came_to=came_to, reason=reason)
    return trainer
