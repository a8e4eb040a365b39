"""The command that trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ganzoo.cli.advice import WithKeys
from ganzoo.cli.completion import (
    MODELS,
    complete,
    complete_key,
    complete_loss,
    runs,
)
from ganzoo.cli.params import (
    SEED_KEY,
    data_option,
    device_option,
    parse_loss,
    parse_options,
    parse_seeds,
    recipe_argument,
)
from ganzoo.cli.several import run_sweep
from ganzoo.cli.terminal import rank, say, with_debug
from ganzoo.errors import BadInput


@click.command(cls=WithKeys)
@recipe_argument
@data_option
@click.option(
    "--loss",
    "losses",
    multiple=True,
    metavar="NAME|FILE.py:CLASS[,option=value]...",
    help="Instead of the recipe's losses: registered ones, or a class in a file.",
    shell_complete=complete_loss,
)
@click.option(
    "-o",
    "options",
    multiple=True,
    metavar="section.key=value",
    help="Change a key of the recipe.",
    shell_complete=complete_key,
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Run folder; runs/NAME-001 counting up.")
@click.option("--overwrite", is_flag=True, help="Replace the run in --out.")
@click.option(
    "--init", metavar="MODEL", help="Begin with this pretrained generator; as for 'sample'.", shell_complete=MODELS
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Continue this run.",
    shell_complete=complete(runs, path="dir"),
)
@device_option
@click.option(
    "--precision", metavar="auto|fp32|bf16|fp16", shell_complete=complete(lambda: ("auto", "fp32", "bf16", "fp16"))
)
@click.option("--seed", type=int)
@click.option("--seeds", metavar="N,N...", help="Train once with each of these seeds, and print mean and spread.")
@click.option("--show-augmented", is_flag=True, help="Also draw what the discriminator sees, after augmentation.")
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
    seeds: str | None,
    show_augmented: bool,
    data_root: str | None,
) -> None:
    """Train by RECIPE, a name from 'ganzoo list recipes' or a TOML file, or continue with --resume RUN.

    -o changes any key of the recipe, such as -o train.steps=5000 -o optimizer.lr=1e-4 -o data.size=128: 'ganzoo list
    keys' shows all of them, and the recipe.toml of any run their values.
    """
    check_what(recipe, resume, others=bool(out or overwrite or init))
    if seeds is not None:
        check_seeds(seeds, resume, seed, overwrite, options)
    flags = {
        "data.name": data,
        "train.precision": precision,
        "train.seed": seed,
        "data.root": data_root,
        "train.init": init,
        "train.show_augmented": show_augmented or None,
    }
    changes: dict[str, Any] = {"loss": [parse_loss(text) for text in losses]} if losses else {}
    changes |= {key: value for key, value in flags.items() if value is not None} | parse_options(options)
    if seeds is not None:
        run_sweep(recipe, changes, {SEED_KEY: parse_seeds(seeds)}, [out] if out else [], None, False, False, device)
        return
    source: Any = recipe
    if recipe and rank() is None:
        # Loaded here, so that a misspelt name is refused before torch is imported. Under torchrun all processes load
        # it later, and the first one reports what is wrong with it.
        from ganzoo.recipe.recipe import Recipe
        from ganzoo.training.naming import check_is_recipe

        check_is_recipe(recipe)
        source, changes = Recipe.load(recipe, **changes), {}
    from ganzoo.training import train as training

    if resume:
        run = training.train(out=resume, device=device, resume=True, **changes)
    else:
        run = training.train(source, out=out, device=device, overwrite=overwrite, **changes)
    if not rank():
        for path in run.list_outputs():
            say(path)


def check_what(recipe: str | None, resume: Path | None, others: bool) -> None:
    """Raise `BadInput` unless there is one thing to train: a recipe, or a run that keeps its folder."""
    if recipe is None and resume is None:
        raise BadInput("give a recipe, such as 'ganzoo train dcgan' ('ganzoo list recipes' shows all), or --resume RUN")
    if recipe and resume:
        raise BadInput(f"--resume continues {resume} by the recipe that it has; leave out '{recipe}'")
    if resume and others:
        raise BadInput("--resume continues the run in its folder; leave out --out, --overwrite and --init")


def check_seeds(seeds: str, resume: Path | None, seed: int | None, overwrite: bool, options: Sequence[str]) -> None:
    """Raise `BadInput` for what does not go with --seeds."""
    if resume:
        raise BadInput("--seeds begins new runs; a sweep that was begun goes on with: ganzoo sweep --resume FOLDER")
    if seed is not None or SEED_KEY in [text.partition("=")[0].strip() for text in options]:
        raise BadInput(f"give the seeds by --seeds {seeds} alone, without --seed or -o {SEED_KEY}")
    if overwrite:
        raise BadInput("--seeds goes on with the runs in its folder; leave out --overwrite, or choose another --out")


COMMANDS = (train,)
