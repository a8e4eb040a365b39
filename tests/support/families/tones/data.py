"""A folder of WAV files with 16 bits, all of one rate."""

import wave
from pathlib import Path

import numpy as np

import ganzoo


class Tones(ganzoo.Dataset):
    kinds = {"sound": "sound"}

    def __init__(self, path: str, length: int = 256):
        self.length, self.files = length, sorted(Path(path).glob("*.wav"))
        if not self.files:
            raise ValueError(f"there is no WAV file in '{path}'")
        with wave.open(str(self.files[0])) as file:
            self.facts = {"rate": file.getframerate()}

    def __len__(self):
        return len(self.files)

    def sample(self, index, rng):
        with wave.open(str(self.files[index])) as file:
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 2**15
        start = rng.integers(len(heard) - self.length + 1)
        return {"sound": heard[None, start : start + self.length]}

    def source(self, index):
        return str(self.files[index])
