"""The folder that a training makes: recipe, logs, pictures, curves, checkpoints and models.

What fills it between the steps is in `ganzoo.training.housekeeping`.
"""
