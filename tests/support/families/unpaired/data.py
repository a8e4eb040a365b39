"""Two folders of pictures, a pair drawn anew each time."""

from pathlib import Path

import numpy as np
from PIL import Image

import ganzoo


class TwoFolders(ganzoo.Dataset):
    kinds = {"a": "image", "b": "image"}

    def __init__(self, a: str, b: str, size: int = 16):
        self.size, self.folders = size, [sorted(Path(folder).glob("*.png")) for folder in (a, b)]
        for folder, files in zip((a, b), self.folders, strict=True):
            if not files:
                raise ValueError(f"there is no PNG file in '{folder}'")

    def __len__(self):
        return len(self.folders[0])

    def sample(self, index, rng):
        first, second = self.folders
        return {"a": self.read(first[index]), "b": self.read(second[rng.integers(len(second))])}

    def read(self, file):
        picture = Image.open(file).convert("RGB").resize((self.size, self.size))
        return np.asarray(picture).transpose(2, 0, 1)
