"""Pictures of a folder, large and small."""

from pathlib import Path

import numpy as np
from PIL import Image

import ganzoo


class Zoom(ganzoo.Dataset):
    kinds = {"image": "image", "small": "image"}

    def __init__(self, path: str, width: int = 24, height: int = 16, times: int = 2):
        self.size, self.small = (width, height), (width // times, height // times)
        self.files = sorted(Path(path).glob("*.png"))
        if not self.files:
            raise ValueError(f"there is no PNG file in '{path}'")

    def __len__(self):
        return len(self.files)

    def sample(self, index, rng):
        picture = Image.open(self.files[index]).convert("RGB").resize(self.size)
        return {
            "image": np.asarray(picture).transpose(2, 0, 1),
            "small": np.asarray(picture.resize(self.small)).transpose(2, 0, 1),
        }
