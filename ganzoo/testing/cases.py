"""The game in which a loss is checked: the first that it does not refuse."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from torch import Tensor

from ganzoo.contract import Loss, Step
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES
from ganzoo.engine.validation import validate
from ganzoo.errors import BadInput, Failed
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe import build
from ganzoo.recipe.names import may_be_same
from ganzoo.recipe.recipe import Recipe
from ganzoo.recipe.sections import LossUse
from ganzoo.testing.check import Skipped, Unplayable
from ganzoo.testing.games import SMALL_IMAGE_SHAPES, Game, OwnGame, Players
from ganzoo.testing.plays import load_recipes, make_losses, recipes_with_loss
from ganzoo.testing.toys import NonSaturating
from ganzoo.testing.turns import make_step, set_up
from ganzoo.testing.variants import Options, check_given, option_variants

ADVICE = "let setup refuse in a sentence what cannot work"


class LossCase:
    """A loss by its full name, and the games in which it is tried first.

    These are the kit's own, then those of the `recipes` that use it, then those of its plugin. `options` are its own;
    by default it has those of the first of these recipes.
    """

    def __init__(
        self, name: str, games: Sequence[Game], recipes: Sequence[Recipe] = (), options: Options | None = None
    ) -> None:
        own = recipes_with_loss(recipes, name)
        self.name, self.in_recipes = name, [Game(f"the recipe '{each.name}'", recipe=each) for each in own]
        self.first_games = [OwnGame(), *self.in_recipes, *games]
        uses = [use for each in own for use in each.loss if may_be_same(use.name, name)]
        self.options = {**(uses[0].options() if uses else {}), **(options or {})}

    def make_loss(self, options: Options | None = None) -> Scheduled:
        """Return a new loss with these options, as the engine takes it. Raises `Skipped` where it needs others."""
        section = validate(LossUse, {"name": self.name, **self.options, **(options or {})}, "loss")
        check_given(self.found, section.options())
        return build.schedule(section, build.resolve_loss(section))

    def make_losses(self) -> list[Loss | Scheduled]:
        """Return a new loss beside those with which it is trained: its recipe's, or the kit's own."""
        recipe = self.game.recipe if self.game in self.in_recipes else None
        if recipe is None:
            return [self.make_loss(), NonSaturating()]
        own = [may_be_same(use.name, self.name) for use in recipe.loss]
        return [self.make_loss(), *(each for each, is_own in zip(make_losses(recipe), own, strict=True) if not is_own)]

    @cached_property
    def found(self) -> build.ResolvedClass[Loss]:
        """The class of the loss."""
        return build.resolve_class("loss", self.name, "loss", Loss)

    @cached_property
    def variants(self) -> list[Options]:
        """The defaults, and every other value of a `Literal` or boolean option, one at a time."""
        return option_variants(self.found.cls)

    @property
    def game(self) -> Game:
        """The game in which it is checked.

        Where there is none, raises `Skipped` with what `setup` refused, or `Unplayable` where a term failed instead.
        """
        if isinstance(self._game, Skipped):
            raise self._game
        return self._game

    @cached_property
    def _game(self) -> Game | Skipped:
        refusals: dict[str, list[str]] = {}
        refused_late = batches_missing = False
        failures: list[Failed] = []
        self.make_loss()
        for game in self.first_games:
            try:
                self._prepare(game)
                refused_late = True
                self._try(game)
                return game
            except (BadInput, Skipped) as refusal:
                batches_missing |= isinstance(refusal, Skipped)
                refusals.setdefault(str(refusal), []).append(game.name)
            except Failed as error:
                failures.append(error)
                if not self.in_recipes:
                    break
        if failures:
            return Unplayable(f"{failures[0]}; {ADVICE}")
        said = "; ".join(f"{refusal} (in {', '.join(names)})" for refusal, names in refusals.items())
        if refused_late and not batches_missing:
            return Unplayable(f"it plays no game: {said}; {ADVICE}")
        nowhere = Skipped(f"it refuses every game: {said}, and no other architecture here suits it")
        return next(filter(self._suits, self._other_games()), nowhere)

    def _other_games(self) -> Iterator[Game]:
        """Yield the games of other plugins' recipes that use the loss, then those of all other architectures here."""
        tried = [game.name for game in self.first_games]
        for recipe in recipes_with_loss(load_recipes(catalog().provided, {}), self.name):
            yield Game(f"the recipe '{recipe.name}'", recipe=recipe)
        for thing in catalog().provided:
            if thing.kind == "architecture" and thing.full_name not in tried:
                yield Game(thing.full_name, SMALL_IMAGE_SHAPES)

    def _suits(self, game: Game) -> bool:
        try:
            self._try(game)
        except Exception:
            return False  # whichever plugin is to blame, it need not be this one
        return True

    def _try(self, game: Game) -> None:
        for turn in SIDES:
            loss, players, batch = self._prepare(game)
            loss.call(turn, make_step(turn, players, batch, [loss]))

    def prepare(self, options: Options | None = None) -> tuple[Scheduled, Players, dict[str, Tensor]]:
        """Return a new loss that has been set up, with the players and a batch of its game."""
        return self._prepare(self.game, options)

    def _prepare(self, game: Game, options: Options | None = None) -> tuple[Scheduled, Players, dict[str, Tensor]]:
        loss, batch = self.make_loss(options), game.batch()
        players = game.players(losses=[loss])
        set_up(loss, players, batch)
        return loss, players, batch

    def turns(self, options: Options | None = None) -> Iterator[tuple[Scheduled, Step]]:
        """Yield the loss before each turn that it has terms for; nothing where `setup` refuses these options."""
        for turn in SIDES:
            try:
                loss, players, batch = self.prepare(options)
            except BadInput:
                if options:
                    return  # other options may need another game
                raise
            if loss.has_terms_for(turn):
                yield loss, make_step(turn, players, batch, [loss])
