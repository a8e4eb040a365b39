"""What several commands take: options and arguments, and parsers of `section.key=value`, `name,option=value`."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ganzoo._numbers import check_count, check_scale, check_seed
from ganzoo.cli.completion import complete, complete_device, data_sets, provided
from ganzoo.errors import BadInput, suggest

recipe_argument = click.argument("recipe", required=False, shell_complete=complete(provided("recipe"), path="file"))
data_option = click.option(
    "--data",
    metavar="NAME|FOLDER",
    help="Learn from this data set or folder of images.",
    shell_complete=complete(data_sets, path="dir"),
)
device_option = click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N|mps", shell_complete=complete_device
)


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
SEED_KEY = "train.seed"
"""The key of a recipe that --seeds varies."""
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


NEXT_KEY = re.compile(r",(?=\s*[A-Za-z_]\w*\s*=)")
"""The comma before another key; the values of one key may have commas between them, too."""


def parse_fixed(words: Iterable[str]) -> dict[str, Any]:
    """Parse `key=value` and `key=value,key=value` arguments into fixed latents."""
    fixed: dict[str, Any] = {}
    for text in (part for word in words for part in NEXT_KEY.split(word)):
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value) or key in fixed:
            raise BadInput(f"'--set {text}' is not one value for a latent, such as --set label=7")
        fixed[key] = value
    return fixed


def parse_inputs(words: Iterable[str]) -> dict[str, Path]:
    """Parse `key=path` arguments into the files or folders that inputs are read from."""
    found: dict[str, Path] = {}
    for text in words:
        key, equals, path = (part.strip() for part in text.partition("="))
        if not (key and equals and path) or key in found:
            raise BadInput(f"'--input {text}' is not one file or folder for an input, such as --input grey=photo.png")
        found[key] = Path(path)
    return found


def parse_names(flag: str, text: str) -> list[str]:
    """Parse `name,name,...` into a list."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise BadInput(f"'{flag} {text}' is not a list of names with commas between them")
    return names


def parse_loss(text: str) -> dict[str, Any]:
    """Parse `name,option=value,...` into a loss of a recipe."""
    from ganzoo.recipe.overrides import parse_value

    name, *options = split_values(text)
    loss: dict[str, Any] = {"name": name.strip()}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise BadInput(f"'--loss {text}': '{option}' is not option=value, such as --loss r1,weight=10,every=16")
        if key.strip() == "name":
            raise BadInput(f"'--loss {text}': the name comes first and alone")
        loss[key.strip()] = parse_value(value.strip())
    return loss


def parse_grid(options: Iterable[str], seeds: str | None = None) -> dict[str, list[Any]]:
    """Parse `section.key=value,value...` arguments and seeds into the values of each key."""
    from ganzoo.recipe.overrides import parse_value

    grid: dict[str, list[Any]] = {}
    for text in options:
        key, _, values = (part.strip() for part in text.partition("="))
        parse_options([text])  # for its refusals
        if key in grid:
            raise BadInput(f"'-o {key}' is given twice; give all its values at once, with commas between them")
        words = split_values(values)
        if len(words) > 1 and not all(words):
            raise BadInput(f"'-o {text}' has an empty value between its commas")
        grid[key] = [parse_value(word) for word in words]
    if seeds is not None:
        if SEED_KEY in grid:
            raise BadInput(f"give the seeds by --seeds or by -o {SEED_KEY}, not both")
        grid[SEED_KEY] = parse_seeds(seeds)
    return grid


def parse_seeds(text: str) -> list[int]:
    """Parse `0,1,2` into two or more seeds. Raises `BadInput` for anything else, and for a seed that stands twice."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and word.isascii() for word in words):
        raise BadInput(
            f"'--seeds {text}' is not a list of whole numbers with commas between them, such as --seeds 0,1,2"
        )
    seeds = [int(word) for word in words]
    if len(set(seeds)) < len(seeds):
        raise BadInput(f"'--seeds {text}' has a seed twice: the two runs would be the same")
    if len(seeds) < 2:
        raise BadInput(f"'--seeds {text}' is one seed, and one run: --seed {text}")
    return seeds


def split_values(text: str) -> list[str]:
    """Split a text at its commas, but for those inside brackets, braces and quotes."""
    words, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and not words[-1][-1:].isalnum():  # not an apostrophe, as in the name of a folder
            quote = character
        else:
            depth += (character in "[{") - (character in "]}")
        if character == "," and not quote and depth == 0:
            words.append("")
        else:
            words[-1] += character
    return [word.strip() for word in words]
