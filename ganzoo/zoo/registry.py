"""Pretrained models by name: ganzoo's own `registry.toml`, those of plugins and the user's. No torch here."""

import os
from pathlib import Path

import platformdirs

from ganzoo._io import exists, expand_user
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry, read_entries

PACKAGE = Path(__file__).parent.parent


def own_file() -> Path:
    """ganzoo's registry: in the wheel or, in an editable install, in the repository."""
    inside, beside = PACKAGE / "registry.toml", PACKAGE.parent / "registry.toml"
    return inside if inside.exists() else beside


def user_file() -> Path:
    """The user's registry, whether it is there or not: GANZOO_REGISTRY, else one among their settings."""
    named = os.environ.get("GANZOO_REGISTRY")
    return expand_user(Path(named)) if named else platformdirs.user_config_path("ganzoo") / "registry.toml"


def entries() -> list[Entry]:
    """Every registered model, sorted by name. Raises `BadInput` where a registry cannot be read."""
    found = read_entries(own_file(), "ganzoo", PACKAGE)
    files = {thing.targets["file"]: thing.distribution for thing in catalog().provided if thing.kind == "model"}
    for file, distribution in files.items():
        found += read_entries(Path(file), distribution, Path(file).parent)
    if exists(user_file()):
        found += read_entries(user_file(), "user", user_file().parent)
    return sorted(found, key=lambda entry: (entry.name, entry.origin))


def find(name: str) -> Entry | None:
    """The model of that bare or full name, None where there is none. Raises `BadInput` where several have it."""
    found = [entry for entry in entries() if name in (entry.name, entry.full_name)]
    if len(found) > 1:
        several = " and ".join(f"'{entry.full_name}'" for entry in found)
        raise BadInput(f"more than one registry has a model '{name}'; say {several}")
    return found[0] if found else None
