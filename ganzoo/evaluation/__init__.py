"""Measure samples against real ones under a stated protocol.

Files of scores are in `ganzoo.zoo.scores`, the measurements during a training in `ganzoo.training.watch.monitor`.
"""
