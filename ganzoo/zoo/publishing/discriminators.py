"""The discriminator of a model that is published: it goes with it only if it is asked for."""

import logging
from collections.abc import Mapping
from typing import Any

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import BadInput
from ganzoo.plugins.entries import DISCRIMINATOR_FILE
from ganzoo.zoo.discriminators import find_discriminator, resolve_discriminator
from ganzoo.zoo.model import Model
from ganzoo.zoo.saving import describe_architecture

logger = logging.getLogger(__name__)


def choose_discriminator(model: Model, wanted: bool) -> bytes | None:
    """Return the file of a discriminator that goes with a published model; None where none is wanted.

    Raises `BadInput` where there is none, or nobody else could build it.
    """
    about = find_discriminator(model)
    if not wanted:
        if about:
            logger.info("the discriminator stays here; --with-discriminator publishes it")
        return None
    if about is None or model.folder is None:
        raise BadInput("there is no discriminator to publish; -o train.keep_discriminator=true keeps it in a training")
    path = model.folder / DISCRIMINATOR_FILE
    if path.is_symlink():
        raise BadInput(f"{path} is a link; publish the folder that it leads to")
    if resolve_discriminator(model, about).registration.given_as:
        made = f"the class '{about.name}' of {about.distribution}, which no plugin brings"
        raise BadInput(f"nobody else can build the discriminator: it is {made}; publish without --with-discriminator")
    assert model.discriminator is not None  # it can be built, and its file is whole
    content = read_bytes(path)
    if sha256(content) != about.weights.sha256:
        raise BadInput(f"{path} changes while it is read; publish it again once the training is over")
    return content


def pin_discriminator(config: Mapping[str, Any], model: Model, content: bytes | None) -> dict[str, Any]:
    """Return the config of a model that is published with its discriminator, or without it."""
    rest = {key: value for key, value in config.items() if key != "discriminator"}
    about = find_discriminator(model)
    if content is None or about is None:
        return rest
    built = {**config["discriminator"], **describe_architecture(resolve_discriminator(model, about))}
    return {**rest, "discriminator": {key: built[key] for key in built if key not in ("given_as", "sha256")}}
