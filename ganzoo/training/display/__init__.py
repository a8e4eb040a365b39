"""A training as a person follows it: progress in a terminal or a notebook, trackers, profile.

What stays in the folder of the run, such as its log, is in `ganzoo.training.runs`.
"""
