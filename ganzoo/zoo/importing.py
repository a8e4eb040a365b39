"""Trained generators of other programs, as model folders. A plugin reads the file; what it returns is checked here."""

import logging
import tempfile
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from ganzoo._faults import call_plugin, reason
from ganzoo._io import expand_user, final_name, hash_file, read_errors, replace_folder, write_bytes, write_errors
from ganzoo._reading import read_json
from ganzoo.contract import Generator
from ganzoo.data.base import Data
from ganzoo.engine.settings import SIDES
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput, Diverged, Failed
from ganzoo.imported import Imported
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import MODEL_FILES
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.build import ResolvedArchitecture, ResolvedClass, resolve_architecture
from ganzoo.recipe.sections import Architecture
from ganzoo.zoo.config import MAX_CONFIG_BYTES, UNKNOWN_LICENSE
from ganzoo.zoo.licenses import LICENSE
from ganzoo.zoo.local import RUN_FOLDERS
from ganzoo.zoo.model import Model
from ganzoo.zoo.saving import save_model
from ganzoo.zoo.weights import build_with_weights, find_unsound

N = TypeVar("N", bound=nn.Module)
logger = logging.getLogger("ganzoo")
SAMPLES_TRIED = 2
"""Samples that are drawn before a folder is written."""


def import_model(
    format: str,
    file: str | PathLike[str],
    folder: str | PathLike[str],
    license: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the trained generator in a file of another program as a model folder, which `load` takes; return its path.

    `format` is a name of `ganzoo list importers`, `license` the licence of the weights, such as "cc-by-4.0"; without
    it config and card say "unknown". `overwrite` replaces a model folder that is there. Nothing of the file is
    executed, and a folder appears only after the architecture has taken the weights strictly and drawn samples.
    Raises `BadInput` for an unknown format, for a file that is not of it or does not fit the architecture, and where
    the folder exists or cannot be written.
    """
    importer, path = catalog().find("importer", format), expand_user(Path(file))
    license, out = check_license(license), expand_user(Path(folder))
    check_out(out, overwrite)
    digest, size = hash_file(path)
    found = read(importer, path)
    architecture, data = resolve(importer, found), Data("unknown", found.data, facts=found.facts)
    generator = build(path, architecture.generator, data, found.generator)
    judge = None if found.discriminator is None else build(path, architecture.discriminator, data, found.discriminator)
    description: dict[str, Any] = dict(data.description)
    check_samples(path, generator, description)
    about = describe_import(importer, path, digest, size, license, found.notes)
    with replace_folder(out) as new:
        both = None if judge is None else (judge, architecture.discriminator)
        save_model(new, generator, architecture.generator, description, discriminator=both, imported=about)
        write_bytes(new / "README.md", write_card(new, out.name, license).encode())
    for note in found.notes:
        logger.info("%s", note)
    return out


def check_license(license: str | None) -> str:
    """Return a licence, "unknown" for none. Raises `BadInput` for what is not the name of one."""
    if license is not None and not LICENSE.fullmatch(license):
        raise BadInput(f"'{license}' is not the name of a licence, such as cc-by-4.0: letters, digits, . _ + and -")
    return license or UNKNOWN_LICENSE


def check_out(folder: Path, overwrite: bool) -> None:
    """Raise `BadInput` where a model folder cannot be written, or something is there that would be lost."""
    with write_errors(folder):
        names = {final_name(each.name) for each in folder.iterdir()} if folder.is_dir() else set[str]()
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"'{folder}' is a file; choose another --out")
        is_model = "config.json" in names and not names - {*MODEL_FILES} and not is_in_run(folder)
        if names and not overwrite:
            raise BadInput(f"'{folder}' is not empty; choose another --out, or --overwrite to replace the model there")
        if names and (folder.is_symlink() or not is_model):
            raise BadInput(f"'{folder}' is not just a model, so --overwrite leaves it alone; choose another --out")
        place = next(each for each in folder.absolute().parents if each.exists())
        tempfile.TemporaryFile(dir=place).close()


def is_in_run(folder: Path) -> bool:
    """Return whether a folder is the one in which a run has its model."""
    return folder.name in RUN_FOLDERS and (folder.absolute().parent / "recipe.toml").exists()


def find_function(importer: Registration) -> Callable[[Path], object]:
    """Return the function that reads a file. Raises `BadInput` where something else is registered."""
    function = importer.resolve("importer")
    if not callable(function):
        where = f"importer '{importer.name}' of {importer.distribution}"
        raise BadInput(f"{where}: '{importer.targets['importer']}' is not a function")
    found: Callable[[Path], object] = function
    return found


def read(importer: Registration, path: Path) -> Imported:
    """Have a plugin read a file. Raises `BadInput` or `Failed` that names file and importer."""
    function, culprit = find_function(importer), f"importer '{importer.name}'"
    with read_errors(path):
        found = call_plugin(f"{culprit}: {path}", function, path)
    if not isinstance(found, Imported):
        raise Failed(f"{culprit} of {importer.distribution} must return a ganzoo.Imported, got {found!r:.60}")
    for side in SIDES:
        for name, value in (getattr(found, side) or {}).items():
            if not isinstance(name, str) or not isinstance(value, Tensor):
                raise Failed(
                    f"{culprit} of {importer.distribution}: {side} must hold tensors by name, not {name!r:.60}"
                )
    return found


def resolve(importer: Registration, found: Imported) -> ResolvedArchitecture:
    """Find the registered classes of both sides with their options. Raises `BadInput` where there are none.

    What an importer returns may depend on a stranger's file, so no class in a file is taken.
    """
    name = catalog().full_name("architecture", found.architecture, [importer.distribution])
    registered = catalog().find("architecture", name)
    section = validate(Architecture, {**found.options, "name": registered.full_name}, "architecture")
    if any("name" in section.side(side) for side in SIDES):
        raise BadInput(f"importer '{importer.name}' names a side of its own: an import has one architecture")
    return resolve_architecture(section)


def build(path: Path, part: ResolvedClass[N], data: Data, weights: Mapping[str, Tensor]) -> N:
    """Build one side with exactly these weights. Raises `BadInput` where they do not fit or are not finite."""
    try:
        network = build_with_weights(part, data.facts, weights)
    except (ValueError, Failed, RuntimeError, MemoryError) as error:
        raise BadInput(f"the weights in {path} do not fit the {part.label}: {reason(error)}") from error
    if unsound := find_unsound(network):
        raise BadInput(f"{path} is damaged: '{unsound}' has a number that is not finite")
    return network


def check_samples(path: Path, generator: Generator, data: Mapping[str, Any]) -> None:
    """Raise `BadInput` unless a generator draws finite samples of the shape that the data have."""
    model = Model(generator, {"data": data}, "cpu")
    if model.inputs.missing:  # which only a user has
        return
    try:
        drawn = model.sample(SAMPLES_TRIED)
    except Diverged as error:
        raise BadInput(f"{path}: the generator draws samples that are not finite numbers") from error
    for key, values in (drawn if isinstance(drawn, Mapping) else {model.outputs.main: drawn}).items():
        shape = tuple(data["specs"].get(key, {}).get("shape", ()))
        if shape and tuple(values.shape[1:]) != shape:
            raise BadInput(f"{path}: the generator draws '{key}' of the shape {tuple(values.shape[1:])}, not {shape}")


def describe_import(
    importer: Registration, path: Path, digest: str, size: int, license: str, notes: tuple[str, ...]
) -> dict[str, Any]:
    """Return what a config says of where its weights come from."""
    plugin = {"format": importer.name, "distribution": importer.distribution, "version": importer.version}
    return {**plugin, "file": path.name, "sha256": digest, "size": size, "license": license, "notes": list(notes)}


def write_card(folder: Path, name: str, license: str) -> str:
    """Return the model card of a folder that has all other files."""
    from ganzoo.zoo.publishing.card import make_card  # slow to import

    return make_card(name, license, read_json(folder / "config.json", MAX_CONFIG_BYTES), {}, picture=False)
