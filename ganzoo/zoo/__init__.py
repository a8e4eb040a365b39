"""Trained generators: loaded, sampled, found by name, pulled from the Hub and published there.

Training them is in `ganzoo.training`, measuring them in `ganzoo.evaluation`.
"""
