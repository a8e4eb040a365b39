"""Pretrained models by name: ganzoo's own `registry.toml`, those of plugins and the user's. No torch here."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path

import platformdirs

from ganzoo._io import NoHome, exists, expand_user, home_folder
from ganzoo._reading import read_toml
from ganzoo.errors import BadInput
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import Entry, parse_entry

logger = logging.getLogger(__name__)

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
    if named:
        return expand_user(Path(named))
    return home_folder(platformdirs.user_config_path, "GANZOO_REGISTRY to your registry") / "registry.toml"


@cache
def warn_once(fault: str) -> None:
    """Log what is wrong in a registry, once per process."""
    logger.warning("passed over: %s", fault)


class Registry:
    """Every registered model: ganzoo's own, those of plugins and the user's.

    The files are read when first needed, and only once. Make a new one for each command, since files change.
    What is wrong in them is passed over with a warning, so that one entry does not hide the others.
    """

    def __init__(self) -> None:
        self.faults: dict[str, BadInput] = {}
        """What is wrong, by the full name of the entry, or by the origin of a registry that cannot be read at all."""

    @cached_property
    def entries(self) -> list[Entry]:
        """All sound entries, sorted by name."""
        files = {thing.targets["file"]: thing.distribution for thing in catalog().provided if thing.kind == "model"}
        found = [*self._read(own_file(), "ganzoo", PACKAGE)]
        for file, distribution in files.items():
            found += self._read(Path(file), distribution, Path(file).parent)
        with suppress(NoHome):  # whoever has no home has no registry of their own
            found += self._read(user_file(), "user", user_file().parent, optional=True)
        for fault in self.faults.values():
            warn_once(str(fault))
        return sorted(found, key=lambda entry: (entry.name, entry.origin))

    def _read(self, path: Path, origin: str, base: Path, optional: bool = False) -> Iterator[Entry]:
        try:
            tables = {} if optional and not exists(path) else read_toml(path)
        except BadInput as fault:
            self.faults[origin] = fault
            return
        for name, table in tables.items():
            try:
                yield parse_entry(path, name, table, origin, base)
            except BadInput as fault:
                self.faults[f"{origin}:{name}"] = fault

    def find(self, name: str) -> Entry | None:
        """Find the model of a bare or full name, None where there is none.

        Raises `BadInput` where several registries have the name, and where the entry of that name is wrong.
        """
        found = [entry for entry in self.entries if name in (entry.name, entry.full_name)]
        for full_name, fault in self.faults.items():
            if name in (full_name, full_name.partition(":")[2]) or name.startswith(f"{full_name}:"):
                raise fault
        if len(found) > 1:
            several = " and ".join(f"'{entry.full_name}'" for entry in found)
            raise BadInput(f"more than one registry has a model '{name}'; use {several}")
        return found[0] if found else None
