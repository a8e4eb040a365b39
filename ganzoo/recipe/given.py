"""Losses and networks that Python code gives in place of names: `ganzoo.train("dcgan", losses=[Mine(), "r1"])`.

A recipe holds plain values, so each gets a name in it, such as `<__main__>:Mine`: its class and the module of that.
Only Python code can give what stands behind the name. A class is built as one of a plugin is, with its parameters as
options. Of an object every training takes a copy, so that it begins as the object is and leaves it so.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from ganzoo.contract import Generator, Loss
from ganzoo.engine.schedule import write
from ganzoo.engine.scheduled import Scheduled, unused_name
from ganzoo.engine.settings import SIDES
from ganzoo.errors import BadInput
from ganzoo.plugins.registration import Registration

Named = str | Path | Mapping[str, Any]
"""A name, or a table with one and options, as in a recipe; in the table a class or an object may be the name."""
LossLike = Named | Loss | type[Loss] | Scheduled
NetworkLike = Named | nn.Module | type[nn.Module]
BASES: Mapping[str, type] = {"generator": Generator, "loss": Loss, "discriminator": nn.Module}
"""The base class of each class that a plugin registers."""


@dataclass(frozen=True)
class FromPython(Registration):
    """A class or an object that Python code gives, which stands in for a plugin: its module is its distribution."""

    thing: Any = None
    given_as: ClassVar[str | None] = "object"

    @property
    def published_as(self) -> str:
        """The name of the module."""
        return self.distribution.strip("<>")

    @property
    def factory(self) -> Any:
        """The class, or a function without parameters that returns a copy of the object."""
        thing = self.thing
        return thing if isinstance(thing, type) else lambda: copy.deepcopy(thing)

    def resolve(self, part: str) -> Any:
        """Return the class or object."""
        return self.thing


Given = Mapping[str, FromPython]
"""What Python code gives, by its name in the recipe."""


def name_given(
    losses: Iterable[LossLike] | LossLike | None, generator: NetworkLike | None, discriminator: NetworkLike | None
) -> tuple[dict[str, Any], dict[str, FromPython]]:
    """Return changes of a recipe that name what Python code gives, and what the names stand for.

    Raises `BadInput` for what is neither a loss or network nor the name of one.
    """
    given: dict[str, FromPython] = {}
    changes: dict[str, Any] = {}
    for side, network in (("discriminator", discriminator), ("generator", generator)):
        if network is not None:
            table = name_one(side, network, given)
            changes |= {f"architecture.{side}.{key}": value for key, value in table.items()}
    if losses is not None:
        changes["loss"] = [name_one("loss", loss, given) for loss in list_losses(losses)]
    return changes, given


def list_losses(losses: Any) -> list[Any]:
    """Return losses as a list; one alone counts as a list of one."""
    several = isinstance(losses, Iterable) and not isinstance(losses, str | Mapping | nn.Module | type)
    return list(losses) if several else [losses]


def name_one(part: str, thing: Any, given: dict[str, FromPython]) -> dict[str, Any]:
    """Return the table of one thing in a recipe, with a name; note in `given` what that stands for."""
    if isinstance(thing, Mapping):
        return {**thing, **name_one(part, thing.get("name"), given)}
    if isinstance(thing, str | Path):
        return {"name": str(thing)}
    schedule: dict[str, Any] = {}
    name = ""
    if part == "loss" and isinstance(thing, Scheduled):
        schedule = {key: getattr(thing, key) for key in ("every", "start", "stop")}
        schedule |= {key: write(number) for key, number in thing.numbers.items()}
        thing, name = thing.loss, thing.name
    check_given(part, thing)
    return {
        "name": add(part, thing, name, given),
        **{key: value for key, value in schedule.items() if value is not None},
    }


def check_given(part: str, thing: Any) -> None:
    """Raise `BadInput` for anything but a class that can be that part, or an object of one."""
    cls = thing if isinstance(thing, type) else type(thing)
    base = BASES[part]
    wrong = part == "discriminator" and issubclass(cls, Generator | Loss)
    if issubclass(cls, base) and not wrong and cls is not base:
        return
    wanted = "any other torch.nn.Module" if part == "discriminator" else f"a subclass of ganzoo.{base.__name__}"
    what = f"the class {cls.__name__}" if isinstance(thing, type) else f"{thing!r:.60}"
    what = what if not isinstance(thing, nn.Module) else f"a {cls.__name__} object"
    raise BadInput(f"a {part} is {wanted}, as a class or an object, or the name of one; got {what}")


def add(part: str, thing: Any, name: str, given: dict[str, FromPython]) -> str:
    """Note a class or an object, and return its name in the recipe: that of its class, with a number if it is taken."""
    cls = thing if isinstance(thing, type) else type(thing)
    place = f"<{cls.__module__}>"
    taken = [known.name for known in given.values() if known.thing is not thing or thing is not cls]
    own = unused_name((name or cls.__name__).replace(":", "-"), taken)
    kind = "architecture" if part in SIDES else part
    found = FromPython(kind, own, place, "unknown", {}, thing)
    return given.setdefault(found.full_name, found).full_name


def how_to_give(kind: str) -> str:
    """Return how Python code gives such a thing again."""
    words = {"architecture": "generator=... and discriminator=..., as far as it gave them", "loss": "losses=[...]"}
    return f"give it again: ganzoo.train(..., {words[kind]})" if kind in words else "give it again"
