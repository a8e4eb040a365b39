"""A trained generator as a folder of `config.json` and `model.safetensors`: written, loaded and sampled."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from ganzoo._io import read_bytes, replace_folder, sha256, write_bytes, write_json
from ganzoo._seeds import make_rng
from ganzoo._version import __version__
from ganzoo.contract import Generator
from ganzoo.engine.hardware import Hardware
from ganzoo.errors import BadInput, Failed, Unavailable
from ganzoo.plugins.firstparty import how_to_install
from ganzoo.recipe.build import ResolvedClass, check_options, resolve_class
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo.config import AXES, FORMAT, read_config
from ganzoo.zoo.resolve import resolve_folder
from ganzoo.zoo.sampling import check_range, concatenate, expand_fixed, parse_numbers, pieces


class Model:
    """A trained generator in `eval()` and float32, with the `config` that says how to build it.

    `generator` is the module itself, for differentiable use: it takes a dict such as `{"z": (n, 100)}` and gives
    images in [-1, 1].
    """

    def __init__(self, generator: Generator, config: Mapping[str, Any], device: str = "auto") -> None:
        hardware = Hardware(device, precision="fp32")
        self.device = hardware.device
        self.generator = hardware.place(generator).eval().requires_grad_(False)
        self.config = dict(config)

    def sample(self, n: int, seed: int = 0, **fixed: Any) -> Any:
        """`n` images as a float32 tensor (n, channels, height, width) in [0, 1], on the CPU; points as they are.

        The first samples of a seed depend neither on `n` nor on the device, unless `forward` draws noise of its own. A
        latent key can be fixed without changing the others: `sample(16, label=7)` takes one value for all or one for
        each, and for labels also the names of classes. Several outputs come as a dict; what is not under the key
        "image" comes as it is. Raises `BadInput` for a key that this generator does not have, for a value it cannot
        take, and where one that it needs is not given.
        """
        return self.sample_with_given(n, seed, **fixed)[0]

    def sample_with_given(self, n: int, seed: int = 0, **fixed: Any) -> tuple[Any, dict[str, Tensor]]:
        """The images of `sample`, and what they were made from: {"z": (n, 100), ...}."""
        blocks = list(self.blocks(n, seed, **fixed))
        return concatenate([samples for samples, _ in blocks]), concatenate([given for _, given in blocks])

    def blocks(self, n: int, seed: int = 0, **fixed: Any) -> Iterator[tuple[Any, dict[str, Tensor]]]:
        """What `sample_with_given` returns in pieces of 64 samples or a few times as many, one after the other."""
        if n < 1:
            raise BadInput(f"cannot draw {n} samples; 1 or more")
        yield from pieces(self.generator, n, seed, self.device, self._numbers(fixed), self.makes_images)

    def expand_fixed(self, n: int, **fixed: Any) -> dict[str, Tensor]:
        """What `sample` is told to fix as a tensor of `n` values for each key. Raises `BadInput` as that does."""
        return expand_fixed(self.generator, n, self.device, self._numbers(fixed))

    def _numbers(self, fixed: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, value in fixed.items():
            found[key] = parse_numbers(key, value, self.classes if key == "label" else ())
            if count := self.categories(key):
                check_range(key, found[key], count)
        return found

    @property
    def classes(self) -> list[str]:
        """The names of the classes that the generator learned from, in the order of their numbers."""
        return self.config["data"].get("classes", [])

    def categories(self, key: str) -> int:
        """How many values a latent key takes; 0 where it is not categorical, or nobody says."""
        return self.generator.categorical.get(key) or (len(self.classes) if key == "label" else 0)

    @property
    def makes_images(self) -> bool:
        """Whether there are images in [-1, 1] among what the generator makes."""
        return self.kind == "image"

    @property
    def kind(self) -> str:
        """What the generator makes of the kind of data that it learned from: "image", "point" or "other"."""
        kind, makes = self.config["data"]["kind"], self.generator.makes
        return kind if kind in ([makes] if isinstance(makes, str) else makes) else "other"


def save_model(
    folder: Path,
    generator: nn.Module,
    part: ResolvedClass[Generator],
    data: Mapping[str, Any],
    recipe: Recipe | None = None,
    **about: Any,
) -> None:
    """Write a generator as a model folder. `data` is `Data.description`, `about` goes into the config."""
    content = serialize_weights(generator)
    config = {
        "format": FORMAT,
        "ganzoo": __version__,
        "architecture": describe_architecture(part),
        "latent": {key: list(value.shape[1:]) for key, value in generator.latent(1, make_rng("shape")).items()},
        "data": dict(data),
        "weights": {"file": "model.safetensors", "sha256": sha256(content), "size": len(content)},
        **about,
    }
    with replace_folder(folder) as part:
        write_bytes(part / "model.safetensors", content)
        write_json(part / "config.json", config)
        if recipe:
            recipe.save(part / "recipe.toml")


def serialize_weights(generator: nn.Module) -> bytes:
    """A generator's weights as the content of a safetensors file."""
    # Clones, since safetensors refuses tensors that share memory.
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in generator.state_dict().items()}
    return tensors_to_bytes(weights, metadata={"format": "pt"})


def describe_architecture(part: ResolvedClass[Generator]) -> dict[str, Any]:
    """What a config says of the architecture."""
    provided = part.registration
    about = {"name": provided.name, "distribution": provided.distribution, "version": provided.version}
    return about | {"options": dict(part.options)}


