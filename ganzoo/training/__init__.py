"""From a recipe to a run: the training itself, its folder, checkpoints and everything between the steps.

The game is in `ganzoo.engine`; here it is fed, watched and saved.
"""
