"""The command that trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ganzoo.cli.params import parse_loss, parse_options
from ganzoo.cli.terminal import rank, say, with_debug
from ganzoo.errors import BadInput


@click.command()
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
    """Train by RECIPE, a name from 'ganzoo list recipes' or a TOML file; or continue with --resume RUN.

    The keys for -o are those of a recipe: train.steps, train.epochs, train.batch, train.critic_steps, train.ema,
    optimizer.name, optimizer.lr, optimizer.generator.lr, data.size, loss.NAME.weight, architecture.OPTION and more;
    the recipe.toml of any run shows them all with their values.
    """
    if bool(recipe) == bool(resume):
        raise BadInput("give either a recipe ('ganzoo list recipes' shows them) or --resume RUN, not both")
    if resume and (out or overwrite or init):
        raise BadInput("--resume continues the run in its folder; leave out --out, --overwrite and --init")
    flags = {
        "data.name": data,
        "train.precision": precision,
        "train.seed": seed,
        "data.root": data_root,
        "train.init": init,
    }
    changes: dict[str, Any] = {"loss": [parse_loss(text) for text in losses]} if losses else {}
    changes |= {key: value for key, value in flags.items() if value is not None} | parse_options(options)
    from ganzoo.training import train as training

    if resume:
        run = training.train(out=resume, device=device, resume=True, **changes)
    elif rank() is None and recipe:
        # Loaded here, so that a misspelt name is refused before torch is imported.
        from ganzoo.recipe.recipe import Recipe

        loaded = Recipe.load(recipe, **changes)
        run = training.train(loaded, out=out, device=device, overwrite=overwrite)
    else:  # under torchrun all processes load it, and the first one reports what is wrong with it
        run = training.train(recipe, out=out, device=device, overwrite=overwrite, **changes)
    if not rank():
        for path in run.list_outputs():
            say(path)


COMMANDS = (train,)
