"""What commands share: flags, messages on standard error, tables and JSON."""

import json as jsonlib
import logging
import math
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ganzoo._faults import hide_passwords
from ganzoo._names import printable

MAX_SHOWN_CHARACTERS = 2000
"""The longest message that is shown in full."""

offline_flag = click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    # Before the Hub's client is imported, which then sends no request of its own either.
    callback=lambda context, option, value: os.environ.update(HF_HUB_OFFLINE="1") if value else None,
    help="Send no request; take what was pulled before.",
)


def offer_files(context: click.Context, option: click.Parameter, values: Sequence[Path]) -> None:
    """Offer the files of --code to the models of this command."""
    from ganzoo.plugins.kept import offer

    for path in values:
        offer(path)


with_code = click.option(
    "--code",
    multiple=True,
    expose_value=False,
    callback=offer_files,
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="Run this file for a model whose generator is a class in it; not needed for files that you trained with.",
)
as_json = click.option("--json", is_flag=True, help="Print JSON.")
with_debug = click.option("--debug", is_flag=True, hidden=True, expose_value=False)


def rank() -> int | None:
    """Return the rank of this process under torchrun, None without torchrun."""
    return int(os.environ["RANK"]) if "TORCHELASTIC_RUN_ID" in os.environ else None


# All that a command prints goes through `say`, `aside`, `show_traceback` and `draw_table`: a name, a summary or an
# error may come from anybody, and a terminal acts on the control characters in it.


def say(text: object, end: str = "\n") -> None:
    """Print a result on standard output, of one or several lines."""
    click.echo(printable(str(text), kept="\n\t") + end, nl=False)


def aside(sentence: str) -> None:
    """Print a message in one line on standard error; standard output is for the results of a command."""
    clean = printable(sentence)
    short = clean if len(clean) <= MAX_SHOWN_CHARACTERS else f"{clean[:MAX_SHOWN_CHARACTERS]} ..."
    click.echo(short, err=True)


def show_traceback(error: BaseException) -> None:
    """Print where an error comes from on standard error, without the passwords of URLs."""
    lines = hide_passwords("".join(traceback.format_exception(error)))
    click.echo(printable(lines, kept="\n\t"), err=True, nl=False)


class TerminalHandler(logging.Handler):
    """Prints the messages of the package on standard error, where a progress bar may take them over."""

    is_terminal = True

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message as it is, without level or time."""
        aside(record.getMessage())


@contextmanager
def log_on_terminal() -> Iterator[None]:
    """Print what the package logs meanwhile, and Python's warnings.

    Of several processes the first prints all, the others warnings only.
    """
    logger, handler = logging.getLogger("ganzoo"), TerminalHandler()
    level, show_warning = logger.level, warnings.showwarning
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if rank() else logging.INFO)
    warnings.showwarning = log_warning
    try:
        yield
    finally:
        warnings.showwarning = show_warning
        logger.setLevel(level)
        logger.removeHandler(handler)


def log_warning(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
    """Log a warning of Python's in one line, without the place in the code."""
    logging.getLogger(__name__).warning("%s: %s", category.__name__, message)


def terminal_width() -> int | None:
    """Return the width of the terminal that standard output is, None for anything else, such as a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_json(value: Any) -> None:
    """Print plain values as JSON, with null for a number that is not finite, and dates as text."""
    say(jsonlib.dumps(to_json(value), indent=2, default=str))


def to_json(value: Any) -> Any:
    """Return a plain value as JSON has it, which knows neither NaN nor infinity."""
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
