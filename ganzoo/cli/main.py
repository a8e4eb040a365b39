"""The command line: parse, call, print. Heavy imports stay inside the commands."""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import ganzoo
from ganzoo._version import __version__
from ganzoo.cli import plugins as plugin_commands
from ganzoo.cli.params import parse_fixed, parse_loss, parse_names, parse_options
from ganzoo.cli.terminal import as_json, aside, offline_flag, print_json, print_table, rank, shown, with_debug
from ganzoo.errors import BadInput, Error, Failed, Gone

SECTIONS = {
    "architectures": "architecture",
    "losses": "loss",
    "recipes": "recipe",
    "data": "data",
    "models": "model",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 a bug, 2 bad input, 3 diverged, 4 network or integrity, 130/143 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with commands.make_context("ganzoo", list(words)) as context:
            code = commands.invoke(context) or 0
        sys.stdout.flush()
    except BaseException as error:
        if rank() is not None and "train" in [word for word in words if not word.startswith("-")][:1]:
            error = shared(error)
        code = tell(error, debug="--debug" in words)
        if isinstance(error, Error) and error.told is False:
            from ganzoo.training.launch import linger

            linger()
    sys.exit(code)


def shared(error: BaseException) -> BaseException:
    """What was typed wrong, as the error of all processes that torchrun has started; any other error as it is.

    Processes that were given other words hear of it too, as they wait for this one.
    """
    if isinstance(error, click.ClickException):
        error = BadInput(error.format_message())
    if not isinstance(error, Error) or isinstance(error, Gone) or error.told is not None:
        return error
    from ganzoo.training.launch import joined

    try:
        with joined() as processes, processes.together():
            raise error
    except Error as found:
        return found


def tell(error: BaseException, debug: bool) -> int:
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
        if error.told is not False:
            click.echo(f"error: {shown(str(error))}{hint}", err=True)
        return error.exit_code
    if not debug:
        traceback.print_exception(error)
    click.echo("this is a bug in ganzoo or in a plugin; please report it with the lines above", err=True)
    return 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ganzoo")
@click.option("--debug", is_flag=True, help="Show the traceback of any error.")
def commands(debug: bool) -> None:
    """Train, sample and share generative adversarial networks by name."""


for command in plugin_commands.COMMANDS:
    commands.add_command(command)


@commands.command("list")
@click.argument("section", required=False, type=click.Choice(list(SECTIONS)))
@as_json
@with_debug
def list_(section: str | None, json: bool) -> None:
    """What is there: architectures, losses, recipes, data and models."""
    from ganzoo.cli.listing import models, things

    if section == "models":
        rows = models()
        columns = ("name", "registry", "architecture", "data", "size", "scores", "source", "here")
        print_json(rows) if json else print_table("model", rows, columns)
        return
    rows = [row for row in things() if section is None or row["kind"] == SECTIONS[section]]
    if json:
        keys = ("kind", "name", "distribution", "version")
        print_json([{key: row[key] for key in keys} for row in rows])
        return
    for kind in dict.fromkeys(row["kind"] for row in rows):
        print_table(kind, [row for row in rows if row["kind"] == kind], ("name", "distribution", "summary"))
    if not rows:
        click.echo(f"there are no {section or 'plugins'} yet")


@commands.command()
@click.argument("name")
@with_debug
def info(name: str) -> None:
    """What NAME is: an architecture, loss, recipe, data set or model, hub:owner/name, a run or a model folder."""
    from ganzoo.cli.listing import describe

    click.echo(describe(name))


@commands.command()
@click.argument("recipe", required=False)
@click.option("--data", metavar="NAME|FOLDER", help="Learn from this data set or folder of images.")
@click.option(
    "--loss", "losses", multiple=True, metavar="NAME[,option=value]...", help="Instead of the recipe's losses."
)
@click.option("-o", "options", multiple=True, metavar="section.key=value", help="Change a key of the recipe.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Run folder; runs/NAME-001 counting up.")
@click.option("--overwrite", is_flag=True, help="Replace the run in --out.")
@click.option("--init", metavar="MODEL", help="Begin with this pretrained generator; as for 'sample'.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Continue this run.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N|mps")
@click.option("--precision", metavar="auto|fp32|bf16|fp16")
@click.option("--seed", type=int)
@click.option("--data-root", metavar="DIR", help="Where downloaded data sets lie; else GANZOO_DATA, else a cache.")
@with_debug
def train(
    recipe: str | None,
    data: str | None,
    losses: Sequence[str],
    options: Sequence[str],
    out: Path | None,
    overwrite: bool,
    init: str | None,
    resume: Path | None,
    device: str,
    precision: str | None,
    seed: int | None,
    data_root: str | None,
) -> None:
    """Train by RECIPE, a name from 'ganzoo list recipes' or a TOML file; or go on with --resume RUN.

    The keys for -o are those of a recipe: train.steps, train.epochs, train.batch, train.critic_steps, train.ema,
    optimizer.name, optimizer.lr, optimizer.generator.lr, data.size, loss.NAME.weight, architecture.OPTION and more;
    the recipe.toml of any run shows them all with their values.
    """
    if bool(recipe) == bool(resume):
        raise BadInput("say either a recipe ('ganzoo list recipes' shows them) or --resume RUN, and not both")
    if resume and (out or overwrite or init):
        raise BadInput("--resume goes on with the run in its folder; leave --out, --overwrite and --init away")
    flags = {
        "data.name": data,
        "train.precision": precision,
        "train.seed": seed,
        "data.root": data_root,
        "train.init": init,
    }
    changes: dict[str, Any] = {"loss": [parse_loss(text) for text in losses]} if losses else {}
    changes |= {key: value for key, value in flags.items() if value is not None} | parse_options(options)
    if resume:
        run = ganzoo.train(out=resume, device=device, resume=True, **changes)
    else:
        if rank() is None:  # else the first process has to say what is wrong with it
            # Loaded here, so that a misspelt name is told before torch is imported.
            from ganzoo.recipe.recipe import Recipe

            recipe, changes = Recipe.load(recipe, **changes), {}
        run = ganzoo.train(recipe, out=out, device=device, overwrite=overwrite, **changes)
    if not rank():
        for path in run.written():
            click.echo(path)


@commands.command()
@click.argument("model")
@click.option("-n", "count", type=click.IntRange(1), help="How many: 64 images, 2,500 points, 8 in each row.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Fix a latent: label=7, label=cat, code=3.")
@click.option("--rows", default="", metavar="KEY[=V,V,...]", help="A row for each value: label, or c1=-1,0,1.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.png|FOLDER|FILE.npz", help="Where to.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N|mps")
@offline_flag
@with_debug
def sample(
    model: str,
    count: int | None,
    seed: int,
    fixed: Sequence[str],
    rows: str,
    out: Path | None,
    overwrite: bool,
    device: str,
) -> None:
    """Draw samples from MODEL: one picture, a folder of single images, or an array file.

    MODEL is a name from 'ganzoo list models', hub:owner/name[@revision], or a run or model folder. A folder gets a
    sub-folder for each class where the model's images have labels: it can be trained on.
    """
    values = parse_fixed(fixed)
    from ganzoo.zoo.export import write

    click.echo(write(model, count, seed, out, overwrite, device, aside, rows, values))


@commands.command()
@click.argument("model", metavar="RUN|MODEL")
@click.option("--data", metavar="NAME|FOLDER", help="What to compare with, if not what the model learned from.")
@click.option("-n", "count", type=click.IntRange(1), default=10_000, show_default=True, help="Samples on each side.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--metrics", metavar="NAME,NAME...", help="Only these; fid, inception-kid and inception-score are extra.")
@as_json
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the scores there as JSON.")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N|mps")
@click.option("--data-root", metavar="DIR", help="Where downloaded data sets lie; else GANZOO_DATA, else a cache.")
@click.option("--inception-weights", type=click.Path(path_type=Path), metavar="FILE", help="Instead of a download.")
@offline_flag
@with_debug
def evaluate(
    model: str,
    data: str | None,
    count: int,
    seed: int,
    metrics: str | None,
    json: bool,
    out: Path | None,
    device: str,
    data_root: str | None,
    inception_weights: Path | None,
) -> None:
    """Measure samples of MODEL, beside real test images and with the protocol.

    The scores of a run or of a model folder are also written into its scores.json, from where 'publish' and 'bundle'
    take them.
    """
    from ganzoo.evaluation.evaluate import evaluate, scores_file
    from ganzoo.zoo.scores import check_place

    names = None if metrics is None else parse_names("--metrics", metrics)
    files = [path for path in (out, scores_file(model)) if path]
    for path in files:
        check_place(path)
    how = {"device": device, "data_root": data_root, "inception_weights": inception_weights, "say": aside}
    scores = evaluate(model, data, count, seed, names, **how)
    if json:
        print_json(scores.plain)
    else:
        print_table("metric", scores.rows(), ("name", "generated", "real", "ratio", "note"))
        click.echo(scores.conditions())
    for path in files:
        scores.save(path)
        aside(f"written to {path}")


