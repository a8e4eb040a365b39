"""The command line: parse, call, print. Heavy imports stay inside the commands."""

import shutil
import sys
from collections.abc import Sequence

import click

from ganzoo._version import __version__
from ganzoo.cli import looking, models, plugins, several, training
from ganzoo.cli.completion import answer_shell
from ganzoo.cli.errors import report, share_error
from ganzoo.cli.group import Commands
from ganzoo.cli.terminal import log_on_terminal, rank, say
from ganzoo.errors import Error

MIN_HELP_WIDTH, MAX_HELP_WIDTH = 30, 98


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    0: done, 1: a bug, 2: bad input, 3: diverged, 4: network or integrity, 130 or 143: interrupted.
    """
    if answer_shell(commands):
        return
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with log_on_terminal(), commands.make_context("ganzoo", list(words), terminal_width=help_width()) as context:
            code = commands.invoke(context) or 0
        sys.stdout.flush()
    except BaseException as error:
        if rank() is not None and {"train", "sweep"} & {*[word for word in words if not word.startswith("-")][:1]}:
            error = share_error(error)
        code = report(error, debug="--debug" in words)
        if isinstance(error, Error) and error.reported_by_me is False:
            from ganzoo.training.launch import wait_for_sigterm

            wait_for_sigterm()
    sys.exit(code)


def help_width() -> int:
    """Return the width of help texts: that of the terminal, at most 98, where click itself has 50 at least."""
    return max(MIN_HELP_WIDTH, min(MAX_HELP_WIDTH, shutil.get_terminal_size().columns - 2))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="ganzoo")
@click.option("--debug", is_flag=True, help="Show the traceback of any error.")
@click.pass_context
def commands(context: click.Context, debug: bool) -> None:
    """Train, sample and share generative adversarial networks by name.

    'ganzoo COMMAND --help' describes a command. The Tab key completes commands and names with this line in ~/.bashrc,
    or the same with zsh in ~/.zshrc; fish: docs/start.md.

    \b
    eval "$(_GANZOO_COMPLETE=bash_source ganzoo)"
    """
    if context.invoked_subcommand is None:
        say(context.get_help())


for command in (*training.COMMANDS, *several.COMMANDS, *looking.COMMANDS, *models.COMMANDS, *plugins.COMMANDS):
    commands.add_command(command)
