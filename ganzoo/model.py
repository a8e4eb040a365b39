"""A trained generator as a folder: `config.json` and `model.safetensors`, written, checked, loaded and sampled."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

import ganzoo
from ganzoo.build import Part, checked_options, find
from ganzoo.contract import Generator
from ganzoo.device import find_device
from ganzoo.errors import BadInput, Unavailable, choices
from ganzoo.files import reading, write_bytes, write_json
from ganzoo.seeds import seeded

FORMAT = 1
BLOCK = 64
"""Latents are drawn in blocks of this many samples, each with a random generator of its own."""


class Model:
    """A trained generator in `eval()` and float32, with the `config` that says how to build it.

    `generator` is the module itself, for differentiable use: it takes a dict such as `{"z": (n, 100)}` and gives
    images in [-1, 1].
    """

    def __init__(self, generator: Generator, config: Mapping[str, Any], device: str = "auto") -> None:
        self.device = find_device(device)
        self.generator = generator.to(self.device).eval().requires_grad_(False)
        self.config = dict(config)

    def sample(self, n: int, seed: int = 0, **fixed: Any) -> Any:
        """`n` images as a float32 tensor (n, channels, height, width) in [0, 1], on the CPU.

        The first images of a seed do not depend on `n`. A latent key can be fixed without changing the others:
        `sample(16, label=7)` takes one value for all or one for each. Data that is not images comes as it is, from
        several outputs as a dict. Raises `BadInput` for a key that this generator does not have.
        """
        return self.sample_with_given(n, seed, **fixed)[0]

    def sample_with_given(self, n: int, seed: int = 0, **fixed: Any) -> tuple[Any, dict[str, Tensor]]:
        """The images of `sample`, and what they were made from: {"z": (n, 100), ...}."""
        if n < 1:
            raise BadInput(f"cannot draw {n} samples; 1 or more")
        made = list(draw(self.generator, n, seed, self.device, fixed))
        images = joined([fake for fake, _ in made])
        given = joined([given for _, given in made])
        return (to_unit(images) if self.config["data"]["kind"] == "image" else images), given


def draw(
    generator: Generator, n: int, seed: int, device: torch.device, fixed: Mapping[str, Any]
) -> Iterator[tuple[Any, dict[str, Tensor]]]:
    """What the generator makes from the first `n` latents of a seed, block by block, with those latents.

    Whole blocks are drawn and then cut: torch draws other numbers for another count.
    """
    for number, first in enumerate(range(0, n, BLOCK)):
        count = min(BLOCK, n - first)
        drawn = generator.latent(BLOCK, seeded("sample", seed, number))
        given = {key: value[:count] for key, value in drawn.items()}
        refuse_unknown(fixed, [*drawn, *generator.needs])
        given |= {key: one_each(value, given.get(key), first, count, n) for key, value in fixed.items()}
        given = {key: value.to(device) for key, value in given.items()}
        with torch.no_grad():
            yield generator(given), given


def one_each(value: Any, like: Tensor | None, first: int, count: int, n: int) -> Tensor:
    """A fixed value for `count` samples from `first` on: the same for all, or its own where there are `n` of them."""
    tensor = torch.as_tensor(value) if like is None else torch.as_tensor(value, dtype=like.dtype)
    shape = tensor.shape[1:] if like is None else like.shape[1:]
    try:
        return tensor.expand(n, *shape)[first : first + count]
    except RuntimeError as error:
        raise BadInput(f"a fixed value of shape {tuple(tensor.shape)} does not fit {n} x {tuple(shape)}") from error


def refuse_unknown(fixed: Mapping[str, Any], allowed: list[str]) -> None:
    """Raise `BadInput` for a fixed key that the generator does not take."""
    for key in fixed:
        if key not in allowed:
            raise BadInput(f"this generator has no '{key}' to fix; {choices(key, allowed)}")


def joined(parts: list[Any]) -> Any:
    """Tensors, or dicts of them, put together along the first axis, on the CPU."""
    if isinstance(parts[0], dict):
        return {key: joined([part[key] for part in parts]) for key in parts[0]}
    return torch.cat([part.float().cpu() if part.is_floating_point() else part.cpu() for part in parts])


def to_unit(images: Any) -> Any:
    """Images from [-1, 1] to [0, 1]."""
    if isinstance(images, dict):
        return {key: to_unit(value) for key, value in images.items()}
    return images.add(1).div(2).clamp(0, 1)


def save_model(folder: Path, generator: nn.Module, part: Part, data: Mapping[str, Any], **about: Any) -> None:
    """Write a generator as a model folder. `data` is what `describe` says of the data, `about` goes into the config."""
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in generator.state_dict().items()}
    content = tensors_to_bytes(weights, metadata={"format": "pt"})
    latent = generator.latent(1, seeded("shape"))
    config = {
        "format": FORMAT,
        "ganzoo": ganzoo.__version__,
        "architecture": {
            "name": part.provided.name,
            "distribution": part.provided.distribution,
            "version": part.provided.version,
            "options": part.options,
        },
        "latent": {key: list(value.shape[1:]) for key, value in latent.items()},
        "data": dict(data),
        "weights": {
            "file": "model.safetensors",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        },
        **about,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "model.safetensors", content)
    write_json(folder / "config.json", config)


def load(source: str | Path, device: str = "auto") -> Model:
    """The model in a run or model folder.

    Raises `BadInput` where there is none, or where no installed plugin provides its architecture, and `Unavailable`
    where the weights are not those that the config names.
    """
    folder = find_model(Path(source))
    config = read_config(folder)
    generator = build_generator(config)
    content = reading(folder / config["weights"]["file"])
    if hashlib.sha256(content).hexdigest() != config["weights"]["sha256"]:
        raise Unavailable(f"{folder / 'model.safetensors'} is damaged: its sha256 is not the one in config.json")
    try:
        generator.load_state_dict(tensors_from_bytes(content))
    except RuntimeError as error:
        raise Unavailable(f"the weights in {folder} do not fit the architecture: {error}") from error
    return Model(generator, config, device)


def find_model(path: Path) -> Path:
    """The model folder that a path names: itself, or the one in a run."""
    for folder in (path, path / "model"):
        if (folder / "config.json").is_file():
            return folder
    if not path.exists():
        raise BadInput(f"there is no run or model '{path}'")
    raise BadInput(f"'{path}' is neither a run with a saved model nor a model folder: it has no config.json")


def read_config(folder: Path) -> dict[str, Any]:
    """The checked config of a model folder."""
    path = folder / "config.json"
    try:
        config = json.loads(reading(path))
        version = config["format"]
        complete = {"architecture", "latent", "data", "weights"} <= config.keys()
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path} is not the config of a ganzoo model") from error
    if version != FORMAT or not complete:
        raise BadInput(f"{path} has format {version!r}, this ganzoo {ganzoo.__version__} reads {FORMAT}")
    return config


def build_generator(config: Mapping[str, Any]) -> Generator:
    """The untrained generator that a config describes, from an installed plugin."""
    wanted, data = config["architecture"], config["data"]
    try:
        part = find("architecture", f"{wanted['distribution']}:{wanted['name']}", "generator")
    except BadInput as error:
        source = f"{wanted['distribution']} {wanted['version']}"
        raise BadInput(f"this model needs the architecture '{wanted['name']}' of {source}; {error}") from error
    part.options = checked_options(part.cls, wanted["options"], "architecture")
    image = tuple(data["shape"]) if data["kind"] == "image" else None
    return part.make(image=image, classes=len(data["classes"]) or None)
