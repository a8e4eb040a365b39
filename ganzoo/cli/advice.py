"""Commands that answer an unknown option with what does the same thing here: `-o` for keys, `--set` for latents."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ganzoo.errors import BadInput

SYNONYMS: Mapping[str, str] = {
    "batch_size": "train.batch",
    "bs": "train.batch",
    "iterations": "train.steps",
    "iters": "train.steps",
    "max_steps": "train.steps",
    "num_steps": "train.steps",
    "num_epochs": "train.epochs",
    "n_epochs": "train.epochs",
    "learning_rate": "optimizer.lr",
    "optimizer": "optimizer.name",
    "optim": "optimizer.name",
    "wd": "optimizer.weight_decay",
    "image_size": "data.size",
    "img_size": "data.size",
    "resolution": "data.size",
    "num_workers": "data.workers",
    "n_critic": "train.critic_steps",
    "architecture": "architecture.name",
    "arch": "architecture.name",
}
"""What other programs call a key of the recipe."""
SAMPLE_OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("n", "num", "count", "number", "samples", "num_samples", "n_samples"), "-n {}"),
    **dict.fromkeys(("o", "output", "outdir", "out_dir", "file"), "--out {}"),
    **dict.fromkeys(("size", "resolution", "image_size", "zoom"), "--scale N, which draws each pixel as N x N"),
    **dict.fromkeys(("json", "format", "csv"), "--out FILE.npz for the plain numbers"),
}
"""What `ganzoo sample` calls what other programs call otherwise; {} is the value."""
NEAR = 0.75
"""Names that are at least so similar are taken for misspelt ones, as difflib measures it."""


class Advising(click.Command):
    """A command that says what to type instead of an option which it does not have."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises `BadInput` for an option that something else stands for."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            given, value = find_given(words, error.option_name)
            near = difflib.get_close_matches(error.option_name, error.possibilities or [], cutoff=NEAR)
            if instead := self.instead_of(given.lstrip("-").replace("-", "_"), value, bool(near)):
                raise BadInput(f"there is no option {given}; {instead}") from error
            raise

    def instead_of(self, name: str, value: str, has_near: bool) -> str:
        """Return what to type instead of an option, "" where that is unknown; `has_near` if one has a similar name."""
        return ""


class WithKeys(Advising):
    """A command that changes keys of a recipe with `-o`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises `BadInput` for a key without its -o, and for an option that is a key."""
        if not ctx.resilient_parsing:
            check_marked(args)
        return super().parse_args(ctx, args)

    def instead_of(self, name: str, value: str, has_near: bool) -> str:
        """Return the -o for the key of that name, or of a similar one."""
        known = {**short_names(), **SYNONYMS}
        near = [] if has_near else difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
        for found in [name] * (name in known) + near:
            typed = shlex.quote(f"{known[found]}={value}") if value else f"{known[found]}=..."
            return f"it is a key of the recipe: -o {typed}"
        return "" if has_near else "keys of the recipe are changed with -o section.key=value: see 'ganzoo list keys'"


class WithLatents(Advising):
    """A command that fixes latents with `--set`."""

    def instead_of(self, name: str, value: str, has_near: bool) -> str:
        """Return the --set for a latent of that name."""
        if option := SAMPLE_OPTIONS.get(name):
            return f"write {option.format(shlex.quote(value) if value else '...')}"
        if has_near or not name.isidentifier():
            return ""
        if value and Path(value).exists():
            return f"to make samples from files: --input {shlex.quote(f'{name}={value}')}"
        return f"to fix a latent: --set {shlex.quote(f'{name}={value}') if value else f'{name}=...'}"


def find_given(words: Sequence[str], option: str) -> tuple[str, str]:
    """Return an unknown option as it was typed, and its value, "" if it has none."""
    is_short = not option.startswith("--")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == option or (is_short and name.startswith(option)):
            return name, value if equals else following * (not following.startswith("-") or is_number(following))
    return option, ""


def is_number(text: str) -> bool:
    """Return True for a number, which may begin with a minus sign."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_marked(words: Sequence[str]) -> None:
    """Raise `BadInput` for a `section.key=value` without -o before it."""
    from ganzoo.recipe.keys import find_keys

    for before, word in zip(["", *words], words, strict=False):
        key, equals, _ = word.partition("=")
        if equals and not word.startswith("-") and not before.startswith("-") and find_keys(key):
            raise BadInput(f"'{word}' needs -o before it: -o {shlex.quote(word)}")


def short_names() -> dict[str, str]:
    """Return the path of each key by its last word, the first one where several end in it."""
    from ganzoo.recipe.keys import list_keys

    found: dict[str, str] = {}
    for key in list_keys():
        if "NAME" not in key.path and "OPTION" not in key.path:
            found.setdefault(key.path.rpartition(".")[2], key.path)
    return found
