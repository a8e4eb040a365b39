"""The contract, by example: GANs of the literature, each as plugins write it and as a plain loop of torch.

A game is a decorated function. The decorator takes what plugins and a recipe would bring: losses, and networks and
data where they are not the simplest. The function plays the same game without ganzoo, one training step per `yield`.
The networks are tiny, since what is tested is who moves, when, and by what.
"""

from games import classics, conditional, critics, shapes, translation, wider  # each adds its games to GAMES
from games.parts import GAMES

__all__ = ["GAMES", "classics", "conditional", "critics", "shapes", "translation", "wider"]
