"""`registry.toml`: name -> where a pretrained model is. No torch here."""

import tomllib
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


def entries() -> dict[str, dict[str, Any]]:
    """Every registered model by name, from the file in the wheel or, in an editable install, from the repository."""
    inside, beside = PACKAGE / "registry.toml", PACKAGE.parent / "registry.toml"
    return tomllib.loads((inside if inside.exists() else beside).read_text(encoding="utf-8"))
