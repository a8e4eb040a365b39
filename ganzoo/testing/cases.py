"""The games that a loss is checked in: the first that it does not refuse."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor

from ganzoo.contract import Loss, Step
from ganzoo.engine.scheduled import Scheduled
from ganzoo.engine.settings import SIDES, validate
from ganzoo.errors import BadInput, Failed
from ganzoo.plugins.catalog import catalog
from ganzoo.recipe import build
from ganzoo.recipe.sections import LossUse
from ganzoo.testing.check import Skipped, Unplayable
from ganzoo.testing.games import SMALL, Game, OwnGame, Players, values_of
from ganzoo.testing.turns import set_up, turn_of

Ready = tuple[Scheduled, Players, dict[str, Tensor]]
ADVICE = "let setup refuse in a sentence what cannot work"


class LossCase:
    """A loss by its full name, and the games that it is tried in first: the kit's own and its plugin's."""

    def __init__(self, name: str, games: Sequence[Game]) -> None:
        self.name, self.own_games = name, [OwnGame(), *games]

    def use(self, options: dict[str, Any] | None = None) -> Scheduled:
        """A new loss with these options, as the engine takes it."""
        section = validate(LossUse, {"name": self.name, **(options or {})}, "loss")
        return build.schedule(section, build.resolve_loss(section))

    @cached_property
    def variants(self) -> list[dict[str, Any]]:
        """The defaults, and every other value of a `Literal` or boolean option, one at a time."""
        fields = build.option_schema(build.resolve_class("loss", self.name, "loss", Loss).cls).model_fields
        others = [{n: value} for n, f in fields.items() for value in values_of(f.annotation) if value != f.default]
        return [{}, *others]

    @property
    def game(self) -> Game:
        """The game in which it is checked.

        Where there is none, raises `Skipped` with what `setup` refused, or `Unplayable` where a term failed instead.
        """
        if isinstance(self._found, Skipped):
            raise self._found
        return self._found

    @cached_property
    def _found(self) -> Game | Skipped:
        refusals: dict[str, list[str]] = {}
        late = lacking = False
        for game in self.own_games:
            try:
                self._ready(game)
                late = True
                self._try(game)
                return game
            except (BadInput, Skipped) as refusal:
                lacking |= isinstance(refusal, Skipped)
                refusals.setdefault(str(refusal), []).append(game.name)
            except Failed as error:
                return Unplayable(f"{error}; {ADVICE}")
        said = "; ".join(f"{refusal} (in {', '.join(names)})" for refusal, names in refusals.items())
        if late and not lacking:
            return Unplayable(f"it plays no game: {said}; {ADVICE}")
        nowhere = Skipped(f"it refuses every game: {said}, and no other architecture here suits it")
        return next(filter(self._suits, self._others()), nowhere)

    def _others(self) -> Iterator[Game]:
        """The games of all other architectures here, which the loss was not written for."""
        known = [game.name for game in self.own_games]
        names = [thing.full_name for thing in catalog().provided if thing.kind == "architecture"]
        return (Game(name, SMALL) for name in names if name not in known)

    def _suits(self, game: Game) -> bool:
        try:
            self._try(game)
        except Exception:
            return False  # whoever is to blame, it is not this plugin alone
        return True

    def _try(self, game: Game) -> None:
        for turn in SIDES:
            use, players, batch = self._ready(game)
            use.call(turn, turn_of(turn, players, batch, [use]))

    def ready(self, options: dict[str, Any] | None = None) -> Ready:
        """A new loss that has been set up, with the players and a batch of its game."""
        return self._ready(self.game, options)

    def _ready(self, game: Game, options: dict[str, Any] | None = None) -> Ready:
        use, players, batch = self.use(options), game.players(), game.batch()
        set_up(use, players, batch)
        return use, players, batch

    def turns(self, options: dict[str, Any] | None = None) -> Iterator[tuple[Scheduled, Step]]:
        """The loss before each turn that it has terms for; none where `setup` refuses these options."""
        for turn in SIDES:
            try:
                use, players, batch = self.ready(options)
            except BadInput:
                if options:
                    return  # other options may need another game
                raise
            if use.has_terms_for(turn):
                yield use, turn_of(turn, players, batch, [use])
