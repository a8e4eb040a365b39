"""Commands about plugins: list, check, install, and begin one."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli import completion
from ganzoo.cli.tables import print_table
from ganzoo.cli.terminal import as_json, aside, print_json, say, with_debug
from ganzoo.errors import BadInput

if TYPE_CHECKING:
    from ganzoo.plugins.catalog import PluginRow, ProvidedRow

MAX_NAMES = 50
"""The most names that a row of the table of plugins shows; a plugin's own page shows all."""
PLUGIN_COLUMNS = ("distribution", "version", "status", "reason", "ms", "provides")

PLUGIN_DROP = ("ms", "version", "provides", "reason")
"""The columns that a narrow terminal leaves out, the first one first."""
complete_plugin = completion.complete(completion.plugins)


@click.command()
@click.argument("name", required=False, shell_complete=complete_plugin)
@click.option("--traceback", is_flag=True, help="Show where NAME failed.")
@as_json
@with_debug
def plugins(name: str | None, traceback: bool, json: bool) -> None:
    """List installed plugins, or NAME alone: whether it works, what it provides, and how long loading it takes."""
    from ganzoo.plugins.catalog import catalog, plugin_rows

    if traceback and not name:
        raise BadInput("--traceback needs the name of a plugin: ganzoo plugins NAME --traceback")
    rows = plugin_rows(name)
    if absent := catalog().absent:
        aside(absent)
    if json:
        print_json(rows)
        return
    things = [thing for row in rows for thing in row["provides"]]
    print_table("plugin", [plugin_cells(row) for row in rows], PLUGIN_COLUMNS, PLUGIN_DROP)
    if name and things:
        print_table("what", [provided_cells(thing) for thing in things], ("name", "kind", "where"))
    if traceback:
        say("\n".join(row["traceback"] or not_failed(row["distribution"]) for row in rows))


def plugin_cells(row: "PluginRow") -> dict[str, str]:
    """Return a plugin's row as the cells of a table."""
    names = list(dict.fromkeys(thing["name"] for thing in row["provides"]))
    more = [f"and {len(names) - MAX_NAMES:,} more"] if len(names) > MAX_NAMES else []
    return {
        "distribution": row["distribution"],
        "version": row["version"],
        "status": row["status"],
        "reason": row["reason"],
        "ms": str(row["ms"] or ""),
        "provides": ", ".join(names[:MAX_NAMES] + more),
    }


def provided_cells(thing: "ProvidedRow") -> dict[str, str]:
    """Return a thing that a plugin provides as the cells of a table."""
    return {"kind": thing["kind"], "name": thing["name"], "where": ", ".join(thing["targets"].values())}


def not_failed(distribution: str) -> str:
    """Return the line for a plugin without a traceback."""
    return f"{distribution} did not fail; 'ganzoo check {distribution}' tries what it registers"


@click.command()
@click.argument("plugin", required=False, shell_complete=complete_plugin)
@click.option("--image", metavar="C,H,W", help="Channels, height and width; by default the first that fits of a few.")
@click.option(
    "-o",
    "options",
    multiple=True,
    metavar="name.option=value",
    help="An option of something that PLUGIN registers, such as -o pairs.path=photographs.",
)
@as_json
@with_debug
def check(plugin: str | None, image: str | None, options: Sequence[str], json: bool) -> int:
    """Check that PLUGIN, or every installed one, keeps the contract; exit with 2 if a check fails.

    What a recipe of the plugin uses has its options, losses and data. The same checks run in pytest with the line
    test_plugin = ganzoo.testing.checks("PLUGIN"), which also takes batches for architectures that need more than images
    and labels.
    """
    from ganzoo.plugins.catalog import catalog, reconsider

    if plugin:
        reconsider(plugin)
    shape = parse_shape(image) if image is not None else None
    if options and not plugin:
        raise BadInput("-o needs the name of a plugin: ganzoo check PLUGIN -o name.option=value")
    given = parse_named_options(options)
    found = catalog().of(plugin) if plugin else catalog().plugins
    rows: list[dict[str, str]] = []
    for name in dict.fromkeys(each.distribution for each in found):
        aside(f"checking {name} ...")
        own = check_rows(name, shape, given)
        rows += own
        if not json:
            print_table("plugin", failures_last(own), ("thing", "check", "result", "reason"), ("check", "thing"))
            say(f"{name}: {count_results(own)}")
    if json:
        print_json(rows)
    elif not rows:
        say("there are no plugins yet")
    return BadInput.exit_code if any(row["result"] == "failed" for row in rows) else 0


RESULTS = ("ok", "skipped", "failed")


