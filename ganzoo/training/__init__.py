"""Train by a recipe: the training loop, the folder of a run, checkpoints, and everything between the steps.

The game itself is in `ganzoo.engine`; the code here feeds, monitors and saves it.
"""
