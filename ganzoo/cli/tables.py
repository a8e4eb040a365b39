"""Tables on a terminal: names are never cut, text wraps between words, and columns that do not fit are left out."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ganzoo._names import printable
from ganzoo.cli.terminal import aside, terminal_width

PROSE = ("summary", "reason", "note", "meaning", "type", "provides", "scores", "check")
"""Columns whose text may wrap between its words. All others hold names and numbers, which stay on one line."""
MIN_PROSE_WIDTH = 20
"""Columns of text are at least so wide, in characters, or left out."""
GAP = 2
"""Spaces between two columns."""
MAX_PIPED_RULE = 100
"""Characters of the rule below the heads in a pipe, where a row may be much longer than a screen is wide."""

Row = Mapping[str, Any]


def print_table(kind: str, rows: Sequence[Row], columns: Sequence[str], drop: Sequence[str] | None = None) -> None:
    """Print rows of plain values as a table, without columns that are empty; say which columns did not fit.

    `kind` is the heading of the column "name". Where the terminal is too narrow the columns in `drop` are left out, the
    first one first; by default these are all but the first, from the last on. A pipe gets everything, each row on one
    line.
    """
    note_left_out(draw_table(kind, rows, columns, drop))


def note_left_out(columns: Sequence[str]) -> None:
    """Say which columns were left out, if any."""
    if columns:
        note = f"left out, since the terminal is narrow: {', '.join(columns)}; --json shows all"
        for line in textwrap.wrap(note, terminal_width() or len(note), break_on_hyphens=False):
            aside(line)


def draw_table(kind: str, rows: Sequence[Row], columns: Sequence[str], drop: Sequence[str] | None = None) -> list[str]:
    """Print the table of `print_table`, nothing without rows; return the columns that were left out."""
    if not rows:
        return []
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    heads = {column: kind if column == "name" else column for column in columns}
    cells = {column: [format_cell(row[column]) for row in rows] for column in columns}
    natural = {column: measure([head, *cells[column]]) for column, head in heads.items() if any(cells[column])}
    order = list(reversed(columns[1:])) if drop is None else drop
    shown = fit(natural, order, console.width) if console.is_terminal else natural
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False)
    for column, width in shown.items():
        table.add_column(heads[column], width=width, no_wrap=column not in PROSE, overflow="fold")
    for row in zip(*(cells[column] for column in shown), strict=True):
        table.add_row(*row)
    console.width = sum(shown.values()) + GAP * len(shown) + 1  # a name that is wider than the terminal stays whole
    with console.capture() as captured:  # rich itself would end the program where the reader of a pipe has gone
        console.print(table)
    head, rule, *lines = (line.rstrip() for line in captured.get().splitlines())
    click.echo("\n".join([head, rule if console.is_terminal else rule[:MAX_PIPED_RULE], *lines]))
    return [column for column in natural if column not in shown]


def fit(natural: Mapping[str, int], drop: Sequence[str], room: int) -> dict[str, int]:
    """Return the columns that fit into `room`, each with its width: text gives way, then columns in `drop` go."""
    shown = dict(natural)
    for column in (None, *drop):
        shown.pop(column or "", None)
        least = {name: min(width, MIN_PROSE_WIDTH) if name in PROSE else width for name, width in shown.items()}
        if (spare := room - sum(least.values()) - GAP * (len(least) - 1)) >= 0:
            return share(least, shown, spare)
    return least


def share(least: Mapping[str, int], natural: Mapping[str, int], spare: int) -> dict[str, int]:
    """Return the widths with which columns of text share `spare`, the last one taking what the others leave."""
    widths = dict(least)
    wanting = [name for name in widths if natural[name] > widths[name]]
    for place, name in enumerate(wanting):
        more = min(natural[name] - widths[name], spare // (len(wanting) - place))
        widths[name], spare = widths[name] + more, spare - more
    return widths


def measure(texts: Sequence[str]) -> int:
    """Return the width of the widest text on a terminal, where Chinese characters take two columns."""
    from rich.cells import cell_len

    return max(map(cell_len, texts))


def format_cell(value: Any) -> str:
    """Return a plain value as a person reads it: yes and no, names with commas between them, nothing for None."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(format_cell, value))
    return printable(f"{value:,}" if isinstance(value, int) else str(value))
