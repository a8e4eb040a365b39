"""Errors at the command line: who says them, in which words, and the exit code."""

import errno
import os
import sys
import traceback

import click

from ganzoo.cli.terminal import rank, shown
from ganzoo.errors import BadInput, Error, Failed, PeerLost


def share_error(error: BaseException) -> BaseException:
    """What was typed wrong, as the error of all processes that torchrun has started; any other error as it is.

    Processes that were given other words hear of it too, as they wait for this one.
    """
    if isinstance(error, click.ClickException):
        error = BadInput(error.format_message())
    if not isinstance(error, Error) or isinstance(error, PeerLost) or error.reported_by_me is not None:
        return error
    from ganzoo.training.launch import connect_processes

    try:
        with connect_processes() as processes, processes.raise_on_all_ranks():
            raise error
    except Error as found:
        return found


def report(error: BaseException, debug: bool) -> int:
    """Say what happened on standard error, and the exit code that goes with it."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        if not rank():
            click.echo("interrupted", err=True)
        return 130
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC):
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if error.errno == errno.EPIPE else BadInput.exit_code
    if isinstance(error, click.ClickException):
        click.echo(f"error: {shown(error.format_message())}", err=True)
        return error.exit_code
    if isinstance(error, Error):
        hint = " (--debug shows where)" if type(error) is Failed and not debug else ""
        if error.reported_by_me is not False:
            click.echo(f"error: {shown(str(error))}{hint}", err=True)
        return error.exit_code
    if not debug:
        traceback.print_exception(error)
    click.echo("this is a bug in ganzoo or in a plugin; please report it with the lines above", err=True)
    return 1
