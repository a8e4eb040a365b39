"""The data set that a recipe names, with its options. No torch here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ganzoo._faults import call_plugin
from ganzoo._io import expand_user
from ganzoo.dataset import Dataset
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput, Failed, accept, allow, suggest
from ganzoo.plugins.datasets import FOLDER, find_data
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.options import is_plain, make_option_schema
from ganzoo.recipe.overrides import find_section
from ganzoo.recipe.sections import EVERY_DATA_SET, Data

NOT_TO_BE_OPENED = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
"""Errors of a path that a user gave; a full disk, for example, is not among them."""


@dataclass(frozen=True)
class ResolvedData:
    """The class of a data set, with its options as they are given, and as plain values with all defaults.

    `part` is what stands behind a colon in the name that was asked for.
    """

    registration: Registration
    cls: Callable[..., Dataset]
    given: Mapping[str, Any]
    options: Mapping[str, Any]
    part: str = ""

    @property
    def is_own(self) -> bool:
        """Whether ganzoo itself brings it."""
        return self.registration.distribution == "ganzoo"

    @property
    def title(self) -> str:
        """Its name, with the part behind a colon if that was given, such as lsun:tower."""
        return f"{self.registration.name}:{self.part}" if self.part else self.registration.name

    @property
    def label(self) -> str:
        """Its name in messages, with who brings it."""
        found = self.registration
        return found.name if self.is_own else f"{found.name} ({found.distribution} {found.version})"

    def make(self) -> Dataset:
        """Return the data set. Raises `BadInput` if it refuses an option, `Failed` where its code fails."""
        try:
            return call_plugin(self.label, self.cls, **self.given)
        except (BadInput, Failed) as error:
            raise self._explain(error) from error.__cause__

    def _explain(self, error: BadInput | Failed) -> BadInput | Failed:
        """Return an error of the constructor, unless its author wrote it, with the paths that it was given."""
        cause = error.__cause__
        if cause is None or type(cause) is ValueError:
            return error
        if isinstance(cause, NOT_TO_BE_OPENED) and cause.filename:
            return BadInput(f"{self.label}: cannot open '{cause.filename}' ({cause.strerror})")
        paths = [f"data.{key} is '{value}'" for key, value in self.given.items() if isinstance(value, Path)]
        return error.append(" and ".join(paths)) if paths else error


def resolve_data(name: str, options: Mapping[str, Any], broken: str = "skip") -> ResolvedData:
    """Find the class of a data set by name, or of a folder by its path, and check its options.

    A data set that reads all samples at once may take `broken`, which is a key of every data set. Raises `BadInput` for
    an unknown name or option and for a wrong value.
    """
    registration, named = find_data(name)
    cls = load_data_class(registration)
    schema = data_schema(cls)
    given = {**named, **{key: value for key, value in options.items() if not is_passed_over(key, value, schema)}}
    check_keys(registration, given, schema.model_fields)
    part = "" if registration is FOLDER else next(iter(named.values()), "")
    given |= {"broken": broken} if "broken" in schema.model_fields else {}
    if registration.distribution == "ganzoo":
        return ResolvedData(registration, cls, given, given, part)  # they check values themselves, in better words
    values = validate(schema, given, "data")
    typed = {key: expand(getattr(values, key)) for key in schema.model_fields}
    kept = {key for key, field in schema.model_fields.items() if key in given or is_plain(field.default)} - {"broken"}
    pinned = values.model_copy(update={key: pin(value) for key, value in typed.items()})
    plain = pinned.model_dump(mode="json", exclude_none=True, include=kept, warnings=False)
    return ResolvedData(registration, cls, {key: typed[key] for key in given}, plain, part)


def data_schema(cls: Callable[..., Dataset]) -> type[BaseModel]:
    """Return a pydantic model of a data set's options: all parameters of its constructor."""
    return make_option_schema(cls, frozenset())


def load_data_class(registration: Registration) -> type[Dataset]:
    """Return the class of a data set. Raises `BadInput` if it is not one, or has options that it cannot have."""
    cls = registration.resolve("dataset")
    label = f"data set '{registration.name}' of {registration.distribution}"
    if not (isinstance(cls, type) and issubclass(cls, Dataset)):
        raise BadInput(f"{label}: '{registration.targets['dataset']}' is not a subclass of ganzoo.Dataset")
    if taken := [key for key in data_schema(cls).model_fields if key in EVERY_DATA_SET and key != "broken"]:
        raise BadInput(f"{label} has an option '{taken[0]}', which is a key of every data set; it must be renamed")
    return cls


def check_keys(registration: Registration, given: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Raise `BadInput` for an option that a data set does not have, and for one that it lacks."""
    name = registration.name if registration is not FOLDER else "a folder of images"
    for key in given:
        if key in Data.model_fields and key not in fields:
            others = {*fields} - ({"path"} if registration is FOLDER else set())
            options = f"; {allow(others)}" if others else ", which has no options"
            raise BadInput(f"data.{key} does not go with {name}{options}")
        if key not in fields:
            keys = {*fields, *EVERY_DATA_SET} - {"path"} if registration is FOLDER else {*fields, *EVERY_DATA_SET}
            raise BadInput(f"unknown key 'data.{key}'; {suggest_key(key, keys)}")
    for key, field in fields.items():
        if field.is_required() and key not in given:
            raise BadInput(f"'data.{key}' is missing: {name} takes it without a default; set it with -o data.{key}=...")


def is_passed_over(key: str, value: Any, schema: type[BaseModel]) -> bool:
    """Return whether a data set without that option need not know it: it is a folder of others, or a former default."""
    return key not in schema.model_fields and (key == "root" or (key, value) == ("background", "white"))


def suggest_key(key: str, allowed: Collection[str]) -> str:
    """Return the nearest keys of a data set, or the section that has this key."""
    elsewhere = find_section(key)
    return accept([elsewhere]) if elsewhere else suggest(key, allowed)


def expand(value: Any) -> Any:
    """Return a path with its ~ expanded; any other value as it is."""
    return expand_user(value) if isinstance(value, Path) else value


def pin(value: Any) -> Any:
    """Return a path that is valid from any folder; any other value as it is."""
    return value.absolute() if isinstance(value, Path) else value
