"""The command line: parse, call, print. Heavy imports stay inside the commands."""

import sys
from collections.abc import Sequence

import click

from ganzoo._version import __version__
from ganzoo.cli import models, plugins, training
from ganzoo.cli.errors import report, share_error
from ganzoo.cli.terminal import as_json, log_on_terminal, print_json, print_table, rank, say, with_debug
from ganzoo.errors import Error

SECTIONS = {
    "architectures": "architecture",
    "losses": "loss",
    "callbacks": "callback",
    "recipes": "recipe",
    "data": "data",
    "models": "model",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    0: done, 1: a bug, 2: bad input, 3: diverged, 4: network or integrity, 130 or 143: interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with log_on_terminal(), commands.make_context("ganzoo", list(words)) as context:
            code = commands.invoke(context) or 0
        sys.stdout.flush()
    except BaseException as error:
        if rank() is not None and "train" in [word for word in words if not word.startswith("-")][:1]:
            error = share_error(error)
        code = report(error, debug="--debug" in words)
        if isinstance(error, Error) and error.reported_by_me is False:
            from ganzoo.training.launch import wait_for_sigterm

            wait_for_sigterm()
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ganzoo")
@click.option("--debug", is_flag=True, help="Show the traceback of any error.")
def commands(debug: bool) -> None:
    """Train, sample and share generative adversarial networks by name."""


for command in (*training.COMMANDS, *models.COMMANDS, *plugins.COMMANDS):
    commands.add_command(command)


@commands.command("list")
@click.argument("section", required=False, type=click.Choice(list(SECTIONS)))
@as_json
@with_debug
def list_(section: str | None, json: bool) -> None:
    """List what there is to use: architectures, losses, callbacks, recipes, data and models."""
    from ganzoo.cli.listing import models, things
    from ganzoo.zoo.registry import Registry

    if section == "models":
        rows = models(Registry())
        columns = ("name", "registry", "architecture", "data", "size", "scores", "source", "here")
        print_json(rows) if json else print_table("model", rows, columns)
        return
    rows = [row for row in things(Registry()) if section is None or row["kind"] == SECTIONS[section]]
    if json:
        keys = ("kind", "name", "distribution", "version")
        print_json([{key: row[key] for key in keys} for row in rows])
        return
    for kind in dict.fromkeys(row["kind"] for row in rows):
        print_table(kind, [row for row in rows if row["kind"] == kind], ("name", "distribution", "summary"))
    if not rows:
        say(f"there are no {section or 'plugins'} yet")


@commands.command()
@click.argument("name")
@with_debug
def info(name: str) -> None:
    """Describe NAME: an architecture, loss, callback, recipe, data set or model, hub:owner/name, a run or a folder."""
    from ganzoo.cli.listing import describe

    say(describe(name))
