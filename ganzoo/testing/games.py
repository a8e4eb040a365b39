"""The games that a plugin's things are checked in: small batches, an architecture or the kit's own, and plain turns."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import prod
from typing import Any, Literal, get_args, get_origin

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo._seeds import make_rng
from ganzoo.contract import Batch, Generator, Loss, Step
from ganzoo.engine.settings import SIDES, validate
from ganzoo.errors import Error, Failed
from ganzoo.recipe import build
from ganzoo.recipe.build import ResolvedArchitecture, option_schema
from ganzoo.recipe.sections import Architecture
from ganzoo.testing.check import Skipped, Unplayable, describe_options, saying

Players = tuple[Generator, nn.Module]
MakeBatch = Callable[[int, torch.Generator], Mapping[str, Tensor]]

COUNT = 8
"""Samples in a batch."""
CLASSES = 4
POINT = (2,)
SMALL = ((1, 28, 28), (1, 32, 32), (3, 64, 64))
IMAGES = (*SMALL, (3, 32, 32), (3, 128, 128), (3, 256, 256))
"""Shapes that are tried in turn, until an architecture does not refuse."""


class Game:
    """An architecture by its full name, and random data that fits it.

    The images have the first of the shapes `images` that is not refused; `own(n, rng)` makes further keys of a
    batch, or other values of the usual ones.
    """

    def __init__(self, name: str, images: Sequence[tuple[int, int, int]] = IMAGES, own: MakeBatch | None = None):
        self.name, self.own, self._images = name, own, images

    def parts(self, options: Mapping[str, Any] | None = None) -> ResolvedArchitecture:
        """Find both sides' classes, with these options, as {"generator": {...}, "discriminator": {...}}."""
        return build.resolve_architecture(
            validate(Architecture, {"name": self.name, **(options or {})}, "architecture")
        )

    def players(self, options: Mapping[str, Any] | None = None, **facts: Any) -> Players:
        """A new generator and discriminator; `facts` of the data may differ from the usual ones."""
        parts, facts = self.parts(options), self.facts | facts
        return parts.generator.make(**facts), parts.discriminator.make(**facts)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The shapes and the number of classes that the architecture is built with. Raises `Unplayable`."""
        try:
            parts = self.parts()
        except Error as error:
            raise Unplayable(str(error)) from error
        refusals = {}
        for facts in self._possible_facts():
            try:
                for _, part in parts.items():
                    part.make(**facts)
                return facts
            except Error as refusal:
                refusals[facts["image"]] = refusal
        raise Unplayable(why_no_image(refusals))

    def _possible_facts(self) -> Iterator[dict[str, Any]]:
        owned = dict(self.own(64, make_rng("facts"))) if self.own else {}
        point = tuple(owned["point"].shape[1:]) if "point" in owned else POINT
        classes = int(owned["label"].max()) + 1 if "label" in owned else CLASSES
        for image in [tuple(owned["image"].shape[1:])] if "image" in owned else self._images:
            yield {"image": image, "point": point, "classes": classes}

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """The defaults, and every other value of a `Literal` or boolean option, one at a time, where a side has it."""
        fields = {side: option_schema(part.cls).model_fields for side, part in self.parts().items()}
        names = dict.fromkeys(name for side in SIDES for name in fields[side])
        found: list[dict[str, Any]] = [{}]
        for name in names:
            allowed = {side: values_of(fields[side][name].annotation) for side in SIDES if name in fields[side]}
            for value in dict.fromkeys(value for values in allowed.values() for value in values):
                sides = [side for side in allowed if value in allowed[side] and fields[side][name].default != value]
                found += [{side: {name: value} for side in sides}] * bool(sides)
        return found

    def each(self, play: Callable[[Players], None]) -> None:
        """Play with new players of every variant."""
        for options in self.variants:
            with saying(
                describe_options({f"{side}.{key}": v for side, own in options.items() for key, v in own.items()})
            ):
                play(self.players(options))

    @cached_property
    def labelled(self) -> bool:
        """Whether the architecture has a use for labels."""
        return self._takes("classes") or any("label" in getattr(player, "needs", ()) for player in self.players())

    @cached_property
    def of_points(self) -> bool:
        """Whether the architecture learns from points instead of images."""
        return self._takes("point") and not self._takes("image")

    def _takes(self, fact: str) -> bool:
        return any(fact in inspect.signature(part.cls).parameters for _, part in self.parts().items())

    @cached_property
    def keys(self) -> list[str]:
        """The keys of a batch that the architecture makes or needs."""
        generator, discriminator = self.players()
        makes = [generator.makes] if isinstance(generator.makes, str) else generator.makes
        return list(dict.fromkeys([*makes, *generator.needs, *getattr(discriminator, "needs", ())]))

    def batch(self, seed: int = 0, n: int = COUNT) -> Batch:
        """A random batch. Raises `Skipped` where a key is needed that only the plugin's author can make."""
        rng = make_rng("batch", seed)
        made = {"image": torch.rand(n, *self.facts["image"], generator=rng) * 2 - 1}
        if self.of_points:
            made = {"point": torch.randn(n, *self.facts["point"], generator=rng)}
        if self.labelled:
            made["label"] = torch.randperm(n, generator=rng) % self.facts["classes"]
        made |= self.own(n, rng) if self.own else {}
        if missing := [key for key in self.keys if key not in made]:
            keys = ", ".join(map(repr, missing))
            raise Skipped(f"needs {keys} in its batches: give checks(..., batch=function(n, rng) -> dict)")
        return Batch(made)

    def needed(self, generator: Generator, seed: int, n: int) -> dict[str, Tensor]:
        """What a generator must be given beside its latents."""
        drawn = generator.latent(1, make_rng("drawn"))
        keys = [key for key in generator.needs if key not in drawn]
        return {key: self.batch(seed, n)[key] for key in keys}

    def given(self, generator: Generator, seed: int = 0, n: int = COUNT) -> Batch:
        """What a generator makes `n` samples from."""
        return Batch(generator.latent(n, make_rng("latent", seed)) | self.needed(generator, seed, n))

    @property
    def description(self) -> dict[str, Any]:
        """What a model's config would say of the data."""
        kind = "point" if self.of_points else "image"
        classes = [str(number) for number in range(self.facts["classes"])]
        return {"kind": kind, "shape": list(self.facts[kind]), "classes": classes}


