"""Plays one family through all commands, typed one after the other in one process, and says how each ended.

    python tests/support/play_family.py NAME DATA_FOLDER

It leaves `played.json` in the current folder: (exit code, standard output, standard error) of each command.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import ganzoo
from foreign import PLAYED, distribution, resolved
from ganzoo.cli.main import main
from trainings import Heard, Power, assert_same

STEPS, SAVED, CUT = 6, 2, 5
TRAIN = {"steps": STEPS, "batch": 4, "save_every": SAVED, "sample_every": 3, "log_every": 1, "precision": "fp32"}


def typed(*words: object) -> tuple[int, str, str]:
    """How a command ends."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as done:
            return int(done.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def toml(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    return value if isinstance(value, str) else json.dumps(value)


def break_off(recipe: str, changes: dict[str, Any]) -> None:
    """A training that loses power after a checkpoint."""
    with contextlib.suppress(Power):
        ganzoo.train(recipe, out="broken", train=TRAIN, device="cpu", quiet=True, callbacks=[Heard(CUT)], **changes)


def difference(one: str, other: str) -> str:
    """What differs between two runs, "" if nothing does."""
    try:
        assert_same(Path(one), Path(other))
    except AssertionError as error:
        return str(error) or "they differ"
    return ""


def play(name: str, folder: Path) -> dict[str, Any]:
    """Type every command."""
    family = PLAYED[name]
    data = {key: resolved(value, folder) for key, value in family.data.items()}
    inputs = [word for key, at in family.inputs.items() for word in ("--input", f"{key}={resolved(at, folder)}")]
    own = {key: value for key, value in data.items() if family.data_set}
    given = [word for key, value in own.items() for word in ("-o", f"{family.data_set}.{key}={toml(value)}")]
    came: dict[str, Any] = {"check": typed("check", distribution(name), "--json", *given)}
    changes = {f"data.{key}": value for key, value in {**data, "workers": 2}.items()} | family.changes
    options = [f"-o{key}={toml(value)}" for key, value in changes.items()]
    train = [f"-otrain.{key}={value}" for key, value in TRAIN.items()]
    came["train"] = typed("train", family.recipe, *options, *train, "--device=cpu", "--out=whole")
    break_off(family.recipe, changes)
    came["resume"] = typed("train", "--resume=broken", "--device=cpu")
    came["difference"] = difference("whole", "broken")
    came["info"] = typed("info", "whole")
    came["sample"] = typed("sample", "whole", "-n", 3, f"--out={family.samples}", *inputs)
    came["array"] = typed("sample", "whole", "-n", 3, "--out=samples.npz", *inputs)
    came["evaluate"] = typed("evaluate", "whole", "-n", 32)
    came["publish"] = typed("publish", "whole", f"owner/{name}", "--license=cc0-1.0")
    return came


if __name__ == "__main__":
    Path("played.json").write_text(json.dumps(play(sys.argv[1], Path(sys.argv[2])), indent=1))
