"""Look at the files of a folder before they are decoded: channels, the range of deep pictures, what is to be said."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from ganzoo._numbers import write_size
from ganzoo.data.base import count_of, quote_some
from ganzoo.data.header import TRANSPARENT, Header, make_header
from ganzoo.data.images import ImageFiles, check_some_readable, count_decoders, try_reading
from ganzoo.errors import BadInput
from ganzoo.pictures.decode import (
    SIXTEEN_BITS,
    Range,
    Rendering,
    check_size,
    one_at_a_time,
    read_rows,
    to_pixels,
)

T = TypeVar("T")

MOST_DECODED = 100
"""Pictures of a questionable kind that are decoded for a look at their pixels."""
FITS = {
    "crop": "cut {images} to {target}: up to {share} of one ({name}); data.fit='pad' or 'stretch' keeps all of it",
    "pad": "padded {images} to {target}, {background} around them (data.fit): up to {share} of one ({name})",
    "stretch": "stretched {images} to {target} (data.fit): one by up to {times} ({name})",
}
"""What was done to pictures of other proportions."""
PLAIN = {1: "grey", 3: "colour"}
"""The kind of pictures that need no conversion to that number of channels."""
WANTED = {1: "grey", 2: "grey with opacity", 3: "RGB", 4: "RGBA"}
DARK = 64
"""16-bit colour of which no value reaches this in its upper 8 bits would become almost black."""
FEW = 0.001
"""The fraction of a deep picture's values, at either end, that does not count among most of them."""
FAR = 3
"""Values further from most than this many times their spread would leave them less than a quarter of all levels."""
MOST_SORTED = 2**20
"""About how many values of a deep picture are sorted; of more, only evenly spaced ones."""
BLANK = 5
"""A picture is blank if no pixel is further than this from the background."""


class Values(NamedTuple):
    """The ranges in which all values of a deep picture lie, and most of them."""

    all: Range
    most: Range

    def within(self, near: Range) -> Range:
        """Return the range of all values, or on a side where some lie outside `near`, of most."""
        low = self.all[0] if self.all[0] >= near[0] else self.most[0]
        return low, self.all[1] if self.all[1] <= near[1] else self.most[1]


