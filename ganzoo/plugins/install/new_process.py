"""Asks a new process of this Python, which alone sees what was just installed."""

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ganzoo.errors import Failed

Result = TypeVar("Result")

RUN_FUNCTION = f"import sys; from {__name__} import write_result; write_result(*sys.argv[1:])"


def run_in_new_process(function: Callable[[], Result]) -> Result:
    """Return what a function of a module returns in a new process. Raises `Failed` where that process ends early.

    The result comes back in a file, as JSON, since a plugin may print anything while it is loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        # Without -P, what lies in the current folder would count as installed.
        command = [sys.executable, "-P", "-c", RUN_FUNCTION, function.__module__, function.__name__, str(file)]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        try:
            result: Result = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise Failed(f"a new process of {sys.executable} ends before it can list what is installed") from error
        return result


def write_result(module: str, function: str, file: str) -> None:
    """Call a function and write what it returns into a file."""
    Path(file).write_text(json.dumps(getattr(importlib.import_module(module), function)()))
