"""Write a trained generator as a model folder of `config.json` and `model.safetensors`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from ganzoo._io import replace_folder, sha256, write_bytes, write_json
from ganzoo._seeds import make_rng
from ganzoo._version import __version__
from ganzoo.contract import Generator
from ganzoo.recipe.build import ResolvedClass
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.config import FORMAT
from ganzoo.zoo.discriminators import write_discriminator
from ganzoo.zoo.inputs import describe_inputs
from ganzoo.zoo.weights import serialize_weights


def save_model(
    folder: Path,
    generator: Generator,
    part: ResolvedClass[Generator],
    data: Mapping[str, Any],
    recipe: Recipe | None = None,
    training: Mapping[str, Any] | None = None,
    discriminator: tuple[nn.Module, ResolvedClass[nn.Module]] | None = None,
    seen_facts: Mapping[str, Any] | None = None,
    imported: Mapping[str, Any] | None = None,
) -> None:
    """Write a generator as a model folder, and the `discriminator` and its class beside it, if given.

    `seen_facts` are those that it was built for, where views have changed them.

    `data` is `Data.description`. `training` says how the generator was trained: the name of a recipe, steps and a seed;
    `imported` says where it comes from if ganzoo has not trained it.
    """
    half = recipe is not None and recipe.train.half
    content = serialize_weights(generator, half)
    config = {
        "format": FORMAT,
        "ganzoo": __version__,
        "architecture": describe_architecture(part),
        "latent": {key: list(value.shape[1:]) for key, value in generator.latent(1, make_rng("shape")).items()},
        "data": dict(data),
        **describe_inputs(generator, data),
        "weights": {"file": "model.safetensors", "sha256": sha256(content), "size": len(content)},
        **({"training": dict(training)} if training else {}),
        **({"imported": dict(imported)} if imported else {}),
    }
    with replace_folder(folder) as new:
        write_bytes(new / "model.safetensors", content)
        if discriminator:
            network, found = discriminator
            pinned = write_discriminator(new, network, half)
            seen = {"seen_facts": dict(seen_facts)} if seen_facts else {}
            config["discriminator"] = {**describe_architecture(found), "weights": pinned, **seen}
        write_json(new / "config.json", config)
        if recipe:
            recipe.save(new / "recipe.toml")


def describe_architecture(part: ResolvedClass[Any]) -> dict[str, Any]:
    """Return what a config says about the architecture."""
    found = part.registration
    about = {"name": found.name, "distribution": found.published_as, "version": found.version}
    own_code = {"given_as": found.given_as, "sha256": found.sha256} if found.given_as else {}
    return {**about, "options": dict(part.options), **{key: value for key, value in own_code.items() if value}}
