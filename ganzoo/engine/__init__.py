"""The game between a generator and a discriminator: the training loop, its parts, hardware and processes.

Start with `loop.py`. Nothing here reads files, finds plugins or knows recipes: the engine plays what it is given.
"""
