"""Draw the pictures that come with ganzoo, and write them to `ganzoo/data/avatars5k`.

They are the first 5,000 of `avatars:critters` with `data.size=32` and `data.seed=0`: python scripts/avatars_5k.py
"""

import io
import lzma
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo._io import write_bytes
from ganzoo.data.avatars.drawing import draw
from ganzoo.data.avatars.styles import open_style

STYLE, SEED, COUNT, SIDE = "critters", 0, 5000, 32
FOLDER = Path(__file__).parents[1] / "ganzoo/data/avatars5k"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "pb": 0}]


def main() -> None:
    """Draw all of them, and write them as one file."""
    style, path = open_style(STYLE), FOLDER / f"{STYLE}.npz.xz"
    write_bytes(path, pack([draw(style, SEED, index, SIDE) for index in range(COUNT)]))
    print(f"{path}: {path.stat().st_size:,} bytes")


def pack(drawn: list[tuple[bytes, dict[str, str]]]) -> bytes:
    """Return pictures, and each attribute of which they have several values, as one compressed file."""
    images = np.stack([np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png, _ in drawn])
    attributes = {key: np.array([each[key] for _, each in drawn]) for key in drawn[0][1]}
    varied = {key: values for key, values in attributes.items() if len(set(values)) > 1}
    content = io.BytesIO()
    np.savez(content, images=images, **varied)
    return lzma.compress(content.getvalue(), filters=FILTERS)


if __name__ == "__main__":
    main()
