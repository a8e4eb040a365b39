"""Image files as strangers have them: odd modes, endings and values, broken ones, links."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = (8, 8)


@dataclass(frozen=True)
class Odd:
    """How to make a folder, and what is to be read from it.

    `colours` are the mean levels of each image, one number for grey and three for colour, None where it does not
    matter. `notes` are regular expressions, one for each note in any order. `refused` matches an error instead.
    """

    make: Callable[[Path], Any]
    colours: list[Any] | None = None
    classes: list[str] = field(default_factory=list)
    labels: list[int] | None = None
    notes: list[str] = field(default_factory=list)
    refused: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def grey(path: Path, level: int, kind: str = "PNG", **options: Any) -> None:
    """Write a grey image of one level."""
    write(path, Image.new("L", SIZE, level), kind, **options)


def write(path: Path, picture: Image.Image, kind: str = "PNG", **options: Any) -> None:
    """Write a picture in a format that its name need not tell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, kind, **options)


def greys(*names: str) -> Callable[[Path], None]:
    """Images of levels 10, 20, 30... by these names."""

    def make(top: Path) -> None:
        for number, name in enumerate(names):
            grey(top / name, 10 * number + 10)

    return make


def also(*makes: Callable[[Path], Any]) -> Callable[[Path], None]:
    """Several of these in one folder."""
    return lambda top: [make(top) for make in makes] and None


def text(name: str, content: bytes = b"hello") -> Callable[[Path], None]:
    """A file of any content."""

    def make(top: Path) -> None:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)

    return make


def cut_short(name: str) -> Callable[[Path], None]:
    """A PNG that ends too early."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 99).save(buffer, "PNG")
    return text(name, buffer.getvalue()[:300])


def deep(name: str, values: Any, kind: type, **options: Any) -> Callable[[Path], None]:
    """An image of the values in a row, each in an 8 x 8 square's column."""
    pixels = np.broadcast_to(np.repeat(np.asarray(values), 8 // len(values)), SIZE).astype(kind)
    return lambda top: write(top / name, Image.fromarray(pixels), "PNG" if name.endswith("png") else "TIFF", **options)


def specks(name: str, kind: type, value: int, ground: int = 512) -> Callable[[Path], None]:
    """A deep image of one level with a single pixel of another."""
    pixels = np.full(SIZE, ground, dtype=kind)
    pixels[0, 0] = value
    return lambda top: write(top / name, Image.fromarray(pixels), "PNG" if name.endswith("png") else "TIFF")


def deep_colour(name: str, *colour: int) -> Callable[[Path], None]:
    """A PNG with 16 bits for each of three colours, which Pillow does not write."""
    row = b"\0" + struct.pack(">3H", *colour) * SIZE[0]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * SIZE[1]))]
    return text(name, png(*chunks))


def huge(name: str, side: int) -> Callable[[Path], None]:
    """A small PNG file of many black pixels."""
    packer = zlib.compressobj()
    rows = b"".join([*(packer.compress(bytes(1 + side // 8)) for _ in range(side)), packer.flush()])
    return text(name, png((b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", rows)))


def scans(name: str, count: int) -> Callable[[Path], None]:
    """A JPEG whose last scan comes again and again, each time over all of its pixels."""
    buffer = io.BytesIO()
    Image.new("L", (8000, 8000), 99).save(buffer, "JPEG", progressive=True)
    *first, last = buffer.getvalue().removesuffix(b"\xff\xd9").split(b"\xff\xda")
    return text(name, b"\xff\xda".join([*first, *[last] * count]) + b"\xff\xd9")


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """The bytes of a PNG file."""
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture(name: str, mode: str, colour: Any, size: tuple[int, int] = SIZE, **options: Any) -> Callable[[Path], None]:
    """An image of one colour in any mode."""
    kind = options.pop("kind", "TIFF" if mode == "CMYK" else "PNG")
    return lambda top: write(top / name, Image.new(mode, size, colour), kind, **options)


def drawn(top: Path) -> None:
    """White strokes on a transparent ground."""
    stroke = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    stroke.paste((255, 255, 255, 255), (0, 0, 4, 8))
    write(top / "a.png", stroke)


def frames(name: str, kind: str) -> Callable[[Path], None]:
    """A picture of two frames, the first darker."""
    first, second = Image.new("L", SIZE, 50), Image.new("L", SIZE, 200)
    return lambda top: write(top / name, first, kind, save_all=True, append_images=[second])


def link(name: str, target: str) -> Callable[[Path], None]:
    """A link, relative to its own folder."""

    def make(top: Path) -> None:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).symlink_to(target)

    return make


def nest(levels: int) -> Callable[[Path], None]:
    """An image below many folders."""

    def make(top: Path) -> None:
        folder = top
        for _ in range(levels):
            folder = Path(f"{folder}/n")
            folder.mkdir()
        grey(folder / "deep.png", 99)

    return make


def rotated(top: Path) -> None:
    """A picture that stands on its side, as cameras write it: dark above, bright below."""
    pixels = np.zeros(SIZE, dtype=np.uint8)
    pixels[:, 4:] = 200
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    write(top / "a.png", image, exif=exif)


def tiff(values: list[int], kind: str) -> bytes:
    """The bytes of an 8 x 8 TIFF whose values have this type, such as ">u2", each in columns of its own."""
    pixels = np.broadcast_to(np.repeat(values, 8 // len(values)), SIZE).astype(kind).tobytes()
    order, signed = kind[0], 2 if "i" in kind else 1
    tags = [(256, 8), (257, 8), (258, 8 * int(kind[2])), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8)]
    entries = b"".join(
        struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in [*tags, (279, len(pixels)), (339, signed)]
    )
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, 8 + len(pixels))
    return head + pixels + struct.pack(f"{order}H", len(tags) + 2) + entries + bytes(4)
