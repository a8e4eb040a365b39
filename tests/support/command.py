"""`ganzoo` in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


class Command:
    """`ganzoo` in a process of its own."""

    def __init__(self, folder: Path, executable: str | Path = sys.executable) -> None:
        self.folder, self.executable = folder, executable
        self.environment = dict(os.environ, COLUMNS="200", OMP_NUM_THREADS="1")
        self.environment["GANZOO_REGISTRY"] = str(folder / "no-registry.toml")  # not the user's own

    def __call__(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        return self.python("-m", "ganzoo", *words, **environment)

    def python(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.executable, *map(str, words)],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
