"""Completion in bash, zsh and fish, by click's own machinery: quick, without torch, and silent where it fails."""

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, shell_complete

VARIABLE = "_GANZOO_COMPLETE"
"""The environment variable in which a shell says what it wants."""
Items = list["CompletionItem[str]"]  # click 8.4.0 has no parameter there when it runs
Source = Callable[[], Iterable[str]]


class Bash(BashComplete):
    """Bash, with no space behind an option that waits for its value, such as `train.steps=`."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n",
        "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n    return 0\n",
    )


def answer_shell(commands: click.Group) -> bool:
    """Print what a shell asks for; return False if none asks. Errors stay silent: a person is typing."""
    if not (instruction := os.environ.get(VARIABLE)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.disable()
    add_completion_class(Bash)
    with suppress(Exception, SystemExit):
        shell_complete(commands, {}, "ganzoo", VARIABLE, instruction)
    return True


def complete(*sources: Source, path: str = "") -> Callable[[click.Context, click.Parameter, str], Items]:
    """Return a completer of the names that these sources give; `path` "file" or "dir" completes paths as well."""

    def items(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
        names = [name for source in sources for name in names_of(source) if name.startswith(incomplete)]
        # A shell takes what follows the item of a path in addition to it.
        paths: Items = [CompletionItem(incomplete, type=path)] if path else []
        return paths + [CompletionItem(name) for name in dict.fromkeys(names)]

    return items


def names_of(source: Source) -> list[str]:
    """Return the names of a source; none where it fails, so that the others still count."""
    with suppress(Exception):
        return list(source())
    return []


def provided(kind: str) -> Source:
    """Return the source of what plugins provide of a kind."""

    def names() -> list[str]:
        from ganzoo.plugins.catalog import catalog

        return [thing.name for thing in catalog().provided if thing.kind == kind]

    return names


def models() -> list[str]:
    """Return the registered models."""
    from ganzoo.zoo.registry import Registry

    return [entry.name for entry in Registry().entries]


def data_sets() -> list[str]:
    """Return the named data sets."""
    from ganzoo.plugins.datasets import list_names

    return list_names()


def runs() -> list[str]:
    """Return the runs in the folder `runs`, the newest first."""
    folders = [path.parent for path in Path("runs").glob("*/recipe.toml")]
    return [str(path) for path in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)]


def plugins() -> list[str]:
    """Return the distributions of the installed plugins."""
    from ganzoo.plugins.distributions import plugin_entry_points
    from ganzoo.plugins.registration import Plugin

    return [Plugin(entry).distribution for entry in plugin_entry_points()]


def sections() -> list[str]:
    """Return the sections of a recipe."""
    return [*dict.fromkeys(path.partition(".")[0] for path in key_paths())]


def key_paths() -> list[str]:
    """Return the keys of a recipe, without those that have a name of something else in them."""
    from ganzoo.engine.settings import SIDES
    from ganzoo.recipe.keys import list_keys

    paths = [key.path for key in list_keys() if key.path.islower()]
    own = [path.replace("optimizer.", f"optimizer.{side}.") for side in SIDES for path in paths if is_own(path)]
    return paths + own


def is_own(path: str) -> bool:
    """Return True for a key that each side's optimizer may have for itself."""
    return path.startswith("optimizer.") and path not in ("optimizer.generator", "optimizer.discriminator")


def complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete `section.key=` of an -o, and the values of a key that takes few."""
    from ganzoo.recipe.keys import find_keys

    paths = [path for path in names_of(key_paths) if path.startswith(incomplete.partition("=")[0])]
    if len(paths) > 1 and "=" not in incomplete:
        return [CompletionItem(f"{path}=") for path in paths]
    choices = [f"{path}={choice}" for path in paths for key in find_keys(path) for choice in key.choices or ("",)]
    return [CompletionItem(text) for text in choices if text.startswith(incomplete)]


def complete_loss(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete the name of a loss, and behind a comma the keys that every loss has."""
    before, comma, begun = incomplete.rpartition(",")
    if not comma:
        return complete(provided("loss"))(ctx, param, incomplete)
    from ganzoo.recipe.sections import LossUse

    keys = [key for key in LossUse.model_fields if key != "name" and key.startswith(begun)]
    return [CompletionItem(f"{before},{key}=") for key in keys]


def complete_device(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Complete a device."""
    return complete(lambda: ("auto", "cpu", "cuda", "mps"))(ctx, param, incomplete)


MODELS = complete(models, runs, path="dir")
"""Completes what `ganzoo sample` takes."""
ANYTHING = complete(
    *map(provided, ("architecture", "loss", "callback", "recipe", "kind", "metrics", "importer")),
    data_sets,
    models,
    sections,
    key_paths,
    runs,
)
"""Completes what `ganzoo info` takes."""
