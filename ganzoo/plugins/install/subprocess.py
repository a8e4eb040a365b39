"""What a new process of this Python answers: it alone sees what was just installed."""

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import TypeVar

from ganzoo._names import normalize_name
from ganzoo.errors import Failed

Result = TypeVar("Result")
CODE = "import sys; from ganzoo.plugins.install.subprocess import answer; answer(*sys.argv[1:])"


def run_afresh(function: Callable[[], Result]) -> Result:
    """Return what a function of a module returns in a new process. Raises `Failed` where that process ends early.

    The answer comes in a file, as a plugin that is loaded may write to standard output whatever it likes.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        # Without -P, what lies in the current folder would count as installed.
        command = [sys.executable, "-P", "-c", CODE, function.__module__, function.__name__, str(file)]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        try:
            found: Result = json.loads(file.read_text())
            return found
        except (OSError, ValueError) as error:
            raise Failed(f"a new process of {sys.executable} ends before it has said what is installed") from error


def answer(module: str, function: str, file: str) -> None:
    """Write what the function returns into the file."""
    Path(file).write_text(json.dumps(getattr(importlib.import_module(module), function)()))


def installed_versions() -> dict[str, str]:
    """The normal name and the version of every installed distribution."""
    found = reversed(list(distributions()))  # the first of a name counts
    return {normalize_name(each.metadata["Name"] or ""): each.version or "" for each in found}
