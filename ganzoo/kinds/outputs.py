"""The kinds of all that a generator makes, by key, and the one that pictures and files show."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganzoo.contract import Images
from ganzoo.dataset import NOTHING, Spec
from ganzoo.kind import Array, Kind
from ganzoo.kinds.files import to_array, to_public
from ganzoo.kinds.lookup import find_kind_or_missing


class Outputs:
    """The kinds of a generator's outputs, by their keys.

    `makes` is the generator's; `about` describes the data as the config of a model does. `main` is the key of the
    output that pictures and files show: the one that the data are described by, or else the first that has a spec.
    """

    def __init__(self, makes: str | tuple[str, ...], about: Mapping[str, Any], distribution: str = "") -> None:
        specs, facts = read_specs(about), about.get("facts") or NOTHING
        keys = (makes,) if isinstance(makes, str) else tuple(makes)
        self.known = [key for key in keys if key in specs]
        self.main = next((key for key in self.known if key == about["kind"]), [*self.known, *keys][0])
        self.kinds: dict[str, Kind] = {
            key: find_kind_or_missing(specs.get(key, Spec()), facts, distribution) for key in keys
        }

    @property
    def kind(self) -> Kind:
        """The kind of the main output."""
        return self.kinds[self.main]

    @property
    def shown(self) -> dict[str, Kind]:
        """The kinds of the outputs that pictures and folders of files show: the main one, and others of its kind."""
        alike = {key: self.kinds[key] for key in self.known if self.kinds[key].name == self.kind.name}
        return {self.main: self.kind, **alike}

    def to_arrays(self, samples: Images) -> dict[str, Array]:
        """Return the shown outputs of samples (n, ...) as users get them, as `Kind.to_array` does."""
        found = samples if isinstance(samples, dict) else {self.main: samples}
        return {key: to_array(kind, found[key]) for key, kind in self.shown.items()}

    def select(self, samples: Images) -> Tensor:
        """Return the main output of samples."""
        return samples[self.main] if isinstance(samples, dict) else samples

    def to_public(self, samples: Images) -> Images:
        """Return samples as users get them; an output without a kind stays as it is."""
        if not isinstance(samples, dict):
            return to_public(self.kind, samples)
        return {
            key: to_public(self.kinds[key], value) if key in self.kinds else value for key, value in samples.items()
        }


def read_specs(about: Mapping[str, Any]) -> dict[str, Spec]:
    """Return the spec of each key of data that a config describes; earlier ones describe images, points and labels."""
    if about.get("specs"):
        return {key: read_spec(spec) for key, spec in about["specs"].items()}
    kind, shape, classes = about["kind"], tuple(about.get("shape") or ()), tuple(about.get("classes") or ())
    limits = (-1.0, 1.0) if kind == "image" else None
    found = {kind: Spec(kind, shape, limits)} if kind != "other" else {}
    return found | ({"label": Spec("label", classes=classes)} if classes else {})


def describe_spec(spec: Spec) -> dict[str, Any]:
    """Return a spec as the plain values of a config, from which `read_spec` reads it."""
    return {
        "kind": spec.kind,
        "shape": list(spec.shape),
        "range": list(spec.range) if spec.range else None,
        "classes": list(spec.classes),
    }


def read_spec(about: Mapping[str, Any]) -> Spec:
    """Return a spec from the plain values of a config."""
    limits = about.get("range")
    return Spec(
        about.get("kind", "other"),
        tuple(about.get("shape") or ()),
        (limits[0], limits[1]) if limits else None,
        tuple(about.get("classes") or ()),
    )
