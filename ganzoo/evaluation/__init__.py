"""How good samples are, measured against real ones under a stated protocol.

Scores as a file holds them are in `ganzoo.zoo.scores`; what a training watches is in `ganzoo.training.monitor`.
"""
