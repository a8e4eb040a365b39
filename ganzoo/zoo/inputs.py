"""Inputs of a generator, which it is given beside its latents: what is known of them, and values that users give."""

import io
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._io import exists, expand_user, read_bytes, sha256
from ganzoo._memory import require_memory
from ganzoo._names import natural_key
from ganzoo._seeds import make_rng, preserve_global_generators
from ganzoo.contract import Generator
from ganzoo.dataset import NOTHING, Spec
from ganzoo.errors import BadInput, Unavailable, allow, suggest
from ganzoo.kind import Array, Kind
from ganzoo.kinds.files import culprit
from ganzoo.kinds.lookup import find_kind_or_missing
from ganzoo.kinds.outputs import describe_spec, read_spec, read_specs
from ganzoo.zoo.config import MAX_INPUTS_BYTES
from ganzoo.zoo.kept import limit_count, parse_kept

P = ParamSpec("P")
T = TypeVar("T")
File = str | PathLike[str]


@dataclass(frozen=True)
class Input:
    """An input of a generator: what it holds, None where nobody knows it, and whether it is needed for every sample."""

    spec: Spec | None
    needed: bool

    @property
    def plain(self) -> dict[str, Any]:
        """The values that a config has of it."""
        about = describe_spec(self.spec or Spec())
        return {**about, "shape": about["shape"] if self.spec else None, "needed": self.needed}

    @classmethod
    def from_plain(cls, about: Mapping[str, Any]) -> "Input":
        """Return an input from what a config has of it."""
        return cls(read_spec(about) if about.get("shape") is not None else None, bool(about.get("needed")))