class Survey:
    """The headers of files, by index; those that cannot be read are missing.

    Raises `BadInput` if none can be read.
    """

    def __init__(self, files: ImageFiles, indices: Sequence[int]) -> None:
        self.files, self.examined = files, len(indices)
        found = dict(zip(indices, in_threads(partial(read_header, files), indices), strict=True))
        self.headers = {index: header for index, header in found.items() if isinstance(header, Header)}
        self.broken = {index: reason for index, reason in found.items() if isinstance(reason, str)}
        check_some_readable(files, self.broken, self.examined)

    @property
    def channels(self) -> int:
        """1 if all images are grey, else 3; a palette image counts as colour."""
        return 1 if all(header.grey for header in self.headers.values()) else 3

    @property
    def shallow(self) -> bool:
        """Whether no image of the folder has more than 8 bits, as far as all were examined."""
        return self.examined == len(self.files) and not self.which(lambda header: header.deep)

    def which(self, holds: Callable[[Header], bool]) -> list[int]:
        """Return the indices of the files whose header has a property."""
        return [index for index, header in self.headers.items() if holds(header)]

    def find_range(self) -> tuple[Range | None, list[str]]:
        """Return the values shown as black and white in deep pictures, None where none is known, and a note on them.

        Where they fill at least half of 16 bits, it is that whole range, else the lowest and the highest value. The few
        values far outside all others, such as those of a hot pixel, do not count.
        """
        deep = self.which(lambda header: header.deep)
        looks = zip(deep, in_threads(partial(try_values, self.files), deep), strict=True)
        found = {index: values for index, values in looks if values}
        if not found:
            return None, []
        near = widen(join(values.most for values in found.values()))
        low, high = join(values.within(near) for values in found.values())
        if low >= 0 and SIXTEEN_BITS[1] // 2 < high <= SIXTEEN_BITS[1]:
            low, high = SIXTEEN_BITS
        shown = low, high if high > low else low + 1
        return shown, self.describe_range(
            shown, [index for index in found if found[index].within(near) != found[index].all]
        )

    def describe_range(self, shown: Range, outliers: Sequence[int] = ()) -> list[str]:
        """Return a note on the range of deep pictures; `outliers` are those with values far outside it."""
        deep = self.which(lambda header: header.deep)
        if not deep:
            return self._qualify(["data.range changes nothing: no image is grey with more than 8 bits"])
        note = f"in {count_of(len(deep), 'image')} with more than 8 bits {shown[0]:.6g} is shown as black, "
        note += f"{shown[1]:.6g} as white (data.range)"
        if outliers:
            note += f"; a few values far outside are cut off in {quote_some(self.names(outliers))}"
        return self._qualify([note])

    def check_deep_colour(self) -> None:
        """Raise `BadInput` for 16-bit colour with fewer bits in use: Pillow keeps its upper 8 bits only."""
        deep = spread(self.which(lambda header: header.deep_colour), MOST_DECODED)
        found = [top for top in in_threads(partial(try_highest, self.files), deep) if top is not None]
        if found and max(found) < DARK:
            raise BadInput(
                f"of 16-bit colour the upper 8 bits are read, and in {quote_some(self.names(deep), 1)} they reach "
                f"{max(found)} of 255 only, almost black; convert these images to 8 bits"
            )

    def describe(self, rendering: Rendering) -> list[str]:
        """Return notes on how images are changed."""
        notes = describe_conversions(list(self.headers.values()), rendering)
        notes += self._describe_fit(rendering)
        if several := self.which(lambda header: header.several):
            what = f"{count_of(len(several), 'image')} with several frames or pages"
            notes.append(f"of {what} the first is used: {quote_some(self.names(several))}")
        notes += [*self._describe_deep_colour(), *self._describe_blank(rendering)]
        return self._qualify(notes)

    def names(self, indices: Sequence[int]) -> list[str]:
        """Return the names of files, relative to their folder."""
        return [self.files.name(index) for index in indices]

    def _qualify(self, notes: Sequence[str]) -> list[str]:
        """Say in each note that not all files were examined, if that is so."""
        some = f" (of {self.examined:,} examined)" if self.examined < len(self.files) else ""
        return [note + some for note in notes]

    def _describe_deep_colour(self) -> Iterator[str]:
        if deep := self.which(lambda header: header.deep_colour):
            what = count_of(len(deep), "image")
            yield f"of {what} with 16-bit colour the upper 8 bits are used: {quote_some(self.names(deep))}"

    def _describe_fit(self, rendering: Rendering) -> Iterator[str]:
        size = rendering.shape[1:]
        shares = {index: misfit(header.size, size) for index, header in self.headers.items()}
        if others := [index for index in shares if shares[index]]:
            worst = max(others, key=lambda index: shares[index])
            target = "a square" if size[0] == size[1] else f"the proportions of {write_size(*size)}"
            yield FITS[rendering.fit].format(
                images=count_of(len(others), "image"),
                target=target,
                share=f"{100 * shares[worst]:.0f} %",
                times=f"{1 / (1 - shares[worst]):.3g}",
                background="transparent" if rendering.alpha else rendering.background,
                name=quote_some(self.names([worst])),
            )

    def _describe_blank(self, rendering: Rendering) -> Iterator[str]:
        if rendering.alpha:
            return
        transparent = spread(self.which(lambda header: header.transparent), MOST_DECODED)
        found = in_threads(partial(try_blank, self.files, rendering), transparent)
        if blank := [index for index, is_blank in zip(transparent, found, strict=True) if is_blank]:
            ground, other = rendering.background, "black" if rendering.background == "white" else "white"
            what = f"{count_of(len(blank), 'image')} with transparency became blank on {ground}"
            yield f"{what}; data.background='{other}' may show them: {quote_some(self.names(blank))}"


def examine(files: ImageFiles, most: int) -> Survey:
    """Survey at most `most` evenly spaced files."""
    return Survey(files, spread(range(len(files)), most))


