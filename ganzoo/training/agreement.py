"""Hold the folder of a run, and check that all processes of a training see the same folder, recipe and data."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ganzoo.data.base import Data
from ganzoo.data.batches import Batches
from ganzoo.engine.processes import Processes
from ganzoo.errors import BadInput
from ganzoo.recipe.recipe import Recipe, differences
from ganzoo.training.runs.run import Run
from ganzoo.training.runs.snapshot import State


@contextmanager
def hold_run(run: Run, processes: Processes, new: bool = False) -> Iterator[None]:
    """Lock a run, perhaps a `new` one, for this training.

    Raises `BadInput` if another training holds it, or a process cannot see its folder.
    """
    with ExitStack() as stack:
        with processes.raise_on_all_ranks():
            if processes.first:
                stack.enter_context(run.locked())
        if processes.count > 1:
            check_folder(run, processes, new)
        yield


def check_folder(run: Run, processes: Processes, new: bool) -> None:
    """Raise `BadInput` if a process cannot see the run's folder; a new folder is then emptied."""
    word = processes.broadcast_object(secrets.token_hex())
    with processes.raise_on_all_ranks():
        if processes.first:
            run.write_marker(word)
    try:
        with processes.raise_on_all_ranks():
            run.wait_for_marker(word)
    except BadInput:
        if processes.first and new:
            run.clear()
        raise
    finally:
        if processes.first:
            run.write_marker(None)


def check_agreement(processes: Processes, recipe: Recipe, facts: Mapping[str, Any]) -> None:
    """Raise `BadInput` if the processes have different recipes or data, or cannot divide a batch equally."""
    if processes.count == 1:
        return
    everyone = processes.all_gather((recipe.written_out(), facts))
    with processes.raise_on_all_ranks():
        first, found = everyone[0]
        for rank, (other, there) in enumerate(everyone):
            keys = [*found, *(key for key in there if key not in found)]
            facts_apart = {key: [found.get(key), there.get(key)] for key in keys if found.get(key) != there.get(key)}
            for path, (one, another) in (differences(first, other) | facts_apart).items():
                difference = f"'{path}' is {one!r} in process 0 and {another!r} in process {rank}"
                raise BadInput(f"all processes must train by one recipe on the same data, but {difference}")
        if not recipe.data.from_python:
            processes.check_shares(recipe.train.batch, recipe.train.accumulate, f"train.batch={recipe.train.batch}")


def list_facts(data: Data | None, state: State | None = None) -> dict[str, Any]:
    """Return the facts beside the recipe that must be the same in all processes."""
    facts = data.facts if data else {}
    facts["hash of the file names"] = data.fingerprint if data else None
    facts["checksum of the first batch"] = data.checksum if isinstance(data, Batches) else None
    return {**facts, "samples": data.count if data else None, "step": state.numbers["index"] if state else 0}
