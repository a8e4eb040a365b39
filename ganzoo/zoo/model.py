"""A trained generator as a folder of `config.json` and `model.safetensors`: written, loaded and sampled."""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganzoo._faults import reason
from ganzoo._memory import require_memory
from ganzoo._names import printable
from ganzoo._numbers import MAX_COUNT, check_count, check_seed, whole_number
from ganzoo.contract import Generator
from ganzoo.dataset import NOTHING
from ganzoo.engine.hardware import Hardware
from ganzoo.errors import BadInput, Failed, Unavailable
from ganzoo.kinds.outputs import Outputs
from ganzoo.recipe.given import NetworkLike
from ganzoo.zoo import own
from ganzoo.zoo.discriminators import check_single, load_discriminator, score, to_networks
from ganzoo.zoo.generators import resolve_generator, versions
from ganzoo.zoo.inputs import Inputs, parse_input
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.references import parse
from ganzoo.zoo.resolve import resolve_model
from ganzoo.zoo.sampling import (
    BLOCK,
    check_categories,
    check_finite,
    collect,
    concatenate,
    expand_fixed,
    parse_fixed,
    pieces,
)
from ganzoo.zoo.saving import describe_architecture
from ganzoo.zoo.weights import (
    build_with_weights,
    find_unsound,
    read_weights,
)

if TYPE_CHECKING:
    from PIL import Image


