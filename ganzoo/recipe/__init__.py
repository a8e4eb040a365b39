"""Recipes: the one configuration there is, and the networks and losses that it names.

What a recipe says is carried out in `ganzoo.training`.
"""
