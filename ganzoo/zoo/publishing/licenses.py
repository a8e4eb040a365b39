"""The licence under which a model is published."""

import logging

from ganzoo.errors import BadInput
from ganzoo.zoo.config import UNKNOWN_LICENSE
from ganzoo.zoo.local import LocalModel

logger = logging.getLogger(__name__)


def choose_license(local: LocalModel, given: str) -> str:
    """Return the licence that a published model gets: the given one, that of imported weights, or "other".

    Raises `BadInput` where imported weights have another licence than the given one.
    """
    imported = local.config.imported
    if imported is None:
        if not given:
            logger.warning("no license given, such as mit or cc-by-4.0; using 'other'")
        return given or "other"
    if given and imported.license not in (UNKNOWN_LICENSE, given):
        before = f"{imported.file} was imported under the licence '{imported.license}'"
        raise BadInput(f"{before}, so that it is not published under '{given}'; import it again if that was wrong")
    if not given and imported.license == UNKNOWN_LICENSE:
        logger.warning("nobody has said under which licence %s is; the card says 'unknown'", imported.file)
    return given or imported.license
