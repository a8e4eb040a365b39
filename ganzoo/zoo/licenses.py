"""Licences: that of the weights of a model, and the one under which a model is published."""

import logging
import re
from contextlib import suppress
from pathlib import Path

from ganzoo.errors import BadInput
from ganzoo.plugins.entries import Entry
from ganzoo.zoo.config import UNKNOWN_LICENSE, CheckedConfig
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.references import OnHub, Reference

logger = logging.getLogger(__name__)
LICENSE = re.compile(r"[\w.+-]{1,100}", re.ASCII)


def find_license(reference: Reference, local: LocalModel) -> str:
    """Return the licence of the weights of a model; "unknown" if nobody has said it, empty for one of the user's own.

    That is what a registry says, else the model's card, else whoever imported the weights, else the licence of the
    model that their training began with.
    """
    if isinstance(reference, Entry):
        return reference.license if LICENSE.fullmatch(reference.license) else UNKNOWN_LICENSE
    if isinstance(reference, OnHub):
        from ganzoo.zoo.hub.pull import pull_card  # the Hub's client is slow to import

        pull_card(reference.repository, local.folder.name)
    imported, begun = local.config.imported, local.config.training.init_license
    stated = read_card_license(local.folder) or (imported.license if imported else begun)
    return stated or (UNKNOWN_LICENSE if isinstance(reference, OnHub) else "")


def read_card_license(folder: Path) -> str:
    """Return the licence in the model card of a folder; empty without a card, or one that states none."""
    from huggingface_hub import ModelCard

    with suppress(Exception):  # anybody may have written it, and the parser of its metadata has errors of its own
        license = ModelCard.load(folder / "README.md").data.license
        return license if isinstance(license, str) and LICENSE.fullmatch(license) else ""
    return ""


def choose_license(local: LocalModel, given: str, relicense: bool = False) -> str:
    """Return the licence that a published model gets: the given one, that of the weights it is made of, or "other".

    Raises `BadInput` where these weights have another licence than the given one: imported ones, and those that the
    training began with unless the user says that they may `relicense` them.
    """
    made_of, license, way_out = find_source(local.config)
    if not made_of:
        if not given:
            logger.warning("no license given, such as mit or cc-by-4.0; using 'other'")
        return given or "other"
    if given and license not in (UNKNOWN_LICENSE, given) and not (relicense and local.config.imported is None):
        raise BadInput(
            f"{made_of} under the licence '{license}', so that it is not published under '{given}'; {way_out}"
        )
    if not given and license == UNKNOWN_LICENSE:
        logger.warning("nobody has said what licence the weights have: %s; the card says 'unknown'", made_of)
    return given or license


def find_source(config: CheckedConfig) -> tuple[str, str, str]:
    """Return what weights a model is made of, their licence, and what to do about it; empty for one's own."""
    if imported := config.imported:
        return f"{imported.file} was imported", imported.license, "import it again if that was wrong"
    training = config.training
    if not training.init_license:
        return "", "", ""
    way_out = "leave out --license, or add --relicense if that licence allows another"
    return f"the training began with '{training.init}', which is", training.init_license, way_out
