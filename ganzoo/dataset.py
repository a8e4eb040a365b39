"""What a plugin that brings data writes against: `Dataset`, and the `Spec` of each key. No torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

NOTHING: Mapping[str, Any] = MappingProxyType({})
LABEL = "label"
"""The key whose number of classes networks get as `classes`."""


@dataclass(frozen=True)
class Spec:
    """What one key of a batch holds.

    `kind` is the name of a registered kind, such as "image"; `shape` that of one sample, without the axis of samples;
    `range` the lowest and the highest value as networks see them, None where it is open. A key with `classes`, the
    names of its categories, holds one number from 0 per sample.
    """

    kind: str = "other"
    shape: tuple[int, ...] = ()
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()


class Dataset:
    """Samples by index. ganzoo draws their order, makes batches, and resumes without reading what it has read.

    The annotated parameters of the constructor are options of a recipe's `[data]`. To refuse one, or files that cannot
    be used, raise `ValueError` with one sentence.
    """

    kinds: Mapping[str, str] = NOTHING
    """The kind of each key of a sample, such as {"image": "image", "grey": "image"}. The first key is what a generator
    makes, unless it says otherwise; a key that is not here has the kind "other"."""

    classes: Mapping[str, Sequence[str]] = NOTHING
    """Names of the classes of each key that holds one, such as {"label": ["cat", "dog"]}; the sample has its number."""

    ranges: Mapping[str, tuple[float, float]] = NOTHING
    """The least and the greatest value of labels that are amounts and no classes, such as {"age": (18, 80)}."""

    facts: Mapping[str, Any] = NOTHING
    """Further arguments for the constructors of networks, by the name of the parameter, such as {"rate": 16000}.

    Plain values, which the config of a model keeps. The shape of each key is such an argument without being named.
    """

    notes: Sequence[str] = ()
    """Messages for the user when a training begins."""

    license: str = ""
    """SPDX identifier of the licence under which samples may be passed on; empty where they may not."""

    def __len__(self) -> int:
        """Return the number of samples."""
        raise NotImplementedError(f"{type(self).__name__} has no __len__, the number of its samples")

    def sample(self, index: int, rng: "np.random.Generator") -> Mapping[str, "np.ndarray[Any, Any]"]:
        """Return one sample: an array for each key, of the same shape for every index.

        Images have the shape (channels, height, width); they are uint8, uint16, or floating point in [0, 1]. Other
        floating-point numbers become float32, whole numbers int64. Draw random numbers from `rng`, which depends on the
        seed of the training and the place in it. Raise any error for a sample that cannot be read: ganzoo takes the
        next one, or ends, as `data.broken` says. Worker processes may call this.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither sample() nor arrays()")

    def arrays(self) -> "Mapping[str, np.ndarray[Any, Any]] | None":
        """Return all samples at once, the first axis being the sample, where they fit in memory; by default None.

        They are as `sample` returns them, which is then not called.
        """
        return None

    def source(self, index: int) -> str:
        """Return what messages call a sample, such as the path of its file."""
        return f"sample {index}"


def find_facts(specs: Mapping[str, Spec]) -> dict[str, Any]:
    """Return the facts that are in the specs.

    They are the shape of each key, the number of classes of those that have some, and, where there are more labels than
    one, "conditions": of each its number of classes, or its least and greatest amount.
    """
    facts: dict[str, Any] = {key: spec.shape for key, spec in specs.items() if spec.shape and not spec.classes}
    categories = {key: len(spec.classes) for key, spec in specs.items() if spec.classes}
    amounts = {key: list(spec.range) for key, spec in specs.items() if is_amount(spec) and spec.range}
    facts |= {"classes" if key == LABEL else key: count for key, count in categories.items()}
    return facts | ({"conditions": categories | amounts} if {*categories, *amounts} - {LABEL} else {})


def is_amount(spec: Spec) -> bool:
    """Return whether a key holds one number within known limits."""
    return spec.kind == "other" and not spec.shape and not spec.classes and spec.range is not None