class Model:
    """A trained generator in `eval()` and float32, with the `config` that says how to build it.

    `generator` is the module itself, for differentiable use: it takes a dict such as `{"z": (n, 100)}` and returns
    images in [-1, 1], or a pair of these and a dict of extras, as its class says.
    """

    def __init__(self, generator: Generator, config: Mapping[str, Any], device: str = "auto") -> None:
        hardware = Hardware(device, precision="fp32")
        self.device = hardware.device
        hardware.place(generator)
        self.generator = generator.eval().requires_grad_(False)
        self.config: dict[str, Any] = dict(config)
        self.outputs = Outputs(generator.makes, config["data"], config.get("architecture", {}).get("distribution", ""))
        self.inputs = Inputs(generator, self.config)
        self.folder_data: Mapping[str, Any] = {}
        """How the run of this model opened its folder of images; empty outside a run and for other data."""
        self.run_data: Mapping[str, Any] = {}
        """How the run of this model opened its data; empty outside a run."""
        self.source: str | Path | None = None
        """What `load` has loaded it from; None for a model that was made in another way."""
        self.folder: Path | None = None
        """The folder of its files, if it has one."""
        self.offline = False
        """True if nothing may be asked of the Hub, not even for its discriminator."""

    def sample(self, /, n: int, seed: int = 0, **fixed: Any) -> Tensor | Any:
        """Draw `n` images, float32 (n, channels, height, width) in [0, 1] on the CPU, or points in the data's units.

        The first samples of a seed depend neither on `n` nor on the device, unless `forward` draws noise of its own. A
        latent key can be fixed without changing the others: `sample(16, label=7)` takes one value for all or one for
        each. For labels that is the name of a class, `label="cat"`, or its number from 0; where a class is called by a
        number, every number is a name, so that `label=7` is the class "7". A tensor or array of labels always has the
        numbers from 0 that batches and `sample_with_given` have.

        An input, such as a picture to translate, is given in the same way: `sample(16, grey=images)` takes a tensor or
        array of images in [0, 1], one for all or one for each, or a `Path` to a file or a folder. One that is needed
        and not given is taken from the real ones that are kept with the model; where these are fewer than `n`, they
        are used again.

        A generator with several outputs returns a dict, each as users get its kind; nothing but the loaded model
        knows that, so the type is `Tensor | Any`, which type checkers take for a tensor without a check, and
        `isinstance(samples, dict)` tells the two apart. Raises `BadInput` for an unknown key, for a value that the
        generator cannot take, such as another shape or range, and for a needed key that is neither given nor kept, and
        `Diverged` for samples that are not finite numbers.
        """
        return self.sample_with_given(n, seed, **fixed)[0]

    def sample_with_given(self, /, n: int, seed: int = 0, **fixed: Any) -> tuple[Tensor | Any, dict[str, Tensor]]:
        """Draw the images of `sample`; return them and what they were made from: {"z": (n, 100), ...}."""
        blocks = collect(self.blocks_with(fixed, n, seed), n)
        return concatenate([samples for samples, _ in blocks]), concatenate([given for _, given in blocks])

    def blocks(self, /, n: int, seed: int = 0, **fixed: Any) -> Iterator[tuple[Tensor | Any, dict[str, Tensor]]]:
        """Yield what `sample_with_given` returns in pieces of 64 samples, or a multiple of it.

        Raises `BadInput` as `sample` does, and `Diverged` for samples that are not finite numbers.
        """
        return self.blocks_with(fixed, n, seed)

    def blocks_with(
        self, fixed: Mapping[str, Any], n: int, seed: int, inputs: Mapping[str, Tensor] = NOTHING
    ) -> Iterator[tuple[Tensor | Any, dict[str, Tensor]]]:
        """Yield the blocks of `blocks`, with the fixed values in a dict: their names may be those of parameters.

        `inputs` are real ones, as networks see them, in place of those that are kept with the model.
        """
        n, seed = check_count(n), check_seed(seed)
        shape = self.config["data"].get("shape") or [1]
        require_memory(4 * min(n, BLOCK) * math.prod(shape), f"samples of the shape {tuple(shape)}")
        values = self._parse_fixed(fixed)
        kept = self.inputs.repeated_for({**values, **inputs}) | dict(inputs)
        for samples, given in pieces(self.generator, n, seed, self.device, values, self.outputs, kept):
            check_finite(samples)
            yield samples, self.inputs.to_public(given)

    def expand_fixed(self, n: int, fixed: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return a tensor of `n` values for each fixed key of `sample`. Raises `BadInput` as that does."""
        values = self._parse_fixed(fixed)
        kept = self.inputs.repeated_for(values)
        return self.inputs.to_public(expand_fixed(self.generator, n, self.device, values, kept))

    def _parse_fixed(self, fixed: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, value in fixed.items():
            if kind := self.inputs.kind_for(key, value):
                found[key] = parse_input(key, value, kind)
                continue
            found[key] = parse_fixed(key, value, self.classes_of(key))
            if count := self.categories(key):
                check_categories(key, found[key], count)
        return found

    def sample_grid(self, /, n: int | None = None, seed: int = 0, rows: str = "", **fixed: Any) -> "Image.Image":
        """Draw samples as one picture, with the layout of `ganzoo sample`; a notebook shows it.

        `n` is 64 images, 2,500 points, or 8 in each row unless it is given, 10,000 at most. `rows` such as "label" or
        "c1=-1,0,1" draws a row for each value of a latent, all from the same other latents, with its name beside it.
        `seed` and the fixed latents are those of `sample`. Raises `BadInput` as `sample` does, and where a picture can
        show none of the samples, and `Diverged` for samples that are not finite numbers.
        """
        from ganzoo.zoo.drawing import draw_grid  # it draws samples of a `Model`

        return draw_grid(self, n, seed, rows, fixed)

    @cached_property
    def discriminator(self) -> nn.Module:
        """The network that judged the generator in its training, in `eval()`; loaded, or pulled, when first used.

        Raises `BadInput` for a model that came without it. `train.keep_discriminator` keeps it.
        """
        return load_discriminator(self)

    def score(self, /, samples: Any, **given: Any) -> Tensor:
        """Return the discriminator's score of each sample, (n,): the higher, the more it takes the sample for real.

        `samples` are as `sample` returns them, images in [0, 1]; real ones with a low score are unusual (anomalies).
        `given` is what belongs to them, such as `label="cat"`, as in `sample`. Several scores for one sample, as of
        patches, count by their mean. Raises `BadInput` for a model without discriminator, and for samples that do not
        fit it.
        """
        check_single(self)
        network, images = self.discriminator, to_networks(self.outputs, samples, self.device)
        n = len(images if isinstance(images, Tensor) else next(iter(images.values())))
        return score(network, images, expand_fixed(self.generator, n, self.device, self._parse_fixed(given)))

    def sample_best(self, /, n: int, of: int = 4, seed: int = 0, **fixed: Any) -> Tensor | Any:
        """Draw `of` candidates for each of `n` samples, and return those with the highest scores, as `sample` does.

        Candidates of one sample share what is fixed. Raises `BadInput` as `sample` and `score` do.
        """
        n, of = check_count(n), whole_number("of", of, 1, MAX_COUNT)
        repeated = {key: value.repeat_interleave(of, 0) for key, value in self.expand_fixed(n, fixed).items()}
        samples, given = self.sample_with_given(n * of, seed, **repeated)
        best = self.score(samples, **given).view(n, of).argmax(1) + of * torch.arange(n)
        return {key: value[best] for key, value in samples.items()} if isinstance(samples, dict) else samples[best]

    @classmethod
    def from_pretrained(cls, source: str | PathLike[str], device: str = "auto", **options: Any) -> "Model":
        """Load a model: another name for `ganzoo.load`."""
        return load(source, device, **options)

    def push_to_hub(self, repository: str, license: str | None = None, **options: Any) -> str:
        """Publish this model as `Run.push_to_hub` does.

        Raises `BadInput` for a model that was not loaded from the folder of a run or model, or whose folder has other
        weights by now.
        """
        from ganzoo.zoo.publishing.publish import push  # the Hub's client is slow to import

        reference, weights = self.reference, self.config["weights"]["sha256"]
        if isinstance(reference, Path) and LocalModel.find(reference).config.weights.sha256 != weights:
            raise BadInput(f"{reference} has other weights by now; load it again")
        return push(reference, repository, license, **options)

    @property
    def reference(self) -> str | Path:
        """What `load` takes to load this model once more. Raises `BadInput` where it was not loaded."""
        if self.source is None:
            raise BadInput("this model was not loaded from anywhere; give the run or the folder that it is in")
        return self.source

    @property
    def title(self) -> str:
        """What it is, in a few words: its architecture and its data."""
        return printable(f"{self.config['architecture']['name']} on {self.config['data'].get('name', 'unknown data')}")

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.config["data"].get("shape") or ()))
        words = [self.title, f"{self.kind} {shape}" if shape else f"{self.kind} samples"]
        words += [f"{len(self.classes)} classes"] * bool(self.classes)
        words += [f"from {self.inputs.describe(key)}" for key, each in self.inputs.known.items() if each.needed]
        words += [f"on {self.device}"]
        return f"<ganzoo.Model: {', '.join(words)}>"

    @property
    def classes(self) -> list[str]:
        """The names of the classes that the generator learned from, in the order of their numbers."""
        classes: list[str] = self.config["data"].get("classes", [])
        return classes

    def categories(self, key: str) -> int:
        """Return how many values a latent key takes; 0 where it is not categorical or the number is unknown."""
        return self.generator.categorical.get(key) or len(self.classes_of(key))

    def classes_of(self, key: str) -> list[str]:
        """Return the names of the classes of a latent key; an empty list where they have none."""
        spec = (self.config["data"].get("specs") or {}).get(key) or {}
        return self.classes if key == "label" else list(spec.get("classes") or ())

    @property
    def kind(self) -> str:
        """The name of the kind of samples that the generator makes, such as "image", "point" or "other"."""
        return self.outputs.kind.name


def load(
    source: str | PathLike[str], device: str = "auto", *, offline: bool = False, generator: NetworkLike | None = None
) -> Model:
    """Load the model of a reference: a registered name, `hub:owner/name[@revision]`, a `Run`, or a run or model folder.

    A model that is not on this machine is downloaded, unless `offline`; the log says which commit of a branch or tag is
    taken. No random generator advances. Raises `BadInput` where there is no such model, or no installed plugin provides
    its architecture, and `Unavailable` where a download fails or a file is not the pinned one.

    `generator` is the class, an object of it, or the file with it (`"./nets.py"`) of a model that no plugin builds. It
    is remembered for this folder until Python ends. A file that this user has trained with need not be given.
    """
    reference = parse(source)
    model = load_local(resolve_model(reference, offline), device, generator)
    model.source = reference.absolute() if isinstance(reference, Path) else fspath(source)
    model.offline = offline
    return model


def load_local(local: LocalModel, device: str = "auto", generator: NetworkLike | None = None) -> Model:
    """Load a model that is on this machine. Raises `BadInput` and `Unavailable` as `load` does."""
    return local.read(lambda found: load_files(found, device, generator))


def load_files(local: LocalModel, device: str, given: NetworkLike | None = None) -> Model:
    """Load the model that the files of a folder hold now."""
    config = local.config
    part = resolve_generator(local, given)
    weights = read_weights(local.folder, config.weights)
    try:
        generator = build_with_weights(part, config.data.arguments, weights)
    except (ValueError, Failed, RuntimeError, MemoryError) as error:
        misfit = f"the weights in {local.folder} do not fit the architecture: {reason(error)}"
        raise Unavailable(f"{misfit}; {versions(config.architecture, part)}") from error
    if infinite := find_unsound(generator):
        path = local.folder / config.weights.file
        raise Unavailable(f"{path} is damaged: '{infinite}' has a number that is not finite")
    folder_data = local.folder_data
    # Configs of earlier versions do not say it, and a folder may be called like a data set.
    opened = {"data": {**config.table["data"], "opened_as": "folder"}} if folder_data else {}
    is_now_plugins = config.architecture.given_as and not part.registration.given_as
    built = {"architecture": describe_architecture(part)} if is_now_plugins else {}
    model = Model(generator, {**config.table, **opened, **built}, device)
    if given is not None:
        own.remember(local.folder, given)
    model.folder_data, model.inputs.file = folder_data, local.inputs_file
    model.run_data, model.folder = local.run_data, local.folder
    return model
