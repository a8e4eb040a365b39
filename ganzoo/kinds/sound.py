"""Sounds: numbers in [-1, 1], written as WAV files; a picture shows their waveforms."""

import io
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from ganzoo._io import read_bytes, write_bytes
from ganzoo.dataset import NOTHING, Spec
from ganzoo.kind import Array, Kind
from ganzoo.pictures.grid import draw_tiles

WIDTH, HEIGHT = 256, 64
"""Size of the picture of one waveform, in pixels."""
INK = "#e03131"
DEFAULT_RATE = 16_000
"""Samples per second where the data do not say."""
LOUDEST = 2**15


class Sound(Kind):
    """Sounds (samples,) or (channels, samples) in [-1, 1]. The fact `rate` is the number of samples per second."""

    plural, suffix = "sounds", ".wav"
    range = (-1.0, 1.0)
    public_range = (-1.0, 1.0)
    shown = 16

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if len(spec.shape) not in (1, 2):
            raise ValueError(f"sounds have the shape (samples,) or (channels, samples), not {spec.shape}")
        if not self.rate > 0:
            raise ValueError(f"the fact 'rate' is the number of samples per second, not {self.rate}")

    @property
    def rate(self) -> int:
        """The samples per second."""
        return int(self.facts.get("rate", DEFAULT_RATE))

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write one sound as a WAV file of 16 bits, with the mark in its comment."""
        channels = np.atleast_2d(sample).astype(np.float64)
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(np.rint(channels.T * LOUDEST).clip(-LOUDEST, LOUDEST - 1).astype("<i2").tobytes())
        write_bytes(path, with_comment(buffer.getvalue(), mark))

    def read(self, path: Path) -> Array:
        """Read one sound from a WAV file; it is cut or filled with silence to fit, and its channels are averaged."""
        try:
            with wave.open(io.BytesIO(read_bytes(path))) as file:
                about = file.getparams()
                frames = file.readframes(about.nframes)
        except (wave.Error, EOFError) as error:
            raise ValueError(f"is not a WAV file that can be read ({error})") from error
        if about.framerate != self.rate:
            raise ValueError(f"has {about.framerate:,} samples per second, and {self.rate:,} are needed")
        sound = to_numbers(frames, about.sampwidth).reshape(-1, about.nchannels).T
        *channels, length = self.spec.shape
        if channels != [about.nchannels]:
            sound = np.broadcast_to(sound.mean(0), (*(channels or [1]), sound.shape[1]))
        found: Array = np.zeros((len(sound), length), np.float32)
        found[:, : sound.shape[1]] = sound[:, :length]
        return found.reshape(self.spec.shape)

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Image.Image | None:
        """Draw the waveforms of sounds as a grid."""
        waveforms = np.stack([np.asarray(draw_waveform(sound)) for sound in samples])
        return draw_tiles(torch.from_numpy(waveforms), columns, row_names)

    def describe(self) -> str:
        """Return the length of the sounds in words."""
        return f"sounds of {self.spec.shape[-1] / self.rate:.3g} s at {self.rate:,} samples per second"

    def card(self, files: Mapping[str, Array]) -> str:
        """Return a player for each sound."""
        return "\n\n".join(f'<audio controls src="{name}"></audio>' for name in files)


def draw_waveform(sound: Array) -> Image.Image:
    """Draw one sound: for each column of pixels a line from its lowest to its highest sample."""
    mono = sound.reshape(-1, sound.shape[-1]).mean(0).clip(-1, 1)
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, middle = ImageDraw.Draw(picture), (HEIGHT - 1) / 2
    for column, part in enumerate(np.array_split(mono, min(WIDTH, len(mono)))):
        x = column * WIDTH // min(WIDTH, len(mono))
        pen.line((x, middle * (1 - part.max()), x, middle * (1 - part.min())), fill=INK)
    return picture


def to_numbers(frames: bytes, width: int) -> Array:
    """Return the samples of a WAV file of 8, 16, 24 or 32 bits as numbers in [-1, 1]."""
    if width == 1:
        return np.frombuffer(frames, np.uint8).astype(np.float32) / 128 - 1
    padded = np.frombuffer(frames, np.uint8).reshape(-1, width)
    whole = np.zeros((len(padded), 4), np.uint8)
    whole[:, 4 - width :] = padded  # the highest bytes come last
    found: Array = whole.reshape(-1).view("<i4").astype(np.float64) / 2**31
    return found.astype(np.float32)


def with_comment(content: bytes, mark: Mapping[str, str]) -> bytes:
    """Return a WAV file with a mark in its list of information, which players show."""
    text = "; ".join(f"{key}: {value}" for key, value in mark.items()).encode()
    text += b"\0" * (2 - len(text) % 2)  # it ends with a zero, and chunks have an even length
    info = b"INFOICMT" + len(text).to_bytes(4, "little") + text
    whole = content[8:] + b"LIST" + len(info).to_bytes(4, "little") + info
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole
