"""The discriminator beside a model: a second file with weights, for scores of samples and to begin trainings with."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganzoo._faults import call_plugin, network_name, reason
from ganzoo._io import sha256, write_bytes
from ganzoo._outputs import split_scores
from ganzoo.contract import Batch, Images
from ganzoo.errors import BadInput, Failed, Unavailable
from ganzoo.kind import Kind
from ganzoo.kinds.outputs import Outputs
from ganzoo.plugins.entries import DISCRIMINATOR_FILE, Entry
from ganzoo.plugins.kept import find_kept, kept_file
from ganzoo.recipe.build import ResolvedClass, resolve_registered
from ganzoo.recipe.lookup import load_class
from ganzoo.recipe.options import check_options
from ganzoo.zoo.config import CheckedData, CheckedDiscriminator
from ganzoo.zoo.inputs import ask_kind
from ganzoo.zoo.own import class_in, find_same_code
from ganzoo.zoo.references import OnHub, Reference, parse
from ganzoo.zoo.weights import build_with_weights, find_unsound, read_weights, serialize_weights

if TYPE_CHECKING:
    from ganzoo.zoo.model import Model

BLOCK = 64
"""Samples that are scored at once."""


def write_discriminator(folder: Path, network: nn.Module, half: bool = False) -> dict[str, Any]:
    """Write the weights of a discriminator into a model folder; return what the config says of the file."""
    content = serialize_weights(network, half)
    write_bytes(folder / DISCRIMINATOR_FILE, content)
    return {"file": DISCRIMINATOR_FILE, "sha256": sha256(content), "size": len(content)}


def find_discriminator(model: "Model") -> CheckedDiscriminator | None:
    """Return what the config of a model says of its discriminator; None where it has none."""
    about = model.config.get("discriminator")
    return CheckedDiscriminator.model_validate(about) if about else None


def read_discriminator(model: "Model") -> dict[str, Tensor] | None:
    """Read the weights of a model's discriminator, pulled if need be; None where it has none."""
    about = find_discriminator(model)
    if about is None or model.folder is None:
        return None
    if model.source is not None and not (model.folder / DISCRIMINATOR_FILE).is_file():
        pull_discriminator(parse(model.source), about, model.folder, model.offline)
    return read_weights(model.folder, about.weights)


def pull_discriminator(reference: Reference, about: CheckedDiscriminator, folder: Path, offline: bool) -> None:
    """Pull the weights of a discriminator into the folder of its model, if that is one of the Hub's."""
    if not isinstance(reference, OnHub) and not (isinstance(reference, Entry) and not reference.folder):
        return
    from ganzoo.zoo.hub import pull  # the Hub's client is slow to import
    from ganzoo.zoo.hub.download import HubFile

    file = HubFile(reference.repository, folder.name, DISCRIMINATOR_FILE)  # the folder is that of a commit
    pull.fetch(file, offline, pull.exactly(about.weights.size, about.weights.sha256))


def load_discriminator(model: "Model") -> nn.Module:
    """Build the discriminator of a model, in `eval()` and on its device. Raises `BadInput` where it has none."""
    weights, about = read_discriminator(model), find_discriminator(model)
    if weights is None or about is None:
        kept = "-o train.keep_discriminator=true keeps it, and --with-discriminator publishes it"
        raise BadInput(f"this model came without its discriminator; in a training {kept}")
    part, facts = resolve_discriminator(model, about), find_facts(model, about)
    try:
        network = build_with_weights(part, facts, weights)
    except (ValueError, Failed, RuntimeError, MemoryError) as error:
        raise Unavailable(
            f"{DISCRIMINATOR_FILE} does not fit the discriminator '{about.name}': {reason(error)}"
        ) from error
    if infinite := find_unsound(network):
        raise Unavailable(f"{DISCRIMINATOR_FILE} is damaged: '{infinite}' has a number that is not finite")
    return network.to(model.device).eval().requires_grad_(False)


def resolve_discriminator(model: "Model", about: CheckedDiscriminator) -> ResolvedClass[nn.Module]:
    """Find the class of a discriminator, with its options: a plugin's, or of a file that this user trained with."""
    part, arguments = find_class(about), find_facts(model, about)
    facts = [name for name, value in arguments.items() if value is not None]
    return replace(part, options=check_options(part.cls, about.options, "architecture.discriminator", facts))


