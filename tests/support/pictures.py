"""Image files with known pixels, and looks at batches of them."""

import numpy as np
import torch
from PIL import Image

from ganzoo.data.memory import InMemory
from samples import some


def save(path, pixels, **options):
    """Write pixels (height, width) or (height, width, channels) as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)


def flat(path, value, size=(8, 8)):
    """An RGB image file of one grey level: its pixels tell which file it is."""
    save(path, np.full((*size, 3), value))


def levels(batch):
    """The grey level of each image in a batch of flat ones."""
    return ((batch["image"].mean((1, 2, 3)) + 1) * 127.5).round().long().tolist()


def pixels_of(found):
    """All images of an in-memory set (n, channels, height, width), from 0 to 255; those of 8 bits are integers."""
    assert isinstance(found, InMemory)
    return found.images.long() if found.images.dtype == torch.uint8 else found.images.double() * 255


def broken(path, size=(64, 64)):
    """A PNG that says what it is and ends too early."""
    save(path, some(*size, 3).numpy())
    path.write_bytes(path.read_bytes()[:300])


def many(folder, count=12):
    """Labelled flat images: the even ones in a/, the odd ones in b/."""
    for i in range(count):
        flat(folder / "ab"[i % 2] / f"{i:03}.png", 20 * i, (9, 8))


def write_images(folder, count=40, size=(28, 28), mode="L"):
    """A folder of images of one colour each."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new(mode, size, 6 * number).save(folder / f"{number:02d}.png")
    return folder