@commands.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.png", help="Where to.")
@click.option("-n", "count", type=click.IntRange(1), default=10_000, show_default=True, help="Samples to measure.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda|cuda:N|mps")
@offline_flag
@with_debug
def compare(models: Sequence[str], out: Path, count: int, seed: int, device: str) -> None:
    """Samples and scores of several MODELs side by side in one picture."""
    from ganzoo.evaluation.compare import compare

    click.echo(compare(models, out, count, seed, device, aside))


@commands.command()
@click.argument("models", nargs=-1, metavar="MODEL...")
@click.option("--all", "everything", is_flag=True, help="Every registered model.")
@offline_flag
@with_debug
def pull(models: Sequence[str], everything: bool) -> None:
    """Download and verify pretrained models, and say where they lie.

    MODEL is a name from 'ganzoo list models', or hub:owner/name[@revision].
    """
    from ganzoo.zoo.registry import entries
    from ganzoo.zoo.resolve import folder_of

    if bool(models) == everything:
        raise BadInput("say which models to pull ('ganzoo list models' shows them), or --all")
    for source in [entry.full_name for entry in entries()] if everything else models:
        click.echo(folder_of(source, everything=True, say=aside))


@commands.command()
@click.argument("model", metavar="RUN|MODEL")
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--private", is_flag=True, help="Only you and your organisation see a new repository.")
@click.option("--license", "license_id", default="", metavar="ID", help="Such as mit, apache-2.0 or cc-by-4.0.")
@click.option("--tag", metavar="NAME", help="Name this version, such as v1.")
@click.option("--message", default="Publish with ganzoo", show_default=True, help="Of the commit.")
@click.option("--register", is_flag=True, help="Add the model to your own registry.")
@click.option("--dry-run", is_flag=True, help="Show every file and request, and send nothing.")
@with_debug
def publish(
    model: str,
    repository: str,
    private: bool,
    license_id: str,
    tag: str | None,
    message: str,
    register: bool,
    dry_run: bool,
) -> None:
    """Share a trained generator on the Hugging Face Hub; 'hf auth login' comes first."""
    from ganzoo.zoo.publish import Publication, add_entry, refuse_other

    publication = Publication(model, repository, told_license(license_id), private, tag, message)
    if dry_run:
        for line in publication.plan():
            click.echo(line)
        return
    if register:
        refuse_other(publication.name, repository)
    entry = publication.publish(aside)
    click.echo(entry, nl=False)
    if register:
        aside(f"'{publication.name}' is now in {add_entry(entry)}")


@commands.command()
@click.argument("model", metavar="RUN|MODEL")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--license", "license_id", default="", metavar="ID", help="Such as mit, apache-2.0 or cc-by-4.0.")
@with_debug
def bundle(model: str, folder: Path, license_id: str) -> None:
    """Write a complete model into FOLDER, to ship it in a package, and print its entry for a registry."""
    from ganzoo.zoo.publish import bundle

    click.echo(bundle(model, folder, told_license(license_id)), nl=False)


def told_license(license_id: str) -> str:
    """The licence, or "other" with a word about it."""
    if not license_id:
        aside("no --license, such as mit or cc-by-4.0: the model's is 'other', which tells nobody what they may do")
    return license_id or "other"
