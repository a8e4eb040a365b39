"""What every kind of samples promises, each as a function of the `KindCase` in which it is checked."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ganzoo.kind import Kind
from ganzoo.kinds.lookup import find_kind
from ganzoo.pictures.grid import make_mark
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.names import may_be_same
from ganzoo.testing.check import Skipped, require
from ganzoo.testing.datasets import DataCase

COUNT = 3
MARK = make_mark("a check", 0)
TOLERANCE = 1e-3
"""The largest difference between a sample and itself, converted there and back, as a share of its range."""


class KindCase:
    """A kind, bound to the samples of a data set of the same plugin that has such."""

    def __init__(self, thing: Registration, data: Sequence[DataCase]) -> None:
        self.thing, self._data = thing, data

    @cached_property
    def bound(self) -> tuple[Kind, Tensor]:
        """The kind with the spec of a data set's key, and a few of its samples as networks see them."""
        reasons = []
        for case in self._data:
            try:
                data = case.load()
            except Skipped as reason:
                reasons.append(str(reason))
                continue
            for key, spec in data.specs.items():
                if may_be_same(spec.kind, self.thing.full_name):
                    return find_kind(spec, data.facts), data.first(COUNT, 0)[key]
        raise Skipped("; ".join(reasons) or "no data set of this plugin has samples of it")

    @property
    def kind(self) -> Kind:
        """The kind."""
        return self.bound[0]

    @property
    def samples(self) -> Tensor:
        """A few samples (n, ...) as users get them."""
        return self.kind.to_public(self.bound[1])


def says_what_it_is(case: KindCase) -> None:
    """It has a plural, an ending of files, and a sentence about its samples."""
    kind = case.kind
    require(isinstance(kind.plural, str) and kind.plural, "`plural` must say what several samples are called")
    require(kind.suffix == "" or kind.suffix.startswith("."), f"`suffix` must begin with a dot, got {kind.suffix!r}")
    for name in ("range", "public_range"):
        limits = getattr(kind, name)
        require(limits is None or limits[0] < limits[1], f"`{name}` must be (lowest, highest), got {limits}")
    said = kind.describe()
    require(isinstance(said, str) and said, f"describe() must return what samples are in words, got {said!r}")


def accepts_samples_and_refuses_others(case: KindCase) -> None:
    """`check` takes real samples, and refuses another shape and values outside the range by `ValueError`."""
    kind, samples = case.kind, case.samples
    kind.check(samples)
    require_refusal(kind, samples[:, :1].repeat_interleave(7, 1) if samples.dim() > 1 else samples, "of another shape")
    if kind.public_range and samples.is_floating_point():
        low, high = kind.public_range
        require_refusal(kind, samples + 10 * (high - low), "outside the public range")


def require_refusal(kind: Kind, samples: Tensor, what: str) -> None:
    """Check that samples are refused by a `ValueError` with a text."""
    if tuple(samples.shape[1:]) == kind.spec.shape and what == "of another shape":
        return
    try:
        kind.check(samples)
    except ValueError as refusal:
        require(str(refusal), f"check() refuses samples {what} without a word")
        return
    raise AssertionError(f"check() takes samples {what}: raise ValueError, or call super().check(values)")


def converts_there_and_back(case: KindCase) -> None:
    """What networks see, users get, and the other way round; networks see float32 in `range`."""
    kind, samples = case.kind, case.samples
    seen = kind.to_network(samples)
    require(seen.dtype == torch.float32 or not seen.is_floating_point(), f"to_network() makes {seen.dtype}")
    if kind.range:
        low, high = kind.range
        inside = seen.min() >= low - TOLERANCE and seen.max() <= high + TOLERANCE
        require(inside, f"to_network() makes {seen.min():.3g} to {seen.max():.3g}, `range` is {low:g} to {high:g}")
    back = kind.to_public(seen)
    span = float(samples.max() - samples.min()) or 1.0
    near = back.shape == samples.shape and (back - samples).abs().max() <= TOLERANCE * span
    require(near, "to_public(to_network(samples)) are other samples")


def writes_files_and_reads_them(case: KindCase) -> None:
    """A sample can be written to a file of its suffix, and what is read from it, if anything is, is a sample again."""
    kind = case.kind
    if not kind.suffix:
        raise Skipped("it writes no files")
    arrays = kind.to_array(case.samples)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{kind.suffix}"
        kind.write(path, arrays if kind.together else arrays[0], MARK)
        require(path.is_file() and path.stat().st_size, f"write() leaves nothing in {path.name}")
        if writes_only(kind):
            return
        found = torch.as_tensor(kind.read(path))
    kind.check(found if kind.together else found[None])


def writes_only(kind: Kind) -> bool:
    """Return whether a kind has its own way to write and nobody's to read it: no input can be given as such a file."""
    origins = {name: find_origin(type(kind), name) for name in ("read", "write", "to_array")}
    return any(origins[name] is not Kind and not issubclass(origins["read"], origins[name]) for name in origins)


def find_origin(cls: type[Kind], name: str) -> type:
    """Return the class from which a kind has a method."""
    return next(base for base in cls.__mro__ if name in vars(base))


def draws_samples(case: KindCase) -> None:
    """`draw` makes a picture of one sample and of several, or returns None; `card` shows files."""
    from PIL import Image

    kind, arrays = case.kind, case.kind.to_array(case.samples)
    for n in (1, len(arrays)):
        picture = kind.draw(arrays[:n])
        good = picture is None or (isinstance(picture, Image.Image) and picture.width and picture.height)
        require(good, f"draw() must return a PIL image or None, got {picture!r:.60}")
    shown = kind.card({f"0{kind.suffix}": arrays if kind.together else arrays[0]})
    require(isinstance(shown, str), f"card() must return Markdown, got {shown!r:.60}")


CHECKS: tuple[Callable[[KindCase], None], ...] = (
    says_what_it_is,
    accepts_samples_and_refuses_others,
    converts_there_and_back,
    writes_files_and_reads_them,
    draws_samples,
)
