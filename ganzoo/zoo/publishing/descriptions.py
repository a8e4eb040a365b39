"""What a model's config says, in words for its card: Markdown in which nothing of a stranger's text acts."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from ganzoo._names import printable
from ganzoo.kind import Kind
from ganzoo.kinds.lookup import find_kind_or_missing
from ganzoo.kinds.outputs import read_spec, read_specs
from ganzoo.zoo.config import UNKNOWN_LICENSE
from ganzoo.zoo.inputs import describe_kind


def describe_origin(config: Mapping[str, Any]) -> str:
    """Return where a generator comes from, as Markdown."""
    if imported := config.get("imported"):
        file, form = escape(imported["file"]), escape(imported["format"])
        return f"imported into ganzoo from {file}, a file in the format {form}: ganzoo has not trained it"
    return f"trained with ganzoo on {describe_data(config['data'])}"


def describe_terms(config: Mapping[str, Any], license_id: str) -> str:
    """Return under which licence weights of others are, and an importer's notes, as Markdown; "" for one's own."""
    if not (imported := config.get("imported")):
        return describe_begun(config.get("training", {}))
    known = f"The licence of the weights is {escape(license_id)}, as whoever imported them says."
    unknown = "The licence of the weights is not known: ask those who published the file before you pass them on."
    notes = "".join(f"\n- {escape(note)}" for note in imported.get("notes", []))
    return f"\n\n{unknown if license_id == UNKNOWN_LICENSE else known}" + (f"\n{notes}" if notes else "")


def describe_begun(training: Mapping[str, Any]) -> str:
    """Return under which licence the weights are that a training began with, as Markdown; "" where nothing is known."""
    if not (license_id := training.get("init_license")):
        return ""
    if license_id == UNKNOWN_LICENSE:
        return "\n\nThe licence of the weights that its training began with is not known: ask those who published them."
    return f"\n\nThe weights that its training began with are under the licence {escape(license_id)}."


def describe_seen(config: Mapping[str, Any]) -> str:
    """Return which pretrained networks the training has seen, as Markdown; "" where it has seen none."""
    if not (seen := config.get("training", {}).get("uses_pretrained")):
        return ""
    names = ", ".join(map(escape, seen))
    return f"\n\nThe training saw a pretrained network ({names}): scores by the same network would be too good."


def describe_data(data: Mapping[str, Any]) -> str:
    """Return what the generator learned from, as Markdown."""
    if data.get("opened_as") == "batches":
        return "data that a program gave it"
    kind = "folder of images" if is_folder(data) else "data set"
    return f'the {kind} "{escape(data.get("name", "unknown"))}"'


def describe_tensor(kind: Kind) -> str:
    """Return what 64 samples are as a tensor."""
    if not kind.spec.shape:
        return "64 samples"
    limits = kind.public_range or kind.range or kind.spec.range
    units = f"in [{limits[0]:g}, {limits[1]:g}]" if limits else "in the data's own units"
    return f"({', '.join(map(str, (64, *kind.spec.shape)))}) {units}"


def lacking_inputs(config: Mapping[str, Any]) -> list[str]:
    """Return the inputs that users must give: needed ones, of which no real ones come with the model."""
    inputs = config.get("inputs", {})
    return [] if config.get("kept_inputs") else [key for key, about in inputs.items() if about["needed"]]


def describe_inputs(config: Mapping[str, Any]) -> str:
    """Return what samples are made from, as Markdown, and which real inputs come with the model; "" without inputs."""
    inputs, kept = config.get("inputs", {}), config.get("kept_inputs")
    if not inputs:
        return ""
    told = " ".join(
        f"It {'needs' if about['needed'] else 'may take'} `{key}`: {escape(describe_input(config, about))}."
        for key, about in inputs.items()
    )
    licence = (kept or {}).get("license", config["data"].get("license"))
    under = f", under {escape(licence)}" if licence else ""
    there = f"{kept['count']:,} real ones come with it, in `{kept['file']}`{under}." if kept else ""
    return "\n\n" + f"{told} {there}".rstrip()


def describe_input(config: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Return what an input holds."""
    if about.get("shape") is None:
        return "what the data of its training had under this name"
    facts = config["data"].get("facts") or {}
    return describe_kind(find_kind_or_missing(read_spec(about), facts, config["architecture"]["distribution"]))


def facts(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of the config that a reader wants to know, as Markdown.

    A label may be called like a fact, so that a name can be there twice.
    """
    architecture, training = config["architecture"], config.get("training", {})
    latent = ", ".join(f"{key} {tuple(shape)}" for key, shape in config["latent"].items())
    inputs, labels = config.get("inputs", {}), settable(config) or {"classes": config["data"]["classes"]}
    found = [
        ("architecture", f"{architecture['name']} of {architecture['distribution']} {architecture['version']}"),
        ("options", ", ".join(f"{key} {value}" for key, value in architecture["options"].items())),
        ("latent", latent),
        ("inputs", ", ".join(f"{key} ({'needed' if about['needed'] else 'taken'})" for key, about in inputs.items())),
        *((key, ", ".join(values)) for key, values in labels.items()),
        *((f"training {key}", ", ".join(v) if isinstance(v, list) else v) for key, v in training.items()),
        ("imported file", describe_file(config["imported"]) if "imported" in config else ""),
        ("weights", f"{config['weights']['size']:,} bytes, sha256 {config['weights']['sha256']}"),
        ("ganzoo", config.get("ganzoo", "")),
    ]
    return [(escape(key), escape(value)) for key, value in found]


def settable(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what users may ask for: the classes of each label that the generator takes."""
    specs = read_specs(config["data"])
    return {key: specs[key].classes for key in config["latent"] if key in specs and specs[key].classes}


def list_commands(reference: str, config: Mapping[str, Any]) -> list[str]:
    """Return the commands that draw: the first samples, and the last class of two labels where a shell takes them."""
    given = [f"--input {shlex.quote(key)}=FOLDER" for key in lacking_inputs(config)] or ["-n 64"]
    wishes = [f"{key}={classes[-1]}" for key, classes in settable(config).items()]
    plain = [wish for wish in wishes if PLAIN.fullmatch(wish)]
    asking = [f"ganzoo sample {reference} --set {','.join(plain[:2])}"] if plain else []
    return [f"ganzoo sample {reference} {' '.join(given)}", *asking]


def describe_file(imported: Mapping[str, Any]) -> str:
    """Return the file that was imported."""
    return f"{imported['file']}, {imported['size']:,} bytes, sha256 {imported['sha256']}"


PLAIN = re.compile(r"[A-Za-z]\w*=[\w.+-]+", re.ASCII)
"""A label and a class that a shell takes as they are."""
MARKS = re.compile(r"[\\`*\[\]<>|&~$]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown or HTML acts on inside of a line. An underscore inside of a word is none of it."""


def escape(value: object) -> str:
    """Return a value as text of one line that Markdown shows as it is: it may come from a stranger."""
    return MARKS.sub(r"\\\g<0>", printable(str(value)))


def is_folder(data: Mapping[str, Any]) -> bool:
    """Return True if the data of a config were a folder of images, which the Hub calls "imagefolder" anywhere."""
    return data.get("opened_as") == "folder"
