"""Samples of any kind as pictures and files. What the code of a kind raises names the kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from ganzoo._faults import call_plugin
from ganzoo._io import write_errors
from ganzoo.errors import Failed
from ganzoo.kind import Array, Kind

GAP = 16
"""Space between the pictures of two outputs, in pixels."""
DIGITS = 6
"""Digits in the name of a sample's file."""


def draw(
    kind: Kind, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
) -> Image.Image | None:
    """Draw samples (n, ...) as one picture, as `Kind.draw` does; None where a picture can show nothing.

    Raises `Failed` where the kind returns anything else.
    """
    if kind.not_drawn:
        return None
    picture: object = call_plugin(culprit(kind), kind.draw, samples, columns, row_names, title)
    if picture is not None and not isinstance(picture, Image.Image):
        raise Failed(f"{culprit(kind)}: `draw` returns a PIL.Image or None, got {type(picture).__name__}")
    return picture


def draw_beside(
    kinds: Mapping[str, Kind],
    samples: Mapping[str, Array],
    columns: int = 0,
    row_names: Sequence[str] = (),
    title: str = "",
) -> Image.Image | None:
    """Draw several outputs of a generator beside one another, as `draw` draws one; None where none can be drawn."""
    drawn = [key for key, kind in kinds.items() if not kind.not_drawn]
    # The names stand beside the last one.
    found = [draw(kinds[key], samples[key], columns, row_names if key == drawn[-1] else (), title) for key in drawn]
    pictures = [picture for picture in found if picture]
    if len(pictures) < 2:
        return pictures[0] if pictures else None
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    whole = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture.convert("RGB"), (left, 0))
        left += picture.width + GAP
    return whole


def write_some_of_each(
    kinds: Mapping[str, Kind], folder: Path, samples: Mapping[str, Array], mark: Mapping[str, str]
) -> dict[Path, Array]:
    """Write a few samples as `write_some` does; several outputs each into a folder of their own inside."""
    found = dict[Path, Array]()
    for key, kind in kinds.items():
        found |= write_some(kind, folder / key if len(kinds) > 1 else folder, samples[key], mark)
    return found


def to_public(kind: Kind, samples: Tensor) -> Tensor:
    """Return samples (n, ...) of a network as users get them, as `Kind.to_public` does."""
    return call_plugin(culprit(kind), kind.to_public, samples)


def to_array(kind: Kind, samples: Tensor) -> Array:
    """Return samples (n, ...) as users get them as an array, as `Kind.to_array` does."""
    return call_plugin(culprit(kind), kind.to_array, samples)


def write_sample(kind: Kind, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
    """Write one sample to a file, or several where the kind writes them together.

    Raises `Failed` where there is no such file afterwards.
    """
    call_plugin(culprit(kind), kind.write, path, sample, mark)
    if not path.is_file():
        raise Failed(f"{culprit(kind)}: `write` has not written {path}")


def write_some(kind: Kind, folder: Path, samples: Array, mark: Mapping[str, str]) -> dict[Path, Array]:
    """Write a few of samples (n, ...) as files, and return them by path; none for a kind that has no such files.

    They are numbered in a new folder, or one file called like it where the kind writes them together.
    """
    if not (kind.suffix and kind.card_files):
        return {}
    if kind.together:
        chosen = {folder.with_name(f"{folder.name}{kind.suffix}"): samples}
    else:
        every = max(1, len(samples) // kind.card_files)
        few = samples[::every][: kind.card_files]
        chosen = {folder / numbered(kind, place): sample for place, sample in enumerate(few)}
    for path, sample in chosen.items():
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_sample(kind, path, sample, mark)
    return chosen


def numbered(kind: Kind, number: int) -> str:
    """Return the name of the file of a sample."""
    return f"{number:0{DIGITS}d}{kind.suffix}"


def culprit(kind: Kind) -> str:
    """Return what messages call the code of a kind."""
    return f"the kind '{kind.name}'"