def load(
    source: str | Path,
    device: str = "auto",
    *,
    offline: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Model:
    """The model that a reference means: a registered name, `hub:owner/name[@revision]`, or a run or model folder.

    What is not on this machine is downloaded, unless `offline`; `say` is told which commit is taken. No random
    generator moves on. Raises `BadInput` where there is no such model, or where no installed plugin provides its
    architecture, and `Unavailable` where it cannot be had, or is not what was pinned.
    """
    folder = resolve_folder(source, offline, say=say)
    config = read_config(folder)
    part = resolve_generator(config["architecture"])
    weights = read_weights(folder, config["weights"])
    try:
        generator = build_with_weights(part, config["data"], weights)
    except (ValueError, Failed, RuntimeError, MemoryError) as error:
        said = f"the weights in {folder} do not fit the architecture: {error}"
        raise Unavailable(f"{said}; {versions(config['architecture'], part)}") from error
    return Model(generator, config, device)


def build_with_weights(
    part: ResolvedClass[Generator], data: Mapping[str, Any], weights: Mapping[str, Tensor]
) -> Generator:
    """The generator with these weights. Raises `ValueError` where they do not fit.

    It is looked at without memory of its own first: a config of a few bytes may ask for more than there is. (A few
    constructors cannot do that, as they look at their own numbers.)
    """
    with torch.random.fork_rng([]):
        with suppress(Failed), torch.device("meta"):
            check_weights_fit(build_generator(part, data), weights)
        generator = build_generator(part, data)
    check_weights_fit(generator, weights)
    generator.load_state_dict(weights)
    return generator


def load_initial_weights(generator: Generator, source: str | Path) -> None:
    """Give a new generator the weights of a pretrained one. Raises `BadInput` where it is built in another way."""
    model = load(source, "cpu")
    weights = model.generator.state_dict()
    try:
        check_weights_fit(generator, weights)
    except ValueError as misfit:
        made = model.config["architecture"]
        built = ", ".join([made["name"], *(f"{key}={value}" for key, value in made["options"].items())])
        images = f" for images of {model.config['data'].get('shape')}" if model.makes_images else ""
        raise BadInput(f"training cannot begin with '{source}', which is {built}{images}: {misfit}") from misfit
    generator.load_state_dict(weights)


def check_weights_fit(generator: Generator, given: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` where weights do not have exactly the names, shapes and types of a generator's own.

    Half precision is a way to keep float32 in less space, and fits.
    """
    wanted = generator.state_dict()
    if other := sorted(wanted.keys() ^ given.keys()):
        raise ValueError(f"'{other[0]}' is {'missing' if other[0] in wanted else 'too much'}")
    for name, tensor in wanted.items():
        halved = tensor.dtype == torch.float32 and given[name].dtype in (torch.float16, torch.bfloat16)
        if given[name].shape != tensor.shape:
            raise ValueError(f"'{name}' has the shape {tuple(given[name].shape)}, not {tuple(tensor.shape)}")
        if given[name].dtype != tensor.dtype and not halved:
            raise ValueError(f"'{name}' is {given[name].dtype}, not {tensor.dtype}")


def versions(made: Mapping[str, Any], part: ResolvedClass[Generator]) -> str:
    """The version of the plugin that a model was made with, and the installed one."""
    return f"made with {made['distribution']} {made['version']}, installed is {part.registration.version}"


def read_weights(folder: Path, pinned: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a model folder. Raises `Unavailable` for another file than the config pins, and for a NaN."""
    path = folder / pinned["file"]
    if not path.is_file() or path.stat().st_size != pinned["size"]:
        raise Unavailable(f"{path} is missing or incomplete: config.json says {pinned['size']:,} bytes")
    content = read_bytes(path)
    if sha256(content) != pinned["sha256"]:
        raise Unavailable(f"{path} is damaged: its sha256 is not the one in config.json")
    try:
        weights = tensors_from_bytes(content)
    except (SafetensorError, KeyError) as error:
        raise Unavailable(f"{path} is no safetensors file that torch can read") from error
    for name in [name for name, tensor in weights.items() if tensor.isnan().any()]:
        raise Unavailable(f"{path} is not sound: '{name}' has a NaN")
    return weights


def resolve_generator(wanted: Mapping[str, Any]) -> ResolvedClass[Generator]:
    """The generator class of an installed plugin that a config names, with the options it says."""
    try:
        part = resolve_class("architecture", f"{wanted['distribution']}:{wanted['name']}", "generator", Generator)
    except BadInput as error:
        source = f"{wanted['distribution']} {wanted['version']}"
        how = how_to_install(wanted["distribution"])
        raise BadInput(f"this model needs the architecture '{wanted['name']}' of {source}: {how} ({error})") from error
    try:
        return replace(part, options=check_options(part.cls, wanted["options"], "architecture"))
    except BadInput as error:
        raise BadInput(f"{error}; {versions(wanted, part)}") from error


def build_generator(part: ResolvedClass[Generator], data: Mapping[str, Any]) -> Generator:
    """The untrained generator for the data that a config describes."""
    shape = {data["kind"]: tuple(data["shape"])} if data["kind"] in AXES else {}
    return part.make(**shape, classes=len(data["classes"]) or None)
