"""Samples during a training: drawn, measured, and checked for mode collapse; no weight changes here.

The metrics themselves are in `ganzoo.evaluation`, the pictures in `ganzoo.pictures`.
"""
