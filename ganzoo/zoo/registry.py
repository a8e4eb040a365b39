"""Pretrained models by name: ganzoo's own `registry.toml`, those of plugins and the user's. No torch here."""

import os
from functools import cached_property
from pathlib import Path

import platformdirs

from ganzoo._io import exists, expand_user
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry, read_entries

PACKAGE = Path(__file__).parent.parent


def own_file() -> Path:
    """Return the path of ganzoo's registry: in the wheel or, in an editable install, in the repository."""
    inside, beside = PACKAGE / "registry.toml", PACKAGE.parent / "registry.toml"
    return inside if inside.exists() else beside


def user_file() -> Path:
    """Return the path of the user's registry, whether the file exists or not.

    That is GANZOO_REGISTRY, else a file in the user's configuration folder.
    """
    named = os.environ.get("GANZOO_REGISTRY")
    return expand_user(Path(named)) if named else platformdirs.user_config_path("ganzoo") / "registry.toml"


class Registry:
    """Every registered model: ganzoo's own, those of plugins and the user's.

    The files are read when first needed, and only once. Make a new one for each command, since files change.
    """

    @cached_property
    def entries(self) -> list[Entry]:
        """All entries, sorted by name. Raises `BadInput` where a registry cannot be read."""
        found = read_entries(own_file(), "ganzoo", PACKAGE)
        files = {thing.targets["file"]: thing.distribution for thing in catalog().provided if thing.kind == "model"}
        for file, distribution in files.items():
            found += read_entries(Path(file), distribution, Path(file).parent)
        if exists(user_file()):
            found += read_entries(user_file(), "user", user_file().parent)
        return sorted(found, key=lambda entry: (entry.name, entry.origin))

    def find(self, name: str) -> Entry | None:
        """Find the model of a bare or full name, None where there is none.

        Raises `BadInput` where several registries have the name.
        """
        found = [entry for entry in self.entries if name in (entry.name, entry.full_name)]
        if len(found) > 1:
            several = " and ".join(f"'{entry.full_name}'" for entry in found)
            raise BadInput(f"more than one registry has a model '{name}'; use {several}")
        return found[0] if found else None
