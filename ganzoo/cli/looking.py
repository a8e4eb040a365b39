"""Commands that show what there is to use."""

from typing import Any

import click

from ganzoo.cli.completion import ANYTHING
from ganzoo.cli.params import OneOf
from ganzoo.cli.terminal import as_json, aside, print_json, say, terminal_width, with_debug

SECTIONS = {
    "architectures": "architecture",
    "losses": "loss",
    "callbacks": "callback",
    "recipes": "recipe",
    "data": "data",
    "kinds": "kind",
    "metrics": "metrics",
    "importers": "importer",
    "models": "model",
    "keys": "key",
}
"""The sections of 'ganzoo list', with the kind of thing in each."""
COLUMNS = {
    "keys": ("name", "type", "default", "meaning"),
    "metrics": ("name", "measures", "summary", "distribution"),
    "models": ("name", "architecture", "data", "here", "size", "scores", "registry", "source"),
}
"""The columns of the sections that have their own; narrow terminals leave out the last ones first."""
DROP = {"keys": ("type", "default", "meaning")}
"""The columns that narrow terminals leave out where these are not the last ones."""


@click.command("list")
@click.argument("section", required=False, type=OneOf(list(SECTIONS)))
@as_json
@with_debug
def list_(section: str | None, json: bool) -> None:
    """List what there is to use: architectures, losses, callbacks, recipes, data sets, models.

    On request also the kinds of samples, the suites of metrics, the formats of 'ganzoo import', or a recipe's keys.
    """
    from ganzoo.cli.listing import keys, models, on_request, things
    from ganzoo.plugins.catalog import catalog
    from ganzoo.plugins.registration import ON_REQUEST
    from ganzoo.zoo.registry import Registry

    on_request_only = SECTIONS.get(section or "") in ON_REQUEST
    if not on_request_only and section not in ("data", "keys") and (absent := catalog().absent):
        aside(absent)
    if section == "keys":
        rows = keys()
    elif section == "models":
        rows = models(Registry())
    elif section and on_request_only:
        rows = on_request(SECTIONS[section])
    else:
        rows = [row for row in things(Registry()) if section is None or row["kind"] == SECTIONS[section]]
    print_json(rows) if json else print_sections(section, rows)


def print_sections(section: str | None, rows: list[dict[str, Any]]) -> None:
    """Print a table for each kind of thing."""
    from ganzoo.cli.listing import headline
    from ganzoo.cli.tables import draw_table, note_left_out

    columns, left_out = COLUMNS.get(section or "", ("name", "summary", "distribution")), dict[str, None]()
    if section == "models":
        rows = [row | {"scores": headline(row["scores"]), "size": f"{row['size'] / 1e6:.1f} MB"} for row in rows]
    if section == "keys":
        from ganzoo.recipe.keys import write_value

        rows = [row | {"default": "" if row["default"] is None else write_value(row["default"])} for row in rows]
    for place, kind in enumerate(dict.fromkeys(row["kind"] for row in rows)):
        if place:
            say("")
        own = [row for row in rows if row["kind"] == kind]
        left_out |= dict.fromkeys(draw_table(str(kind), own, columns, DROP.get(section or "")))
    note_left_out([*left_out])
    if not rows:
        say(f"there are no {section or 'plugins'} yet")


@click.command()
@click.argument("name", shell_complete=ANYTHING)
@as_json
@with_debug
def info(name: str, json: bool) -> None:
    """Describe NAME: an architecture, loss, callback, recipe, data set or model, hub:owner/name, a run or a folder.

    NAME may also be a kind of samples, a suite of metrics, a format of 'ganzoo import', a key of a recipe, such as
    train.ema, or a section of it.
    """
    from ganzoo.cli.facts import collect_facts
    from ganzoo.cli.wording import write_facts

    found = collect_facts(name)
    print_json(found) if json else say(write_facts(found, terminal_width()))


COMMANDS = (list_, info)