def spread(indices: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of the indices, evenly spaced."""
    places = np.linspace(0, len(indices) - 1, min(len(indices), most)).astype(int)
    return [indices[place] for place in places]


def in_threads(look: Callable[[int], T], indices: Sequence[int]) -> list[T]:
    """Return what a function returns for each index, computed in several threads."""
    with ThreadPoolExecutor(count_decoders()) as pool:
        return list(pool.map(look, indices))


def read_header(files: ImageFiles, index: int) -> Header | str:
    """Return the header of a file, or why it cannot be read."""
    return try_reading(files, index, make_header)


def misfit(size: tuple[int, int], target: tuple[int, int]) -> float:
    """Return the share of a picture (width, height) outside the largest part with the proportions of (height, width).

    It is also the share of a padded picture that is margin.
    """
    (width, height), (high, wide) = size, target
    return 1 - min(width * high, height * wide) / max(width * high, height * wide)


def try_values(files: ImageFiles, index: int) -> Values | None:
    """Return in which ranges the values of a deep picture lie; None if it cannot be read."""
    with suppress(Exception), files.open(index) as picture:
        check_size(picture)
        with one_at_a_time(picture.width * picture.height):
            return find_values(picture)
    return None


def find_values(picture: Image.Image) -> Values:
    """Return in which ranges the values of a deep picture lie. Raises what Pillow raises for a broken one."""
    step = max(1, picture.width * picture.height // MOST_SORTED)
    found = [((float(rows.min()), float(rows.max())), rows.reshape(-1)[::step]) for _, rows in read_rows(picture)]
    some = np.sort(np.concatenate([part for _, part in found]))
    few = math.ceil(FEW * (len(some) - 1))
    most = sorted((float(some[few]), float(some[-1 - few])))  # the other way round if there are one or two
    return Values(join(extremes for extremes, _ in found), (most[0], most[1]))


def join(ranges: Iterable[Range]) -> Range:
    """Return the range that spans all others."""
    lows, highs = zip(*ranges, strict=True)
    return min(lows), max(highs)


def widen(values: Range) -> Range:
    """Return the range outside of which single values are taken for faults; all numbers if it has no width."""
    low, high = values
    room = FAR * (high - low) or math.inf
    return low - room, high + room


def try_highest(files: ImageFiles, index: int) -> int | None:
    """Return the highest 8-bit value of a picture at a small size, alpha apart; None if it cannot be read."""
    with suppress(Exception), files.open(index) as picture:
        check_size(picture)
        with one_at_a_time(picture.width * picture.height):
            return int(np.asarray(picture)[..., : 1 if picture.mode == "LA" else 3].max())
    return None


def try_blank(files: ImageFiles, rendering: Rendering, index: int) -> bool:
    """Return whether a picture has visible parts, and nothing can be seen of them on the background."""
    with suppress(Exception), files.open(index) as picture:
        pixels = to_pixels(picture, rendering)
        blank = pixels.min() >= 255 - BLANK if rendering.background == "white" else pixels.max() <= BLANK
        return bool(blank) and bool(picture.convert("RGBA").getchannel("A").getextrema()[1])
    return False


def describe_conversions(headers: Sequence[Header], rendering: Rendering) -> list[str]:
    """Return a note on how many images were converted to grey or RGB, or resized; an empty list if none was."""
    channels, height, width = rendering.shape
    plain = TRANSPARENT if rendering.alpha else PLAIN[channels]
    others = Counter(header.kind for header in headers if header.kind != plain)
    resized = sum(header.size != (width, height) for header in headers)
    of_each = ", ".join(f"{count} {kind}" for kind, count in others.most_common())
    parts = [f"converted {others.total()} images to {WANTED[channels]} ({of_each})"] * bool(others)
    parts += [f"resized {resized} to {write_size(height, width)} (data.size says to what)"] * bool(resized)
    kept = f"; data.channels={channels + 1} keeps transparency" * (others[TRANSPARENT] > 0)
    return [" and ".join(parts) + kept] if parts else []
