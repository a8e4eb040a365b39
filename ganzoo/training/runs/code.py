"""The files with classes that a run needs: copied into its folder, and kept where the user's models find them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ganzoo._io import write_bytes, write_errors
from ganzoo.plugins.files import InFile
from ganzoo.plugins.kept import keep
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.given import FromPython
from ganzoo.training.runs.run import Run
from ganzoo.zoo import own


def keep_code(run: Run, used: Iterable[Registration]) -> None:
    """Copy the files of all classes in use into the run, under names that no other content has."""
    for file in {found.sha256: found for found in used if isinstance(found, InFile)}.values():
        keep(file.content)
        folder = run.path / "code"
        with write_errors(folder):
            folder.mkdir(exist_ok=True)
        write_bytes(folder / f"{Path(file.distribution).stem}-{file.sha256[:8]}.py", file.content)


def remember_generator(run: Run, found: Registration) -> None:
    """Remember for this process the generator that Python code gave for a run, so that its models can be loaded."""
    own.remember(run.path, found.thing if isinstance(found, FromPython) else None)


def list_versions(used: Iterable[Registration]) -> dict[str, Any]:
    """Return a fact for each file in use that must be the same in all processes: the hash of its content."""
    return {f"hash of {found.distribution}": found.version for found in used if isinstance(found, InFile)}
