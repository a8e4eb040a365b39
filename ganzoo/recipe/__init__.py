"""Recipes, the only configuration of a training, and the networks and losses that they name.

`ganzoo.training` carries them out.
"""
