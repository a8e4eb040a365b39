"""Runs a command, or `load REFERENCE`, and prints how often references, registries and configs were read.

    python tests/support/count_reads.py sample dcgan-mnist

The last line of standard output is JSON: {"parsed": 1, "registries": [...], "configs": [...]}, with the paths read.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ganzoo
from ganzoo.cli.main import main
from ganzoo.zoo import config, references, registry

reads: dict[str, list[str]] = {"parsed": [], "registries": [], "configs": []}


def note(kind: str, read: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose first argument is noted."""

    def noting(path: Path, *rest: Any) -> Any:
        reads[kind].append(str(path))
        return read(path, *rest)

    return noting


references.expand_user = note("parsed", references.expand_user)  # which every reference goes through
registry.read_toml = note("registries", registry.read_toml)
config.read_json = note("configs", config.read_json)

if __name__ == "__main__":
    code = 0
    try:
        ganzoo.load(sys.argv[2]) if sys.argv[1] == "load" else main(sys.argv[1:])
    except SystemExit as ended:
        code = ended.code
    print(json.dumps(reads))
    sys.exit(code)
