"""The group of all commands: its help by what people do, and advice for a word that is no command."""

from collections.abc import Sequence

import click

from ganzoo._names import printable
from ganzoo.errors import BadInput, suggest

GROUPS = {
    "Make": ("train", "sweep", "runs", "evaluate", "compare"),
    "Use": ("list", "info", "sample", "pull", "import"),
    "Share": ("publish", "bundle"),
    "Extend": ("plugins", "new", "check", "install", "uninstall"),
}
"""The commands by what people do, in the order of the help."""


class Commands(click.Group):
    """A group whose help has a section for each of `GROUPS`; each command has its first paragraph for a summary."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of commands."""
        for title, names in GROUPS.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            with formatter.section(title):
                formatter.write_dl([(name, summary(command)) for name, command in found])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises `BadInput` for an unknown one, which may be the name of something else."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            raise BadInput(f"there is no command '{args[0]}'; {self.advise(args[0])}") from error

    def advise(self, word: str) -> str:
        """Return the second half of a message about a word that is no command."""
        from ganzoo.plugins.catalog import catalog

        if kinds := catalog().kinds_of(word):
            train = f" and 'ganzoo train {word}' trains it" if "recipe" in kinds else ""
            return f"'{word}' is {join(kinds)}: 'ganzoo info {word}' describes it{train}"
        return suggest(word, self.commands)


def summary(command: click.Command) -> str:
    """Return the first paragraph of a command's help, which is one sentence."""
    return printable(" ".join((command.help or "").partition("\n\n")[0].split()))


def join(kinds: Sequence[str]) -> str:
    """Return kinds of things as words: "an architecture and a recipe"."""
    return " and ".join(f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in kinds)
