"""Tell a run that has no checkpoint yet from one whose checkpoints were removed, or lie on a disk that is missing."""

from contextlib import suppress

from ganzoo.errors import BadInput
from ganzoo.training.runs import checkpoint
from ganzoo.training.runs.log import last_step
from ganzoo.training.runs.run import Run
from ganzoo.zoo.local import LocalModel


def check_nothing_lost(run: Run) -> None:
    """Raise `BadInput` if a run without checkpoints had some: to start it again would overwrite what is left of it."""
    shown = list_steps(run)
    latest = max(shown, key=lambda name: shown[name])
    if shown[latest] > steps_without_checkpoint(run):
        raise BadInput(
            f"'{run.path}' was trained for {shown[latest]} steps, as its {latest} shows, but there is no checkpoint in "
            f"{run.checkpoints}; bring them back (are they on a disk that is not mounted?), or begin a new run"
        )


def list_steps(run: Run) -> dict[str, int]:
    """Return for each part of a run the last training step that it shows, 0 where it shows none."""
    folders = {"model": run.model_folder, "best": run.best_folder}
    found = dict.fromkeys(folders, 0)
    for name, folder in folders.items():
        with suppress(BadInput, FileNotFoundError):
            found[name] = LocalModel(folder).config.training.steps or 0
    log, history = run.path / "metrics.jsonl", run.path / "history.jsonl"
    return found | {log.name: last_step(log), history.name: last_step(history)}


def steps_without_checkpoint(run: Run) -> int:
    """Return the last training step that a run can show before its first checkpoint is complete."""
    if not run.checkpoints.exists():  # it is made together with the run
        return 0
    went_on = any(line["step"] for line in run.history if line.get("event") in ("resumed", "rolled back"))
    if went_on or (run.model_folder.exists() and not checkpoint.is_announced(run.checkpoints)):
        return 0  # both come after a checkpoint
    train = run.recipe.train
    return min(train.save_every, train.steps or train.save_every)
