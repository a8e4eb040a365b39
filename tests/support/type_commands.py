"""Types commands in each of several processes, one after another, and keeps what came of them.

    torchrun --nproc-per-node 2 tests/support/type_commands.py FOLDER

`FOLDER/commands.json` has commands by name: either their words, or {"words": [...], "1": [...]}, where process 1 has
further words of its own; with {"folder": "..."} process 1 is in that folder. Each process leaves `FOLDER/RANK.json`.
Under "threads" are the names of the threads that it has after it left the others.
"""

import gc
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch.distributed as dist

from ganzoo.cli.main import main
from ganzoo.training import launch as joining
from ganzoo.training.runs import run

joining.REPORT_TIMEOUT_SECONDS = 0  # nobody has to wait for the first process, since none ends
run.LOCK_TIMEOUT_SECONDS = 1  # nor for a folder that will not appear


def typed(command: Any, rank: int) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    about = command if isinstance(command, dict) else {"words": command}
    here, out, err = Path.cwd(), io.StringIO(), io.StringIO()
    os.chdir(about.get("folder", ".") if rank else ".")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main([*about["words"], *about.get(str(rank), [])])
    except SystemExit as done:
        return done.code, out.getvalue(), err.getvalue()
    finally:
        os.chdir(here)


def everything(folder: Path) -> None:
    """All commands, over one connection."""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    commands = json.loads((folder / "commands.json").read_text())
    came: dict[str, Any] = {name: typed(command, rank) for name, command in commands.items()}
    gc.collect()  # a group in a circle of references would live on
    dist.destroy_process_group()
    came["threads"] = [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    (folder / f"{rank}.json").write_text(json.dumps(came))


if __name__ == "__main__":
    everything(Path(sys.argv[1]))
