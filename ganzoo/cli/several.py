"""Commands about several runs or models: list them, compare them, train a grid of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.advice import WithKeys
from ganzoo.cli.completion import MODELS, complete_key, complete_loss
from ganzoo.cli.params import COUNT, SEED, data_option, device_option, parse_grid, parse_loss, recipe_argument
from ganzoo.cli.terminal import as_json, aside, offline_flag, print_json, rank, say, with_code, with_debug
from ganzoo.errors import BadInput, Failed

if TYPE_CHECKING:
    from ganzoo.comparison.sweep import Sweep
    from ganzoo.comparison.table import Table
    from ganzoo.training.runs.summary import Summary


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@as_json
@click.option("--csv", is_flag=True, help="Print the log of one run, FOLDER, as CSV instead.")
@with_debug
def runs(folder: Path | None, json: bool, csv: bool) -> None:
    """List runs with recipe, data, steps, time, best score and state: those in FOLDER, by default in 'runs'."""
    if csv:
        say(read_csv(folder, json), end="")
        return
    from ganzoo.training.runs.folders import RUNS_FOLDER
    from ganzoo.training.runs.summary import list_runs

    if folder is None and not RUNS_FOLDER.exists():
        print_json([]) if json else say("there are no runs here yet: ganzoo train RECIPE makes one")
        return
    found = list_runs(folder or RUNS_FOLDER)
    if json:
        print_json([summary.plain for summary in found])
    elif found:
        columns = ("name", "recipe", "data", "steps", "time", "best", "state")
        from ganzoo.cli.tables import print_table

        print_table(
            "run", [show_summary(summary) for summary in found], columns, ("time", "data", "recipe", "best", "steps")
        )
    else:
        say(f"there are no runs in {folder or RUNS_FOLDER}")


def read_csv(run: Path | None, json: bool) -> str:
    """Return the log of a run as CSV. Raises `BadInput` where no run, or JSON, too, is asked for."""
    from ganzoo._io import expand_user
    from ganzoo.training.runs.log import format_csv, read_lines

    if json:
        raise BadInput("give either --csv or --json")
    if run is None or not (expand_user(run) / "recipe.toml").is_file():
        given = "no folder was given" if run is None else f"'{run}' is not a run: it has no recipe.toml"
        raise BadInput(f"--csv prints the log of one run, such as runs/dcgan-001, and {given}")
    return format_csv(read_lines(expand_user(run) / "metrics.jsonl"))


def show_summary(summary: "Summary") -> dict[str, str]:
    """Return the cells of a run in a table."""
    from ganzoo.comparison.table import format_seconds
    from ganzoo.training.runs.summary import STATES

    best = "" if summary.best is None else f"{summary.metric} {summary.best:.4g} at {summary.best_step:,}"
    steps = "" if summary.step is None else f"{summary.step:,}"
    steps += f" of {summary.steps:,}" if summary.steps and summary.steps != summary.step else ""
    return {
        "name": summary.run,
        "recipe": summary.recipe or "",
        "data": summary.data or "",
        "steps": steps,
        "time": "" if summary.seconds is None else format_seconds(summary.seconds),
        "best": best,
        "state": STATES[summary.state] + (f": {summary.reason}" if summary.state in ("damaged", "failed") else ""),
    }


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="RUN|MODEL...", shell_complete=MODELS)
@click.option(
    "--out",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.png|.gif|.csv|.md|.json",
    help="Write a page, a film of the trainings, or the table; may be given several times.",
)
@click.option("--metric", metavar="NAME", help="The curve on the page, a key of metrics.jsonl, such as diversity.")
@click.option("-n", "count", type=COUNT, help="Samples to measure; by default 10,000, or as many as the data allow.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@as_json
@device_option
@offline_flag
@with_code
@with_debug
def compare(
    models: Sequence[str],
    files: Sequence[Path],
    metric: str | None,
    count: int | None,
    seed: int,
    json: bool,
    device: str,
) -> None:
    """Compare runs and models: what sets them apart, their samples, curves and scores.

    Each is a name from 'ganzoo list models', hub:owner/name[@revision], a run or a model folder; a sweep stands for all
    its runs. Without --out the table is printed. A .png page has samples, real ones beside them, and the curves.
    """
    from ganzoo.comparison.compare import PAGE_SUFFIXES, compare
    from ganzoo.comparison.table import check_files

    check_files(files, PAGE_SUFFIXES)
    found = compare(models, count, seed, device)
    found.curves(metric)  # a metric that no log has is refused before anything is drawn
    if json:
        print_json(found.table.plain())
    elif not files:
        print_comparison(found)
    for path in files:
        say(found.save(path, metric))


def print_comparison(found: Any) -> None:
    """Print what sets each model apart, and a table with a column for each of them."""
    table = found.table
    heads = [*found.letters, *(str(row["model"]) for row in table.rows[len(found.columns) :])]
    for letter, column in zip(found.letters, found.columns, strict=True):
        say(f"{letter}  {column.name}: {column.title or column.kind}")
    names = [name for name in table.columns if name in table.better or name == "diversity"]
    rows = [{"name": name} | {head: table.cell(place, name) for place, head in enumerate(heads)} for name in names]
    if rows:
        from ganzoo.cli.tables import print_table

        print_table("metric", rows, ("name", *heads))
    for sentence in table.legend():
        say(sentence)


@click.command(cls=WithKeys)
@recipe_argument
@click.option(
    "-o",
    "options",
    multiple=True,
    metavar="section.key=value,value...",
    help="Values of a key, with commas between them; a single value is for all runs.",
    shell_complete=complete_key,
)
@click.option("--seeds", metavar="N,N...", help="Train each setting with these seeds.")
@data_option
@click.option(
    "--loss",
    "losses",
    multiple=True,
    metavar="NAME[,option=value]...",
    help="Losses of all runs.",
    shell_complete=complete_loss,
)
@click.option(
    "--out",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.csv|.md|.json",
    help="Folder of the runs; runs/NAME-sweep-001 counting up. Or a file for the table.",
)
@click.option("--resume", type=click.Path(path_type=Path), metavar="SWEEP", help="Continue this sweep.")
@click.option("--evaluate", is_flag=True, help="Also measure each run with the metrics of its data.")
@as_json
@device_option
@click.option("--precision", metavar="auto|fp32|bf16|fp16")
@click.option("--data-root", metavar="DIR", help="Where downloaded data sets lie; else GANZOO_DATA, else a cache.")
@with_debug
def sweep(
    recipe: str | None,
    options: Sequence[str],
    seeds: str | None,
    data: str | None,
    losses: Sequence[str],
    places: Sequence[Path],
    resume: Path | None,
    evaluate: bool,
    json: bool,
    device: str,
    precision: str | None,
    data_root: str | None,
) -> None:
    """Train RECIPE with every combination of the values of -o, one after the other, and print a table.

    -o optimizer.lr=1e-3,2e-4 -o loss.r1.gamma=0.1,1 makes four runs. Commas outside brackets and quotes separate
    values: optimizer.betas=[0.5,0.9] is one value, optimizer.betas=[0.5,0.9],[0.0,0.9] are two. The same command goes
    on where it was stopped.
    """
    flags = {"data.name": data, "train.precision": precision, "data.root": data_root}
    changes: dict[str, Any] = {"loss": [parse_loss(text) for text in losses]} if losses else {}
    changes |= {key: value for key, value in flags.items() if value is not None}
    run_sweep(recipe, changes, parse_grid(options, seeds), places, resume, evaluate, json, device)


def run_sweep(
    recipe: str | None,
    changes: dict[str, Any],
    grid: dict[str, list[Any]],
    places: Sequence[Path],
    resume: Path | None,
    evaluate: bool,
    json: bool,
    device: str,
) -> None:
    """Train a sweep and print its table, as 'ganzoo sweep' and 'ganzoo train --seeds' do."""
    if rank() is not None:  # here too, before torch is imported
        from ganzoo.comparison.grid import NOT_UNDER_TORCHRUN

        raise BadInput(NOT_UNDER_TORCHRUN)
    if (recipe is None) == (resume is None):
        raise BadInput("give either a recipe ('ganzoo list recipes' shows them) or --resume SWEEP")
    from ganzoo.comparison.table import SUFFIXES, check_files

    folders, files = split_places(places, SUFFIXES)
    check_files(files)
    if resume and (changes or grid or folders):
        raise BadInput("--resume continues a sweep as it was begun; leave out -o, --seeds, --out DIR and the like")
    fixed = {key: values[0] for key, values in grid.items() if len(values) == 1}
    vary = {key: values for key, values in grid.items() if len(values) > 1}
    source: Any = recipe
    if recipe is not None:  # loaded here, so that a misspelt name is refused before torch is imported
        from ganzoo.recipe.recipe import Recipe
        from ganzoo.training.naming import check_is_recipe

        check_is_recipe(recipe)
        source = Recipe.load(recipe, **changes, **fixed)
    from ganzoo.comparison.sweep import sweep

    out = resume or next(iter(folders), None)
    done = sweep(source, vary, out, device, resume=resume is not None, evaluate=evaluate)
    tell_sweep(done, files, json)


def split_places(places: Sequence[Path], suffixes: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Return folders and files among what --out was given. Raises `BadInput` for several folders."""
    files = [path for path in places if path.suffix in suffixes]
    folders = [path for path in places if path.suffix not in suffixes]
    named_as_files = [path for path in folders if path.suffix in (".png", ".gif", ".jpg", ".txt", ".toml")]
    if named_as_files and not named_as_files[0].exists():
        raise BadInput(f"'{named_as_files[0]}' is neither a folder nor a file that ends in {', '.join(suffixes)}")
    if len(folders) > 1:
        raise BadInput(f"--out takes one folder and files that end in {', '.join(suffixes)}")
    return folders, files


def tell_sweep(done: "Sweep", files: Sequence[Path], json: bool) -> None:
    """Print the table of a sweep, and write it to files."""
    table: Table = done.table
    if json:
        print_json(table.plain())
    else:
        columns = table.columns
        from ganzoo.cli.tables import print_table

        print_table(columns[0], [{"name": row[columns[0]], **row} for row in table.texts()], ("name", *columns[1:]))
        for sentence in table.legend():
            say(sentence)
    for path in files:
        table.write(path)
        aside(f"written to {path}")
    aside(f"the runs and results.csv, .md and .json are in {done.path}")
    if done.failed:
        reason = next(iter(done.failed.values()))
        raise Failed(f"{len(done.failed)} of {len(done.folders)} runs failed; the first said: {reason}")


COMMANDS = (compare, runs, sweep)
