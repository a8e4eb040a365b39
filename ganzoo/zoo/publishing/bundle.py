"""The complete files of a model, with picture and card: written into a folder, to be shipped in a package."""

import logging
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

import tomlkit

from ganzoo._faults import hide_passwords
from ganzoo._io import exists, read_bytes, replace_folder, sha256, to_json, write_bytes
from ganzoo._names import NAME_PATTERN
from ganzoo._reading import parse_json
from ganzoo.errors import BadInput, Unavailable
from ganzoo.kind import Array
from ganzoo.kinds.files import draw_beside, write_some_of_each
from ganzoo.pictures.grid import make_mark, save_png
from ganzoo.pictures.layout import choose_layout
from ganzoo.plugins.datasets import is_data_set
from ganzoo.plugins.entries import DISCRIMINATOR_FILE, INPUTS_FILE, NEEDED_FILES, Entry
from ganzoo.recipe.names import rename
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.licenses import choose_license
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.publishing.card import make_card
from ganzoo.zoo.publishing.code import check_publishable, public_name
from ganzoo.zoo.publishing.discriminators import choose_discriminator, pin_discriminator
from ganzoo.zoo.publishing.entry import entry_table
from ganzoo.zoo.publishing.inputs import choose_inputs, pin_inputs
from ganzoo.zoo.publishing.paths import drop_paths
from ganzoo.zoo.references import Reference, parse
from ganzoo.zoo.scores import SCORES_FILE, read_scores

PICTURE, SAMPLES = "samples.png", "samples"
"""The picture of samples in a model's folder, and the folder or the stem of their files."""
logger = logging.getLogger(__name__)


def bundle(
    source: str | PathLike[str],
    folder: Path,
    license_id: str,
    with_inputs: bool = False,
    with_discriminator: bool = False,
    relicense: bool = False,
) -> str:
    """Write a complete model into a new folder, to be shipped in a package; return its entry for a registry as TOML.

    The folder's name is the model's. The entry's source is the folder relative to its grandparent, which is the package
    where models lie in `pretrained/`. `relicense` as in `push`. Raises `BadInput` where the folder exists.
    """
    if not NAME_PATTERN.fullmatch(folder.name):
        raise BadInput(f"'{folder.name}' is not a name for a model: lower-case letters and digits, joined by . _ or -")
    if exists(folder):
        raise BadInput(f"'{folder}' exists already")
    local = find_unpublished(source)
    license_id = choose_license(local, license_id, relicense)
    files = complete_files(local, folder.name, license_id, with_inputs, with_discriminator)
    with replace_folder(folder) as new:
        for name, content in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            write_bytes(new / name, content)
    place = folder.resolve()
    return tomlkit.dumps({folder.name: entry_table(f"{place.parent.name}/{place.name}", files, license_id)})


def find_unpublished(source: str | PathLike[str]) -> LocalModel:
    """Find the model of a run or model folder. Raises `BadInput` for a registered model and for one on the Hub."""
    reference = parse(source)
    if isinstance(reference, Entry) and reference.folder:
        raise BadInput(f"'{source}' comes with {reference.distribution}; give a run or a model folder of your own")
    if not isinstance(reference, Path):
        raise BadInput(f"'{source}' is published already; give a run or a model folder")
    return LocalModel.find(reference)


def complete_files(
    local: LocalModel,
    reference: str,
    license_id: str,
    with_inputs: bool = False,
    with_discriminator: bool = False,
) -> dict[str, bytes]:
    """Return the content of every file of a complete model by name; picture and card are made here.

    Real inputs are among them where `choose_inputs` lets them, the discriminator `with_discriminator`. Paths of this
    machine are left out, and the log says where. Raises `BadInput` where a file is a link, which may lead anywhere, or
    is not sound.
    """
    check_publishable(local)
    folder, model = local.folder, load_local(local, "cpu")
    scores: dict[str, Any] = {}
    names = [name for name in (*NEEDED_FILES, "recipe.toml", SCORES_FILE) if exists(folder / name)]
    for name in names:
        if (folder / name).is_symlink():
            raise BadInput(f"{folder / name} is a link; publish the folder that it leads to")
    files = {name: read_bytes(folder / name) for name in names}
    written = parse_json(files["config.json"], folder)
    if written["weights"]["sha256"] != sha256(files["model.safetensors"]):
        raise BadInput(f"{folder} changes while it is read; publish it again once the training is over")
    if "recipe.toml" in files:
        files["recipe.toml"] = without_paths(folder / "recipe.toml")
    if SCORES_FILE in files:
        measured = own_scores(local)
        scores = tell_dropped(SCORES_FILE, measured)
        files |= {SCORES_FILE: to_json(scores)} if scores != measured else {}
    inputs, judge = choose_inputs(model, with_inputs), choose_discriminator(model, with_discriminator)
    config = pin_discriminator(pin_inputs(config_without_paths(model.config), inputs), model, judge)
    files |= {name: content for name, content in ((INPUTS_FILE, inputs), (DISCRIMINATOR_FILE, judge)) if content}
    if config != written:
        files["config.json"] = to_json(config)
    if config != written or model.inputs.kept:
        model = load_again(files)
    with tempfile.TemporaryDirectory() as made:
        has_picture, samples = show_samples(Path(made), model, reference)
        files |= {name: read_bytes(Path(made, name)) for name in [*[PICTURE] * has_picture, *samples]}
    card = make_card(reference, license_id, model.config, scores, has_picture, samples, model.outputs.kind)
    return files | {"README.md": card.encode()}


