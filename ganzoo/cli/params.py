"""Parsers for arguments of the command line: `section.key=value`, `name,option=value`, `key=value`."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import click

from ganzoo._numbers import check_count, check_scale, check_seed
from ganzoo.errors import BadInput, suggest


class WholeNumber(click.ParamType[int]):
    """A whole number, refused in the same words as in Python."""

    name = "integer"

    def __init__(self, check: Callable[[Any], int]) -> None:
        self.check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Raises `BadInput` for anything else."""
        with suppress(ValueError):
            value = int(value)
        return self.check(value)


class OneOf(click.Choice[str]):
    """One of a few words; an unknown one is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word. Raises `BadInput` for anything else."""
        if value not in self.choices:
            raise BadInput(f"'{value}' is not a section; {suggest(str(value), self.choices)}")
        return str(value)


ALONE = ("name", "architecture", "loss", "data")
"""Keys of a recipe that may be changed without a section before them."""
COUNT, SEED, SCALE = WholeNumber(check_count), WholeNumber(check_seed), WholeNumber(check_scale)


def parse_options(options: Iterable[str]) -> dict[str, Any]:
    """Parse `section.key=value` arguments into overrides of a recipe."""
    from ganzoo.recipe.overrides import find_section, parse_value

    changes = {}
    for text in options:
        key, equals, value = text.partition("=")
        if not equals or not all(key.strip().split(".")) or ("." not in key and key.strip() not in ALONE):
            raise BadInput(f"'-o {text}' is not section.key=value, such as -o {find_section(key) or 'train.steps'}=...")
        changes[key.strip()] = parse_value(value.strip())
    return changes


def parse_fixed(words: Iterable[str]) -> dict[str, Any]:
    """Parse `key=value` arguments into fixed latents."""
    fixed: dict[str, Any] = {}
    for text in words:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value) or key in fixed:
            raise BadInput(f"'--set {text}' is not one value for a latent, such as --set label=7")
        fixed[key] = value
    return fixed


def parse_names(flag: str, text: str) -> list[str]:
    """Parse `name,name,...` into a list."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise BadInput(f"'{flag} {text}' is not a list of names with commas between them")
    return names


def parse_loss(text: str) -> dict[str, Any]:
    """Parse `name,option=value,...` into a loss of a recipe."""
    from ganzoo.recipe.overrides import parse_value

    name, *options = text.split(",")
    loss: dict[str, Any] = {"name": name.strip()}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise BadInput(f"'--loss {text}': '{option}' is not option=value, such as --loss r1,weight=10,every=16")
        if key.strip() == "name":
            raise BadInput(f"'--loss {text}': the name comes first and alone")
        loss[key.strip()] = parse_value(value.strip())
    return loss
