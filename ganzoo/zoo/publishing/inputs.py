"""Real inputs of a model that is published: they go with it only where they may be passed on."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo._io import read_bytes, sha256
from ganzoo.errors import BadInput
from ganzoo.plugins.entries import INPUTS_FILE
from ganzoo.zoo.inputs import is_label
from ganzoo.zoo.kept import licence_of, parse_kept, serialize_kept
from ganzoo.zoo.model import Model

logger = logging.getLogger(__name__)

PASSED_ON = re.compile(
    r"(CC0|CC-BY(-SA)?|CC-PDDC|PDDL|ODC-By|ODbL|CDLA-(Permissive|Sharing)|OGL-UK|etalab|MIT(-0)?|0BSD|BSD-\d-Clause"
    r"|ISC|Apache|Unlicense)(-\d+(\.\d+)*)?",
    re.IGNORECASE,
)
"""SPDX identifiers of licences under which anybody may pass samples on, for any purpose."""


def choose_inputs(model: Model, with_inputs: bool = False) -> bytes | None:
    """Return the file of real inputs that goes with a published model; None where none may.

    The log says how many go with it and under which licence. Those of a run may where their data set has a licence that
    allows it, or `with_inputs`. Raises `BadInput` for `with_inputs` if there are none.
    """
    kept = model.inputs.kept
    if not kept:
        if with_inputs:
            raise BadInput(f"there are no real inputs to publish: {describe_lack(model)}")
        return None
    if model.inputs.file and model.inputs.file.is_symlink():
        raise BadInput(f"{model.inputs.file} is a link; publish the folder that it leads to")
    licence, data = str(model.config["data"].get("license") or ""), model.config["data"].get("name", "unknown")
    what = f"{len(next(iter(kept.values())))} real inputs ({', '.join(map(repr, kept))})"
    under = f"under {licence}, the licence of '{data}'" if licence else f"and '{data}' states no licence"
    why = f"{licence} is not known to let everybody pass them on" if licence else f"'{data}' states no licence"
    before = licence_of(read_bytes(model.inputs.file)) if model.inputs.file else None
    if changed := before is not None and before != licence:
        under = why = f"they are from earlier data of the run, {f'under {before}' if before else 'without a licence'}"
    if PASSED_ON.fullmatch(licence) and not changed:
        logger.info("%s go with the model, %s", what, under)
    elif all(is_label(model.inputs.known[key].spec) for key in kept):
        logger.info("%s go with the model: they are numbers of classes", what)
    elif with_inputs:
        logger.info("%s go with the model as you say, %s", what, under)
    else:
        logger.warning("the %s of this run stay here: %s; --with-inputs publishes them", what, why)
        return None
    return serialize_kept(kept, before if changed else None)


def pin_inputs(config: Mapping[str, Any], content: bytes | None) -> dict[str, Any]:
    """Return the config of a model that is published with this file of real inputs, or without any."""
    rest = {key: value for key, value in config.items() if key != "kept_inputs"}
    if content is None:
        return rest
    count = len(next(iter(parse_kept(content, Path(INPUTS_FILE)).values())))
    pin = {"file": INPUTS_FILE, "sha256": sha256(content), "size": len(content), "count": count}
    licence = licence_of(content)
    return {**rest, "kept_inputs": pin if licence is None else {**pin, "license": licence}}


def describe_lack(model: Model) -> str:
    """Say why a model has no real inputs."""
    return "none are kept with this model" if model.inputs.missing else "this model needs no inputs"
