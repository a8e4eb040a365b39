"""Every picture of a folder with a drawing of it."""

from pathlib import Path

import numpy as np
from PIL import Image

import ganzoo


class Drawings(ganzoo.Dataset):
    """The picture as "image" and its light alone as "grey"."""

    kinds = {"image": "image", "grey": "image"}
    license = "CC0-1.0"

    def __init__(self, path: str, size: int = 16) -> None:
        self.size = size
        self.files = sorted(Path(path).glob("*.png"))
        if not self.files:
            raise ValueError(f"there is no PNG file in '{path}'")

    def __len__(self) -> int:
        return len(self.files)

    def sample(self, index, rng):
        picture = Image.open(self.files[index]).convert("RGB").resize((self.size, self.size))
        if rng.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return {"image": np.asarray(picture).transpose(2, 0, 1), "grey": np.asarray(picture.convert("L"))[None]}

    def source(self, index):
        return str(self.files[index])
