"""Errors at the command line: which process prints them, in which words, and the exit code."""

import errno
import os
import sys

import click

from ganzoo._faults import is_out_of_memory
from ganzoo.cli.terminal import aside, rank, show_traceback
from ganzoo.errors import BadInput, Error, Failed, Interrupted, PeerLost


def share_error(error: BaseException) -> BaseException:
    """Raise an error of the command line in all processes of torchrun, and return it; return other errors unchanged.

    Processes that were started with other arguments must end too, since they wait for this one.
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
    """Print an error on standard error; return its exit code."""
    if debug:
        show_traceback(error)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        if not rank():
            aside("interrupted")
        return 130
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC):
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if error.errno == errno.EPIPE else BadInput.exit_code
    if isinstance(error, click.ClickException):
        aside(f"error: {error.format_message()}")
        return error.exit_code
    if isinstance(error, Error):
        hint = " (--debug shows where)" if type(error) is Failed and not debug else ""
        if error.reported_by_me is not False:
            kind = "" if isinstance(error, Interrupted) else "error: "  # the user has asked for it
            aside(f"{kind}{error}{hint}")
        return error.exit_code
    if is_out_of_memory(error):
        aside("error: there is not enough memory for this")
        return BadInput.exit_code
    if not debug:
        show_traceback(error)
    aside("this is a bug in ganzoo or in a plugin; please report it with the lines above")
    return 1
