"""Commands about trained models: draw samples, measure, pull, publish."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.advice import WithLatents
from ganzoo.cli.completion import MODELS, complete, data_sets, models, provided
from ganzoo.cli.params import COUNT, SCALE, SEED, device_option, parse_fixed, parse_inputs, parse_names
from ganzoo.cli.terminal import as_json, aside, offline_flag, print_json, say, with_code, with_debug
from ganzoo.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

with_inputs_option = click.option(
    "--with-inputs", is_flag=True, help="Real inputs go along, whatever the licence of their data set says."
)

license_option = click.option(
    "--license", "license_id", default="", metavar="ID", help="Such as mit, apache-2.0 or cc-by-4.0."
)
relicense_option = click.option(
    "--relicense", is_flag=True, help="The licence of the weights that the training began with allows another."
)
with_discriminator_option = click.option(
    "--with-discriminator", is_flag=True, help="The discriminator goes along, if the training kept it."
)


@click.command(cls=WithLatents)
@click.argument("model", shell_complete=MODELS)
@click.option("-n", "count", type=COUNT, help="How many: by default 64 images, 2,500 points, 16 sounds; 8 in each row.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--set", "fixed", multiple=True, metavar="KEY=VALUE", help="Fix latents: label=7, hair=short,eyes=round.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="KEY=FILE|FOLDER|FILE.npz",
    help="What it makes samples from, if it needs any: grey=photo.png.",
)
@click.option("--rows", default="", metavar="KEY[=V,V,...]", help="A row for each value: label, or c1=-1,0,1.")
@click.option("--scale", type=SCALE, metavar="N", help="Draw each pixel as N x N; grids of small images are enlarged.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.png|FOLDER|FILE.npz",
    help="Where to; or the model's own kind of file, such as rows.csv.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@device_option
@offline_flag
@with_code
@with_debug
def sample(
    model: str,
    count: int | None,
    seed: int,
    fixed: Sequence[str],
    inputs: Sequence[str],
    rows: str,
    scale: int | None,
    out: Path | None,
    overwrite: bool,
    device: str,
) -> None:
    """Draw samples from MODEL: one picture, a folder of single files, one file of its kind, or an array file.

    MODEL is a name from 'ganzoo list models', hub:owner/name[@revision], or a run or model folder. A folder gets a
    sub-folder for each class where the model's samples have labels: it can be trained on. Sounds become WAV files, rows
    of a table one CSV file: 'ganzoo list kinds'. A model that needs inputs, such as pictures to colour, takes the real
    ones that are kept with it unless --input gives others.
    """
    from ganzoo.zoo.references import parse

    values, paths, reference = parse_fixed(fixed), parse_inputs(inputs), parse(model)  # before torch is imported
    from ganzoo.zoo.export import write

    say(write(reference, count, seed, out, overwrite, device, rows, values, scale or 0, paths))


@click.command()
@click.argument("model", metavar="RUN|MODEL", shell_complete=MODELS)
@click.option(
    "--data",
    metavar="NAME|FOLDER",
    help="What to compare with, if not what the model learned from.",
    shell_complete=complete(data_sets, path="dir"),
)
@click.option("-n", "count", type=COUNT, help="Samples on each side; by default 10,000, or as many as the data allow.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--metrics",
    metavar="NAME,NAME...",
    help="Only these, such as fd,coverage; images of any data have lite0-fd, fid, dinov2-fd, ..., too.",
)
@click.option("--neighbours", is_flag=True, help="Was it copied? Only that, and --metrics: a share and a picture.")
@as_json
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the scores there as JSON.")
@device_option
@click.option("--data-root", metavar="DIR", help="Where downloaded data sets lie; else GANZOO_DATA, else a cache.")
@click.option("--inception-weights", type=click.Path(path_type=Path), metavar="FILE", help="Instead of a download.")
@offline_flag
@with_code
@with_debug
def evaluate(
    model: str,
    data: str | None,
    count: int | None,
    seed: int,
    metrics: str | None,
    neighbours: bool,
    json: bool,
    out: Path | None,
    device: str,
    data_root: str | None,
    inception_weights: Path | None,
) -> None:
    """Measure samples of MODEL beside real test images, and print the protocol.

    The scores of a run or model folder are also written to its scores.json, which 'publish' and 'bundle' read, and
    pictures of --neighbours beside them; else to --out, or the current folder.
    """
    from ganzoo.zoo.references import parse
    from ganzoo.zoo.resolve import resolve_model
    from ganzoo.zoo.scores import check_scores_file

    names = None if metrics is None else parse_names("--metrics", metrics)
    reference = parse(model)  # before torch is imported
    from ganzoo.evaluation.evaluate import evaluate, scores_file
    from ganzoo.evaluation.neighbours import list_neighbour_metrics
    from ganzoo.zoo.export import name_of
    from ganzoo.zoo.model import load_local

    names = [*(names or ()), *list_neighbour_metrics()] if neighbours else names
    files = [path for path in (out, scores_file(reference)) if path]
    for path in files:
        check_scores_file(path)
    loaded = load_local(resolve_model(reference), device)
    scores = evaluate(loaded, data, count, seed, names, data_root=data_root, inception_weights=inception_weights)
    if json:
        print_json(scores.plain)
    else:
        from ganzoo.cli.tables import print_table

        print_table("metric", scores.rows(), ("name", "generated", "real", "ratio", "note"))
        say(scores.conditions())
    for path in files:
        scores.save(path)
        aside(f"written to {path}")
    show_pictures(scores.pictures, files[0] if files else None, name_of(reference), seed)


def show_pictures(pictures: "Mapping[str, Image]", beside: Path | None, model: str, seed: int) -> None:
    """Write what suites have drawn beside a file, or into the current folder under the name of the model."""
    from ganzoo.pictures.grid import write_png

    for name, picture in pictures.items():
        path = beside.parent / f"{name}.png" if beside else Path(f"{model}-{name}.png")
        write_png(path, picture, model, seed)
        aside(f"written to {path}")


@click.command()
@click.argument("models", nargs=-1, metavar="MODEL...", shell_complete=complete(models))
@click.option("--all", "everything", is_flag=True, help="Every registered model.")
@as_json
@offline_flag
@with_debug
def pull(models: Sequence[str], everything: bool, json: bool) -> None:
    """Download and verify pretrained models, and print their folders.

    MODEL is a name from 'ganzoo list models', or hub:owner/name[@revision].
    """
    from ganzoo.zoo.references import parse
    from ganzoo.zoo.registry import Registry
    from ganzoo.zoo.resolve import resolve_model

    if bool(models) == everything:
        raise BadInput("give the models to pull ('ganzoo list models' shows them), or --all")
    registry = Registry()
    wanted = {entry.name: entry for entry in registry.entries} if everything else {}
    rows = []
    for name in wanted or models:
        local = resolve_model(wanted[name] if everything else parse(name, registry), everything=True)
        if json:
            rows.append({"model": name, "folder": str(local.folder), "config": local.config.table})
        else:
            say(local.folder)
    if json:
        print_json(rows)


@click.command()
@click.argument("model", metavar="RUN|MODEL", shell_complete=MODELS)
@click.argument("repository", metavar="OWNER/NAME")
@click.option("--private", is_flag=True, help="Only you and your organisation see a new repository.")
@license_option
@relicense_option
@click.option("--tag", metavar="NAME", help="Name this version, such as v1.")
@click.option("--message", default="Publish with ganzoo", show_default=True, help="Of the commit.")
@click.option("--register", is_flag=True, help="Add the model to your own registry.")
@with_inputs_option
@with_discriminator_option
@click.option("--dry-run", is_flag=True, help="Show every file and request, and send nothing.")
@with_code
@with_debug
def publish(
    model: str,
    repository: str,
    private: bool,
    license_id: str,
    relicense: bool,
    tag: str | None,
    message: str,
    register: bool,
    with_inputs: bool,
    with_discriminator: bool,
    dry_run: bool,
) -> None:
    """Share a trained generator on the Hugging Face Hub; 'hf auth login' comes first."""
    from ganzoo.zoo.hub.session import hide_passwords_in_client_messages
    from ganzoo.zoo.publishing.entry import add_entry, check_name_free
    from ganzoo.zoo.publishing.publish import Publication

    along = (with_inputs, with_discriminator, relicense)
    publication = Publication(model, repository, license_id, private, tag, message, *along)
    if dry_run:
        for line in publication.plan():
            say(line)
        return
    if register:
        check_name_free(publication.name, repository)
    hide_passwords_in_client_messages()
    entry = publication.publish()
    say(entry, end="")
    if register:
        aside(f"'{publication.name}' is now in {add_entry(entry)}")


@click.command()
@click.argument("model", metavar="RUN|MODEL", shell_complete=MODELS)
@click.argument("folder", type=click.Path(path_type=Path))
@license_option
@relicense_option
@with_inputs_option
@with_discriminator_option
@with_code
@with_debug
def bundle(
    model: str, folder: Path, license_id: str, relicense: bool, with_inputs: bool, with_discriminator: bool
) -> None:
    """Write a complete model into FOLDER, to ship it in a package, and print its entry for a registry."""
    from ganzoo.zoo.publishing.bundle import bundle

    say(bundle(model, folder, license_id, with_inputs, with_discriminator, relicense), end="")


@click.command("import")
@click.argument("format", shell_complete=complete(provided("importer")))
@click.argument("file", type=click.Path(path_type=Path), shell_complete=complete(path="file"))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="The new model folder.")
@click.option("--license", "license_id", metavar="ID", help="Of the weights, such as cc-by-4.0; else 'unknown'.")
@click.option("--overwrite", is_flag=True, help="Replace the model there.")
@with_debug
def import_(format: str, file: Path, out: Path, license_id: str | None, overwrite: bool) -> None:
    """Write the trained generator in FILE, of another program, as a model folder that 'ganzoo sample' takes.

    FORMAT is a name of 'ganzoo list importers'. Nothing of the file is executed. Weights that others have trained are
    under a licence of theirs: --license writes it into the model and its card, and 'publish' keeps it.
    """
    from ganzoo.plugins.catalog import catalog

    catalog().find("importer", format)  # before torch is imported
    from ganzoo.zoo.importing import import_model

    say(import_model(format, file, out, license_id, overwrite))
    if license_id is None:
        aside("no --license given, so that config and card say 'unknown'")


COMMANDS = (sample, evaluate, pull, publish, bundle, import_)
