"""Videos: frames of images, in [-1, 1] for networks and in [0, 1] for users, written as animated GIFs."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor

from ganzoo._io import write_bytes
from ganzoo.dataset import NOTHING, Spec
from ganzoo.errors import Error
from ganzoo.kind import Array
from ganzoo.kinds.image import Pixels
from ganzoo.pictures.decode import Rendering, to_pixels
from ganzoo.pictures.formats import open_picture
from ganzoo.pictures.grid import draw_tiles, enlarge, to_bytes, to_picture

DEFAULT_RATE = 8
"""Frames per second where the data do not say."""


class Video(Pixels):
    """Videos (channels, frames, height, width) of 1 or 3 channels, in [0, 1] in the public form.

    The fact `rate` is the number of frames per second.
    """

    plural, suffix = "videos", ".gif"
    shown, by_class = 8, False

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if len(spec.shape) != 4 or spec.shape[0] not in (1, 3):
            raise ValueError(f"videos have the shape (1 or 3 channels, frames, height, width), not {spec.shape}")

    @property
    def milliseconds(self) -> int:
        """How long a frame is shown."""
        return round(1000 / float(self.facts.get("rate", DEFAULT_RATE)))

    def to_array(self, values: Tensor) -> Array:
        """Return videos as uint8 (n, frames, height, width, channels)."""
        frames = values.transpose(1, 2)
        pixels: Array = to_bytes(frames.flatten(0, 1)).numpy()
        return pixels.reshape(*frames.shape[:2], *pixels.shape[1:])

    def from_array(self, values: Array) -> Array:
        """Return videos with the channels first."""
        channels, *others = self.spec.shape
        return np.moveaxis(values, -1, -4) if values.shape[-4:] == (*others, channels) != self.spec.shape else values

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write one video as an endless GIF, with the mark in its comment."""
        first, *others = [enlarge(to_picture(frame), self.scale or 1) for frame in torch.from_numpy(sample)]
        buffer = io.BytesIO()
        comment = "; ".join(f"{key}: {value}" for key, value in mark.items()).encode()
        duration = self.milliseconds
        first.save(buffer, "gif", save_all=True, append_images=others, duration=duration, loop=0, comment=comment)
        write_bytes(path, buffer.getvalue())

    def read(self, path: Path) -> Array:
        """Read one video from an animated picture; its frames are cut, resized and repeated to fit."""
        channels, count, height, width = self.spec.shape
        try:
            with open_picture(path) as picture:
                frames = [
                    to_pixels(frame.copy(), Rendering((channels, height, width)))
                    for frame, _ in zip(ImageSequence.Iterator(picture), range(count), strict=False)
                ]
        except (Error, MemoryError):
            raise
        except Exception as error:  # a broken file can make Pillow raise any exception
            raise ValueError(f"is not an animation that can be read ({error})") from error
        found: Array = np.stack([frames[place % len(frames)].numpy() for place in range(count)], 1)
        return found.astype(np.float32) / 255

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Image.Image | None:
        """Draw the frames of each video in a row."""
        frames = torch.from_numpy(samples).flatten(0, 1)
        return draw_tiles(frames, samples.shape[1], row_names, self.scale or 0)

    def describe(self) -> str:
        """Return the number of frames and their size in words, width first."""
        _, frames, height, width = self.spec.shape
        return f"videos of {frames} frames of {width} x {height}"

    def card(self, files: Mapping[str, Array]) -> str:
        """Return each video, which moves on the page."""
        return "\n".join(f"![{name}]({name})" for name in files)
