"""Balls that move from left to right."""

import numpy as np

import ganzoo


class Balls(ganzoo.Dataset):
    kinds = {"clip": "fam-clip"}
    facts = {"frames_per_second": 4}
    license = "CC0-1.0"

    def __init__(self, count: int = 64, frames: int = 4, size: int = 16):
        self.count, self.frames, self.size = count, frames, size

    def __len__(self):
        return self.count

    def sample(self, index, rng):
        film = np.zeros((1, self.frames, self.size, self.size), np.float32)
        y = rng.integers(2, self.size - 2)
        for time in range(self.frames):
            x = 2 + time * (self.size - 4) // self.frames
            film[0, time, y - 1 : y + 2, x - 1 : x + 2] = 1
        return {"clip": film}
