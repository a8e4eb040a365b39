"""The game: the adversarial loop, its two players, loss terms, hardware and processes.

No files, no plugins and no recipes here: the engine plays what it is given.
"""