def find_facts(model: "Model", about: CheckedDiscriminator) -> dict[str, Any]:
    """Return what the discriminator was built for: the facts of the data, or what views had made of them."""
    seen = (about.seen_facts or {}).items()
    changed = {key: tuple(value) if isinstance(value, list) else value for key, value in seen}  # JSON has no tuples
    return CheckedData.model_validate(model.config["data"]).arguments | changed


def check_single(model: "Model") -> None:
    """Raise `BadInput` if a model's discriminator was built for what views made of samples, such as packs of them."""
    about = find_discriminator(model)
    if about and about.seen_facts:
        judged = ", ".join(f"{key} of shape {tuple(value)}" for key, value in about.seen_facts.items())
        raise BadInput(f"this discriminator does not score single samples: its training's views gave it {judged}")


def find_class(about: CheckedDiscriminator) -> ResolvedClass[nn.Module]:
    """Do the work of `resolve_discriminator`, without options."""
    if not about.given_as:
        return resolve_registered("architecture", f"{about.distribution}:{about.name}", "discriminator", nn.Module)
    if about.sha256 and (same := find_same_code("architecture", "discriminator", about.name, about.sha256)):
        return ResolvedClass(same, load_class(same, "discriminator", nn.Module))
    if about.sha256 and (content := find_kept(about.sha256)):
        return class_in(kept_file(about.sha256), content, about.name, "discriminator", nn.Module)
    raise BadInput(
        f"the discriminator is the class '{about.name}' of {about.distribution}, which is not a plugin's: set "
        "model.discriminator to an object of it"
    )


def to_networks(outputs: Outputs, samples: Any, device: torch.device) -> Images:
    """Return samples as users have them in the networks' range. Raises `BadInput` for what is none."""
    if isinstance(samples, Mapping):
        return {key: to_network(key, outputs.kinds.get(key), value, device) for key, value in samples.items()}
    return to_network(outputs.main, outputs.kind, samples, device)


def to_network(key: str, kind: Kind | None, given: Any, device: torch.device) -> Tensor:
    """Return the values of one output in the networks' range."""
    try:
        values: Tensor = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"'{key}' must be a tensor or an array of samples, got {type(given).__name__}") from error
    if not values.dim() or not len(values):
        raise BadInput(f"'{key}' has no sample in it")
    if kind is not None:
        shape = tuple(values.shape[1:])
        if kind.spec.shape and shape != kind.spec.shape:
            raise BadInput(
                f"'{key}' must have the shape (n, {', '.join(map(str, kind.spec.shape))}), got {tuple(values.shape)}"
            )
        ask_kind(f"'{key}'", kind, kind.check, values)
        values = ask_kind(f"'{key}'", kind, kind.to_network, values)
    return values.to(device)


def score(network: nn.Module, samples: Images, given: dict[str, Tensor]) -> Tensor:
    """Return one score for each sample, the mean of all of its scores, on the CPU."""
    count = len(next(iter(samples.values())) if isinstance(samples, dict) else samples)
    with torch.inference_mode():
        blocks = [score_block(network, samples, given, slice(at, at + BLOCK)) for at in range(0, count, BLOCK)]
    return torch.cat(blocks)


def score_block(network: nn.Module, samples: Images, given: dict[str, Tensor], rows: slice) -> Tensor:
    """Score some rows of the samples."""
    images = {key: value[rows] for key, value in samples.items()} if isinstance(samples, dict) else samples[rows]
    count = len(next(iter(images.values())) if isinstance(images, dict) else images)
    belonging = Batch({key: value[rows] for key, value in given.items()})
    try:
        maps, _ = split_scores(network, call_plugin(network_name(network), network, images, belonging))
    except BadInput as error:
        raise error.append("what belongs to the samples is given as in score(samples, label=7)") from None
    for scores in maps:
        if not scores.dim() or len(scores) != count:
            shape = tuple(scores.shape)
            raise BadInput(
                f"this discriminator does not score single samples: {count} of them have scores of shape {shape}"
            )
    return (
        torch.stack([scores.flatten(1).mean(1) if scores.dim() > 1 else scores for scores in maps])
        .mean(0)
        .float()
        .cpu()
    )
