"""Finds the kind of samples that a spec names. Its code is imported when it is first needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo._faults import call_plugin
from ganzoo.dataset import NOTHING, Spec
from ganzoo.errors import BadInput
from ganzoo.kind import Array, Kind
from ganzoo.plugins.catalog import catalog


def find_kind(spec: Spec, facts: Mapping[str, Any] = NOTHING) -> Kind:
    """Return the kind of a key, bound to its spec and to the facts of its data.

    Raises `BadInput` where no plugin brings it, with what to install, and where its class refuses the spec.
    """
    found = catalog().find("kind", spec.kind)
    cls = found.resolve("kind")
    where = f"the kind '{found.name}' of {found.distribution}"
    if not (isinstance(cls, type) and issubclass(cls, Kind)):
        raise BadInput(f"{where} is not a ganzoo.Kind, but {cls!r}")
    made: Kind = call_plugin(where, cls, spec, facts)
    return made


class Missing(Kind):
    """A kind that is not installed: its samples are what networks make, and `why` says how to get more."""

    suffix, card_files = "", 0

    def __init__(self, spec: Spec, facts: Mapping[str, Any], why: str) -> None:
        super().__init__(spec, facts)
        self.why = why

    @property
    def not_drawn(self) -> str:
        """Why no picture shows such samples."""
        return self.why

    def read(self, path: Path) -> Array:
        """Raise `ValueError`: nobody here knows how to read such samples."""
        raise ValueError(f"cannot be read: {self.why}")


def find_kind_or_missing(spec: Spec, facts: Mapping[str, Any] = NOTHING, distribution: str = "") -> Kind:
    """Return the kind of a key as `find_kind` does; one that is not installed is a `Missing`.

    `distribution` is that of the model, which is likely to bring it.
    """
    try:
        return find_kind(spec, facts)
    except BadInput as error:
        how = catalog().how_to_get(distribution)
        return Missing(spec, facts, f"its kind '{spec.kind}' is missing, as {how}" if how else str(error))