def failures_last(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Sort rows so that failures stand last, nearest to the prompt; a repeated reason is printed once."""
    ordered = sorted(rows, key=lambda row: RESULTS.index(row["result"]))
    reasons = [row["reason"] for row in ordered]
    repeated = [bool(reason) and reason in reasons[:place] for place, reason in enumerate(reasons)]
    return [row | {"reason": "(as above)"} if again else row for row, again in zip(ordered, repeated, strict=True)]


def count_results(rows: Sequence[dict[str, str]]) -> str:
    """Count results, as `14 ok, 1 failed`."""
    endings = [row["result"] for row in rows]
    return ", ".join(f"{endings.count(result)} {result}" for result in RESULTS if result in endings)


def parse_shape(image: str) -> tuple[int, int, int]:
    """Parse channels, height and width such as "3,32,32". Raises `BadInput` for anything else."""
    sizes = tuple(int(word) for word in image.split(",") if word.strip().isdecimal())
    if len(sizes) != 3 or image.count(",") != 2 or not all(sizes):
        raise BadInput(f"--image is channels, height and width, such as 3,32,32; got '{image}'")
    return sizes


def parse_named_options(options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Parse `name.option=value` arguments into options by the name of what has them; a name may have dots itself."""
    from ganzoo.recipe.overrides import parse_value

    given: dict[str, dict[str, Any]] = {}
    for text in options:
        key, equals, value = text.partition("=")
        name, dot, option = key.strip().rpartition(".")
        if not (equals and dot and name and option):
            raise BadInput(f"'-o {text}' is not name.option=value, such as -o pairs.path=photographs")
        given.setdefault(name, {})[option] = parse_value(value.strip())
    return given


def check_rows(
    plugin: str, image: tuple[int, int, int] | None, options: dict[str, dict[str, Any]]
) -> list[dict[str, str]]:
    """Run the checks of a plugin; return a row for each. What the plugin prints goes to standard error."""
    from ganzoo import testing

    rows = []
    with contextlib.redirect_stdout(sys.stderr):
        for each in testing.checks_of(plugin, image=image, options=options):
            result, reason = each.result()
            thing = f"{each.kind} {each.name}"
            rows.append({"plugin": plugin, "thing": thing, "check": each.title, "result": result, "reason": reason})
    return rows


@click.command()
@click.argument("name")
@click.option("--architecture", is_flag=True, help="A generator and a discriminator; the default.")
@click.option("--loss", is_flag=True, help="A loss or a penalty.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="RUN|FILE.py",
    help="The code of a run that was trained with classes in files, or of such a file, instead of a template.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where the folder goes.")
@with_debug
def new(name: str, architecture: bool, loss: bool, source: Path | None, out: Path) -> None:
    """Begin a plugin of your own: a complete distribution in a new folder.

    NAME gets the prefix ganzoo-, by which people find plugins. The folder has code, a recipe, a test, a README, the
    MIT licence and a workflow that runs the test. --from puts code that you have trained with into it, unchanged.
    """
    from ganzoo.plugins.scaffold import scaffold

    if architecture + loss + bool(source) > 1:
        raise BadInput("a new plugin begins with --architecture, with --loss or with --from, and with no two of them")
    if source:
        from ganzoo.recipe.adoption import adopt

        folder, short, things = adopt(name, source, out)
    else:
        kind = "loss" if loss else "architecture"
        folder, short = scaffold(name, kind, out)
        things = [f"{kind} '{short}'"]
    if folder.name != name:
        aside(f"'{name}' becomes '{folder.name}': the names of plugins begin with ganzoo-")
    say(f"a plugin with the {' and the '.join(things)} is in {folder}; next:\n")
    for line in next_commands(folder, short, source):
        say(f"    {line}")


def next_commands(folder: Path, short: str, source: Path | None) -> list[str]:
    """Return the commands to type after a plugin was made, perhaps of the code of a run."""
    import shlex

    place = shlex.quote(str(folder))
    local = place if folder.is_absolute() else f"./{place}"
    is_run = source and (source / "model").is_dir()
    more = [f"ganzoo publish {shlex.quote(str(source))} OWNER/NAME"] if is_run else []
    return [f"ganzoo install -e {local}", f"python -m pytest {place}", f"ganzoo train {short}", *more]


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="PLUGIN...", shell_complete=completion.complete(path="dir"))
@click.option("-e", "--editable", is_flag=True, help="Leave a folder's code where it is; changes count at once.")
@click.option("--upgrade", is_flag=True, help="Take the newest version.")
@with_debug
def install(words: Sequence[str], editable: bool, upgrade: bool) -> None:
    """Install plugins into this environment with pip or uv, and list what they provide.

    PLUGIN is a package name, a folder with a pyproject.toml, a wheel or an address such as
    https://github.com/owner/name. A plugin is code that runs on this machine: install those of people you trust.
    """
    from ganzoo.plugins.install.report import install

    for line in install(words, editable, upgrade):
        say(line)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=complete_plugin)
@with_debug
def uninstall(names: Sequence[str]) -> None:
    """Uninstall plugins by the names of their distributions, and list what was removed."""
    from ganzoo.plugins.install.report import uninstall

    for line in uninstall(names):
        say(line)


COMMANDS = (plugins, check, new, install, uninstall)