class OwnGame(Game):
    """The kit's own game, in which losses are tried first: perceptrons, images of 8 x 8 pixels, labels in the batch."""

    labelled, of_points, keys = True, False, ("image",)

    def __init__(self) -> None:
        super().__init__("the kit's own game")
        self.facts = {"image": (1, 8, 8), "classes": CLASSES}

    def players(self, options: Mapping[str, Any] | None = None) -> Players:
        """A new generator and discriminator; there are no options."""
        return Small(self.facts["image"]), SmallCritic(self.facts["image"])


class Small(Generator):
    """Latents of length 8 to images."""

    latent_size = 8

    def __init__(self, image: Sequence[int]) -> None:
        super().__init__()
        pixels = nn.Linear(32, prod(image))
        self.network = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), pixels, nn.Tanh(), nn.Unflatten(1, image))

    def forward(self, given: dict[str, Tensor]) -> Tensor:
        """Images for `given["z"]`."""
        return self.network(given["z"])


class SmallCritic(nn.Module):
    """Images to scores of shape (n,)."""

    def __init__(self, image: Sequence[int]) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(prod(image), 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, images: Tensor, given: dict[str, Tensor]) -> Tensor:
        """One raw score per image."""
        return self.network(images).flatten()


class Plain(Loss):
    """The kit's own loss, so that there is always a game: the non-saturating one."""

    def discriminator(self, step: Step) -> dict[str, Tensor]:
        """Terms "real" and "fake"."""
        return {"real": softplus(-step.real_scores).mean(), "fake": softplus(step.fake_scores).mean()}

    def generator(self, step: Step) -> dict[str, Tensor]:
        """Term "fool"."""
        return {"fool": softplus(-step.fake_scores).mean()}


def why_no_image(refusals: Mapping[tuple[int, int, int], Error]) -> str:
    """What an architecture said to images of each shape, and how it gets others."""
    said = "; ".join(dict.fromkeys(map(str, refusals.values())))
    if len(refusals) == 1 or any(isinstance(refusal, Failed) for refusal in refusals.values()):
        return said
    tried = ", ".join(" x ".join(map(str, image)) for image in refusals)
    return f"{said}; tried images of {tried}: give another by checks(..., image=(c, h, w)) or check --image c,h,w"


def values_of(annotation: Any) -> tuple[Any, ...]:
    """Every value of an option that takes a few only: of a `Literal`, a boolean, or a union with them."""
    if annotation is bool:
        return (True, False)
    inside = get_args(annotation)
    return inside if get_origin(annotation) is Literal else tuple(v for each in inside for v in values_of(each))
