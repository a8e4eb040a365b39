"""The games in which things are checked: an architecture, or the kit's own, with random data that fits it."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo._numbers import parse_size
from ganzoo._seeds import make_rng
from ganzoo.contract import Batch, Generator, Images, Loss, batch_length
from ganzoo.data.base import Data
from ganzoo.dataset import Spec
from ganzoo.engine.loop import Engine
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput, Error, MissingPackage
from ganzoo.recipe import build
from ganzoo.recipe.build import ResolvedArchitecture, ResolvedClass, resolve_class
from ganzoo.recipe.given import BASES
from ganzoo.recipe.options import FACTS, make_option_schema
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import Architecture
from ganzoo.testing.check import Skipped, Unplayable, describe_options, prefix_failures
from ganzoo.testing.plays import TRAINING_STEPS, make_losses, shorten
from ganzoo.testing.sources import draw_samples, open_own_data, shapes_of, stated_specs
from ganzoo.testing.toys import NonSaturating, TinyCritic, TinyGenerator
from ganzoo.testing.variants import Options, by_dotted_name, check_given, describe_refusals, values_of

Players = tuple[Generator, nn.Module]
MakeBatch = Callable[[int, torch.Generator], Mapping[str, Tensor]]

BATCH_SIZE = 8
CLASS_COUNT = 4
POINT_SHAPE = (2,)
SMALL_IMAGE_SHAPES = ((1, 28, 28), (1, 32, 32), (3, 64, 64))
IMAGE_SHAPES = (*SMALL_IMAGE_SHAPES, (3, 32, 32), (3, 128, 128), (3, 256, 256))
"""Shapes that are tried in turn, until an architecture does not refuse."""


class Game:
    """An architecture by its full name, and random data that fits it.

    Images have the first of `image_shapes` that the architecture does not refuse. `make_batch(n, rng)` makes further
    keys of a batch, or replaces the usual ones. With a `recipe` that plays it the architecture has its options, and the
    game its losses and settings; `options` are the author's own, which count more. `others` are as further recipes play
    it, and `open_data` opens the data of its plugin, for one that no recipe plays.
    """

    def __init__(
        self,
        name: str,
        image_shapes: Sequence[tuple[int, int, int]] = IMAGE_SHAPES,
        make_batch: MakeBatch | None = None,
        recipe: Recipe | None = None,
        options: Options | None = None,
        others: "Sequence[Game]" = (),
        open_data: Callable[[], Sequence[Data]] = list,
    ) -> None:
        self.name, self.make_batch, self._image_shapes = name, make_batch, image_shapes
        self.options, self.others, self._open_data = options or {}, others, open_data
        self.recipe = shorten(recipe) if recipe else None
        self._played: Data | None = None

    def resolve(self, options: Options | None = None) -> ResolvedArchitecture:
        """Return both players' classes with these options, and otherwise with those of the recipe."""
        table: dict[str, Any] = {"name": self.name}
        table = self.recipe.architecture.model_dump(exclude_none=True) if self.recipe else table
        table |= {key: value for key, value in self.options.items() if key not in SIDES}
        for side in SIDES:
            table[side] = {**table.get(side, {}), **self.options.get(side, {}), **(options or {}).get(side, {})}
        section = validate(Architecture, table, "architecture")
        for side in SIDES:
            player: ResolvedClass[Any] = resolve_class("architecture", section.side_name(side), side, BASES[side])
            check_given(player, {**section.shared(), **section.own(side)}, self._fact_names)
        return build.resolve_architecture(section, facts=self._fact_names)

    @property
    def _fact_names(self) -> set[str]:
        return {*FACTS, *self.made, *(fact for data in self._own_data for fact in data.facts)}

    def make_losses(self) -> Sequence[Scheduled]:
        """Return new losses of the recipe; the kit's own where there is none."""
        return make_losses(self.recipe) if self.recipe else [Scheduled(NonSaturating())]

    def make_engine(
        self, losses: Sequence[Loss | Scheduled], precision: str = "fp32", options: Options | None = None
    ) -> Engine:
        """Return an engine on the CPU with new players and the settings of the recipe."""
        train = self.recipe.train.model_dump() if self.recipe else {}
        optimizer = self.recipe.optimizer if self.recipe else None
        uses = [loss if isinstance(loss, Scheduled) else Scheduled(loss) for loss in losses]
        players = self.players(options, losses=uses)
        return Engine(*players, uses, train={**train, "precision": precision}, optimizer=optimizer, device="cpu")

    @property
    def batch_size(self) -> int:
        """Samples in each batch of a training."""
        return self.recipe.train.batch if self.recipe else BATCH_SIZE

    @property
    def steps(self) -> int:
        """Training steps in which every loss of the recipe plays."""
        return (self.recipe.train.steps if self.recipe else None) or TRAINING_STEPS

    def players(
        self, options: Options | None = None, with_classes: bool = True, losses: Sequence[Scheduled] = ()
    ) -> Players:
        """Return a new generator and discriminator for a game with `losses`, if wanted for data without classes."""
        found = self.resolve(options)
        facts: dict[str, object] = {**self.facts}
        if not with_classes:
            facts["classes"] = None
        return found.generator.make(**facts), found.discriminator.make(**build.seen_facts(facts, losses))

    def accepted(self, options: Options) -> Players | None:
        """Return new players with these options; None for a value that they refuse in a sentence for these data."""
        try:
            return self.players(options)
        except BadInput:
            if not options:
                raise
            return None

    def full_batch(self, seed: int = 0) -> Batch:
        """Return a batch with all that the discriminator looks at: one of pairs of image and latent wants both."""
        batch = self.batch(seed)
        return self._with_latents(batch, seed) if self._judges_latents else batch

    def _with_latents(self, batch: Batch, seed: int = 0) -> Batch:
        generator, _ = self.players()
        return Batch(generator.latent(batch_length(batch), make_rng("latent", seed)) | batch)

    @cached_property
    def _judges_latents(self) -> bool:
        """Whether real samples cannot be judged without latents, which the losses of such a game provide."""
        (generator, discriminator), batch = self.players(), self.batch()
        makes = generator.makes
        real = batch[makes] if isinstance(makes, str) else {key: batch[key] for key in makes}
        return not can_judge(discriminator, real, batch) and can_judge(discriminator, real, self._with_latents(batch))

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What the architecture is built for: shapes, numbers of classes, facts of the data. Raises `Unplayable`."""
        try:
            found = self.resolve()
        except Error as error:
            raise Unplayable(str(error)) from error
        refusals: dict[tuple[int, ...], Error] = {}
        for data, facts in self._possible_facts():
            try:
                for _, player in found.items():
                    player.make(**facts)
                self._played = data
                return facts
            except MissingPackage:
                raise  # with it the architecture might refuse nothing
            except Error as refusal:
                refusals[facts.get("image", ())] = refusal
        raise Unplayable(describe_refusals(refusals))

    @cached_property
    def _own_data(self) -> Sequence[Data]:
        """The data of its recipe or else of its plugin, where they are here and the author gives no shape."""
        if self._image_shapes is not IMAGE_SHAPES:
            return ()
        if self.recipe is None:
            return self._open_data()
        data = open_own_data(self.recipe)
        return [data] if data else []

    @property
    def data(self) -> Data | None:
        """The data with which it is played; None for random ones."""
        _ = self.facts
        return self._played

    @cached_property
    def made(self) -> dict[str, Tensor]:
        """Some samples of the keys that the author makes; empty where there is no such function."""
        return dict(self.make_batch(64, make_rng("facts"))) if self.make_batch else {}

    def _possible_facts(self) -> Iterator[tuple[Data | None, Mapping[str, Any]]]:
        own = shapes_of(self.made)
        for data in self._own_data:
            yield data, {**data.facts, **own}
        if all(data.image for data in self._own_data) or not self.recipe:
            for image in [own["image"]] if "image" in own else self._images_of_recipe() or self._image_shapes:
                yield None, {"image": image, "point": POINT_SHAPE, "classes": CLASS_COUNT, **own}

    def _images_of_recipe(self) -> list[tuple[int, int, int]]:
        """Return the shape of a recipe's images, where it says one and the author does not."""
        section = self.recipe.data if self.recipe else None
        if section is None or not section.size or self._image_shapes is not IMAGE_SHAPES:
            return []
        height, width = parse_size(section.size)
        return [(section.channels or 3, height, width)]

    @cached_property
    def variants(self) -> list[Options]:
        """The defaults, and every other value of a `Literal` or boolean option, one at a time, if a player has it."""
        fields = {side: make_option_schema(player.cls).model_fields for side, player in self.resolve().items()}
        names = dict.fromkeys(name for side in SIDES for name in fields[side])
        found: list[Options] = [{}]
        for name in names:
            allowed = {side: values_of(fields[side][name].annotation) for side in SIDES if name in fields[side]}
            for value in dict.fromkeys(value for values in allowed.values() for value in values):
                sides = [side for side in allowed if value in allowed[side] and fields[side][name].default != value]
                if sides:
                    found.append({side: {name: value} for side in sides})
        return found

    def for_each_variant(self, check: Callable[[Players], None]) -> None:
        """Make a check with new players of every variant."""
        for options in self.variants:
            with prefix_failures(describe_options(by_dotted_name(options))):
                if players := self.accepted(options):
                    check(players)

    @cached_property
    def uses_labels(self) -> bool:
        """Whether the architecture has a use for labels."""
        return self._takes("classes") or any("label" in getattr(player, "needs", ()) for player in self.players())

    @cached_property
    def learns_points(self) -> bool:
        """Whether the architecture learns from points instead of images."""
        return self._takes("point") and not self._takes("image")

    def _takes(self, fact: str) -> bool:
        return any(fact in inspect.signature(player.cls).parameters for _, player in self.resolve().items())

    @cached_property
    def keys(self) -> list[str]:
        """The keys of a batch that the architecture makes or needs."""
        generator, discriminator = self.players()
        makes = [generator.makes] if isinstance(generator.makes, str) else generator.makes
        return list(dict.fromkeys([*makes, *generator.needs, *getattr(discriminator, "needs", ())]))

    def batch(self, seed: int = 0, n: int | None = None) -> Batch:
        """Return a random batch. Raises `Skipped` where a key is needed that only the plugin's author can make."""
        rng, n = make_rng("batch", seed), n or self.batch_size
        made = self.data.first(n, seed) if self.data else self._random_batch(n, rng)
        made |= self.make_batch(n, rng) if self.make_batch else {}
        made = {key: draw_samples(spec, n, rng) for key, spec in self._stated.items()} | made
        if missing := [key for key in self.keys if key not in made]:
            keys = ", ".join(map(repr, missing))
            raise Skipped(f"needs {keys} in its batches: give checks(..., batch=function(n, rng) -> dict)")
        return Batch(made)

    @cached_property
    def _stated(self) -> dict[str, Spec]:
        """What the players say of keys that can be drawn; found once, since a network takes a while to build."""
        stated = (pair for player in self.players() for pair in stated_specs(player).items())
        return {key: spec for key, spec in stated if spec.shape or spec.classes}

    def _random_batch(self, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        made = {"image": torch.rand(n, *self.facts["image"], generator=rng) * 2 - 1}
        if self.learns_points:
            made = {"point": torch.randn(n, *self.facts["point"], generator=rng)}
        if self.uses_labels:
            made["label"] = torch.randperm(n, generator=rng) % self.facts["classes"]
        return made

    def needed(self, generator: Generator, seed: int, n: int) -> dict[str, Tensor]:
        """Return what a generator must be given beside its latents."""
        drawn = generator.latent(1, make_rng("drawn"))
        return {key: self.batch(seed, n)[key] for key in generator.needs if key not in drawn}

    def given(self, generator: Generator, seed: int = 0, n: int = BATCH_SIZE) -> Batch:
        """Return what a generator makes `n` samples from."""
        return Batch(generator.latent(n, make_rng("latent", seed)) | self.needed(generator, seed, n))


class OwnGame(Game):
    """The kit's own game, in which losses are tried first: perceptrons, images of 8 x 8 pixels, labels in the batch."""

    def __init__(self) -> None:
        super().__init__("the kit's own game")
        self.facts = {"image": (1, 8, 8), "point": POINT_SHAPE, "classes": CLASS_COUNT}
        self.uses_labels, self.learns_points, self.keys = True, False, ["image"]

    def players(
        self, options: Options | None = None, with_classes: bool = True, losses: Sequence[Scheduled] = ()
    ) -> Players:
        """Return a new generator and discriminator for a game with `losses`; there are no options."""
        generator = TinyGenerator(self.facts["image"], latent_size=8, width=32)
        seen = build.seen_facts(self.facts, losses)["image"]
        return generator, TinyCritic(seen, width=32, smooth=False, scale=1.0)


def can_judge(discriminator: nn.Module, images: Images, given: Batch) -> bool:
    """Return whether a discriminator finds all that it looks at."""
    try:
        with torch.no_grad():
            discriminator(images, given)
    except (KeyError, BadInput):
        return False
    except Exception:
        return True  # another fault, which the checks name
    return True