class Inputs:
    """The inputs of a model: `known` by key, and real ones, which are `kept` in the file of its run or folder."""

    def __init__(self, generator: Generator, config: Mapping[str, Any], file: Path | None = None) -> None:
        self.generator, self.config, self.file = generator, config, file

    @cached_property
    def known(self) -> dict[str, Input]:
        """Each input by its key. Earlier configs do not have them, and the generator may state more by now."""
        stated = {key: Input.from_plain(about) for key, about in self.config.get("inputs", {}).items()}
        return find_inputs(self.generator, read_specs(self.config["data"])) | stated

    @property
    def missing(self) -> list[str]:
        """The needed ones of which there are no real ones."""
        return [key for key, each in self.known.items() if each.needed and key not in self.kept]

    @cached_property
    def kept(self) -> dict[str, Tensor]:
        """Real inputs by key, as networks see them; none where there is no file. Raises `Unavailable` for a damaged."""
        if self.file is None:
            return {}
        content = self._read_file(self.file)
        found = {key: value for key, value in parse_kept(content, self.file).items() if key in self.known}
        for key, values in found.items():
            spec = self.known[key].spec
            if spec and tuple(values.shape[1:]) != spec.shape:
                raise Unavailable(f"{self.file} does not fit the model: its '{key}' has another shape")
        return found

    def _read_file(self, path: Path) -> bytes:
        """Read the file of real inputs. Raises `Unavailable` for one that the config does not pin."""
        pin = self.config.get("kept_inputs")
        if pin and not (path.is_file() and path.stat().st_size == pin["size"]):
            raise Unavailable(f"{path} is missing or incomplete: config.json says {pin['size']:,} bytes")
        content = read_bytes(path, MAX_INPUTS_BYTES)
        if pin and sha256(content) != pin["sha256"]:
            raise Unavailable(f"{path} is damaged: its sha256 is not the one in config.json")
        return content

    def limit(self, n: int) -> int:
        """Return `n`, or as many samples as differ where they are made from the real inputs and nothing else."""
        return limit_count(n, self.kept, self.config.get("latent", "?"))

    def repeated_for(self, fixed: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the real inputs for needed keys that are not fixed. Raises `BadInput` where there are none."""
        lacking = [key for key, each in self.known.items() if each.needed and key not in fixed]
        if told := [self.describe(key) for key in lacking if key not in self.kept and self.kind_for(key)]:
            example = next(key for key in lacking if key not in self.kept and self.kind_for(key))
            ways = f"sample(16, {example}=...) in Python, --input {example}=FILE|FOLDER at the command line"
            raise BadInput(f"this generator needs {' and '.join(told)}: {ways}")
        return {key: self.kept[key] for key in lacking if key in self.kept}

    def describe_kept(self, given: Collection[str]) -> str:
        """Say which needed keys that are not given are real ones of those that are kept, and how to give others."""
        kept = {key: values for key, values in self.repeated_for(dict.fromkeys(given)).items() if key not in given}
        if not kept:
            return ""
        first = next(iter(kept))
        example = next((f"--input {key}=FILE|FOLDER" for key in kept if self.kind_for(key)), f"--set {first}=...")
        what = f"{len(kept[first]):,} real inputs that are kept with the model ({', '.join(kept)})"
        return f"made from {what}; {example} gives others"

    def describe(self, key: str) -> str:
        """Return what an input is, in words: "'grey' (16 x 16 images in [0, 1])"."""
        kind = self.kind_for(key)
        return f"'{key}'" if kind is None else f"'{key}' ({describe_kind(kind)})"

    def kind_for(self, key: str, value: Any = None) -> Kind | None:
        """Return the kind by which a given value of a key is parsed.

        None where nobody knows it, and for labels and latents, unless they are read from a file.
        """
        from_file = isinstance(value, PathLike)
        spec = self.known[key].spec if key in self.known else self._latent_spec(key) if from_file else None
        if spec is None or (is_label(spec) and not from_file):
            return None
        about = self.config.get("architecture", {}).get("distribution", "")
        return find_kind_or_missing(spec, self.config["data"].get("facts") or NOTHING, about)

    def _latent_spec(self, key: str) -> Spec | None:
        shape = self.config.get("latent", {}).get(key)
        if shape is None:
            return None
        return Spec("label" if key in ("label", *self.generator.categorical) else "other", tuple(shape))

    def read(self, key: str, source: File, n: int | None = None) -> Array:
        """Read the values of a key from a file, a folder or FILE.npz as `read_input` does.

        Raises `BadInput` for an unknown key, and for several values that are fewer than `n`.
        """
        if (kind := self.kind_for(key, Path(source))) is None:
            known = [*self.known, *self.config.get("latent", {})]
            if key not in known:
                raise BadInput(f"this model takes no '{key}'; {suggest(key, known)}")
            why = f"nobody knows what '{key}' holds, as neither the data nor the generator has stated it"
            raise BadInput(f"{why}; in Python sample(16, {key}=...) takes it as it is")
        found = read_input(key, source, kind, n)
        if n and 1 < len(found) < n:
            raise BadInput(
                f"'{source}' has {len(found)} {kind.plural} for {n} samples; leave out -n, or give one for each"
            )
        return found

    def to_public(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what samples were made from, with inputs as users give them."""
        kinds = {key: self.kind_for(key) for key in given if key in self.known}
        return {key: kind.to_public(value) if (kind := kinds.get(key)) else value for key, value in given.items()}


def is_label(spec: Spec | None) -> bool:
    """Return whether a key holds the numbers of classes."""
    return spec is not None and (spec.kind == "label" or bool(spec.classes))


def describe_kind(kind: Kind) -> str:
    """Return what samples of a kind are, with the range of their public form: "16 x 16 images in [0, 1]"."""
    limits = kind.public_range or kind.range or kind.spec.range
    return call_plugin(culprit(kind), kind.describe) + (f" in [{limits[0]:g}, {limits[1]:g}]" if limits else "")


def find_inputs(generator: Generator, specs: Mapping[str, Spec]) -> dict[str, Input]:
    """Return the inputs of a generator by key: what it needs and does not draw itself, and what it may take.

    What the generator states of them counts more than the `specs` of its data.
    """
    with preserve_global_generators():
        drawn = generator.latent(1, make_rng("inputs"))
    needed = {key: Input(spec, True) for key, spec in with_specs(generator.needs, specs) if key not in drawn}
    return needed | {key: Input(spec, False) for key, spec in with_specs(generator.takes, specs) if key not in needed}


def find_labels(generator: Generator, specs: Mapping[str, Spec]) -> list[str]:
    """Return the keys of the data from which a generator learned its classes and amounts."""
    classes = [key for key, count in generator.categorical.items() if len(specs.get(key, Spec()).classes) == count]
    return classes + [key for key in generator.amounts if key in specs]


def describe_inputs(generator: Generator, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config that says which inputs the generator has; empty without any."""
    found = {key: each.plain for key, each in find_inputs(generator, read_specs(data)).items()}
    return {"inputs": found} if found else {}


def with_specs(keys: Iterable[str] | Mapping[str, Spec], known: Mapping[str, Spec]) -> list[tuple[str, Spec | None]]:
    """Return each key with what is stated or known of it."""
    return [*keys.items()] if isinstance(keys, Mapping) else [(key, known.get(key)) for key in keys]


def parse_input(key: str, value: Any, kind: Kind) -> Tensor:
    """Return what a user gives for an input as networks see it: (1, ...) for all samples, or (n, ...) for each.

    Files are read. Raises `BadInput` for what cannot be read, and for another shape or range.
    """
    given = read_input(key, value, kind) if isinstance(value, str | PathLike) else as_array(key, value)
    values = as_tensor(f"'{key}'", ask_kind(f"'{key}'", kind, kind.from_array, given))
    if values.dim() == len(kind.spec.shape):
        values = values[None]
    ask_kind(f"'{key}'", kind, kind.check, values)
    return ask_kind(f"'{key}'", kind, kind.to_network, values)


def as_array(key: str, value: Any) -> Array:
    """Return a value that Python code gives as an array. Raises `BadInput` for what is none."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    with suppress(ValueError, TypeError, RuntimeError):
        found = np.asarray(value)
        if found.dtype.kind in "biufU":
            return found
    raise BadInput(f"'{key}' must be a tensor, an array or a file, got {reprlib.repr(value)}")


def as_tensor(about: str, values: Any) -> Tensor:
    """Return an array of any layout as a tensor. Raises `BadInput`, which begins with `about`, if it has no numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise BadInput(f"{about} must have numbers, got {array.dtype}")
    dtype = np.dtype(np.float64) if array.dtype.itemsize > 8 else array.dtype  # torch has no longer ones
    return torch.from_numpy(np.array(array, dtype=dtype.newbyteorder("="), order="C"))


def read_input(key: str, source: File, kind: Kind, n: int | None = None) -> Array:
    """Read an input for each of `n` samples, or as many as there are, from a file, a folder of files, or FILE.npz.

    Returns them (n, ...) as users give them. Files of a folder are taken in the order of their names, numbers by their
    value. Raises `BadInput` where there are none, and for one that cannot be read.
    """
    path = expand_user(Path(source))
    if not exists(path):
        raise BadInput(f"there is no file or folder '{path}' to take '{key}' from")
    if path.suffix.lower() == ".npz":
        return read_arrays(key, path, kind)[:n]
    files = list_files(path)[:n] if path.is_dir() else [path]
    if not files:
        raise BadInput(f"the folder '{path}' has no file to take '{key}' from")
    require_memory(8 * len(files) * prod(kind.spec.shape), f"{len(files):,} {kind.plural}")
    read = [read_file(file, kind) for file in files]
    return np.concatenate(read)[:n]


def read_file(path: Path, kind: Kind) -> Array:
    """Read the sample of a file, or several where the kind writes them together, as (n, ...)."""
    found = np.asarray(ask_kind(f"'{path}'", kind, kind.read, path))
    found = found if kind.together else found[None]
    ask_kind(f"'{path}'", kind, kind.check, as_tensor(f"'{path}'", found))
    return found


def list_files(folder: Path) -> list[Path]:
    """Return all files below a folder, but hidden ones, in the order of their names."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(shown, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def read_arrays(key: str, path: Path, kind: Kind) -> Array:
    """Read an array (n, ...) from FILE.npz: that of the key or of the kind, else the only one."""
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as arrays:
            names = [name for name in (key, kind.plural, *arrays) if name in arrays]
            if len(arrays) > 1 and names[0] not in (key, kind.plural):
                raise BadInput(f"'{path}' has no array '{key}'; {allow(arrays)}")
            found: Array = arrays[names[0]]
    except BadInput:
        raise
    except Exception as error:  # numpy and zipfile have exceptions of their own for damaged files
        raise BadInput(f"'{path}' is not an array file that can be read ({error})") from error
    return ask_kind(f"'{path}'", kind, kind.from_array, found)


def ask_kind(about: str, kind: Kind, ask: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what a kind answers. Raises `BadInput`, which begins with `about`, where it refuses a value."""
    try:
        return call_plugin(culprit(kind), ask, *arguments, **options)
    except BadInput as error:
        refusal = error.__cause__
        if isinstance(refusal, ValueError) and not isinstance(refusal, BadInput):
            raise BadInput(f"{about} {refusal}") from refusal
        raise