def load_again(files: Mapping[str, bytes]) -> Model:
    """Load a model from changed files, as others will. Raises `BadInput` where it needs what was left out."""
    with tempfile.TemporaryDirectory() as made:
        for name in files.keys() & {*NEEDED_FILES, INPUTS_FILE}:
            write_bytes(Path(made, name), files[name])
        try:
            model = load_local(LocalModel(Path(made)), "cpu")
            assert model.inputs.kept is not None  # read while the file is there
            return model
        except (BadInput, Unavailable) as error:
            reason = str(error).replace(made, "the model")
            raise BadInput(
                f"nobody else can build this model: it needs a path of this machine, or a user in a URL ({reason})"
            ) from error


def show_samples(folder: Path, model: Model, name: str) -> tuple[bool, dict[str, Array]]:
    """Draw the picture of a published model and write a few samples as files; both lie in the new folder.

    Return whether there is a picture, and the samples by the names of their files. There are none where samples are
    made from inputs of which none may be published.
    """
    if model.inputs.missing:
        return False, {}
    kind = model.outputs.kind
    n, fixed, columns = choose_layout(model.generator, model.inputs.limit(kind.shown), kind.by_class)
    samples, mark = model.outputs.to_arrays(model.sample(n, 0, **fixed)), make_mark(name, 0)
    written = write_some_of_each(model.outputs.shown, folder / SAMPLES, samples, mark)
    picture = draw_beside(model.outputs.shown, samples, columns, (), name)
    if picture:
        save_png(folder / PICTURE, picture, mark)
    return picture is not None, {path.relative_to(folder).as_posix(): sample for path, sample in written.items()}


def own_scores(local: LocalModel) -> dict[str, Any]:
    """Read the scores in a model folder. Raises `BadInput` where other weights were measured."""
    scores = read_scores(local.folder / SCORES_FILE)
    protocol = scores.get("protocol")
    measured = protocol.get("weights") if isinstance(protocol, Mapping) else None
    if measured not in (None, local.config.weights.sha256):
        again = f"run ganzoo evaluate {local.folder} again"
        raise BadInput(f"{local.folder / SCORES_FILE} was measured with other weights; {again}")
    return scores


def without_paths(path: Path) -> bytes:
    """Return a recipe without comments and without paths of the machine that it comes from; the log says which."""
    recipe = rename(Recipe.load(path).written_out(), lambda kind, name: public_name(kind, name, path.parent))
    recipe["data"].pop("root", None)
    if not is_data_set(recipe["data"].get("name")):
        folder = Path(recipe["data"]["name"]).name
        recipe["data"]["name"] = f"./{folder}" if is_data_set(folder) else folder  # a folder, not the data set
    init = parse_or_none(recipe["train"].get("init"))
    if init is None or isinstance(init, Path):
        recipe["train"].pop("init", None)
    data = recipe["data"]
    kept = tell_dropped("recipe.toml", {**recipe, "data": {key: data[key] for key in data if key != "name"}})
    kept["data"] = {"name": data["name"], **kept["data"]}
    return tomlkit.dumps({key: kept.get(key, value) for key, value in recipe.items()}).encode()


def config_without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without paths of the machine that it comes from; the log says which."""
    free = {"architecture": config["architecture"], "training": config.get("training", {})}
    free |= {"discriminator": config["discriminator"]} if "discriminator" in config else {}
    kept = tell_dropped("config.json", free)
    return {key: kept.get(key, value) for key, value in config.items()}


def tell_dropped(file: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table without paths of this machine, and log which keys of a file had one."""
    kept, dropped = drop_paths(table)
    if dropped:
        keys = hide_passwords(", ".join(dropped))
        logger.warning("%s is published without %s, which names a path of this machine, or a user in a URL", file, keys)
    return kept


def parse_or_none(source: str | None) -> Reference | None:
    """Parse a reference; return None where there is none, or it is not valid."""
    with suppress(BadInput):
        return parse(source) if source else None
    return None
