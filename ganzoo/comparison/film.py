"""A film of several trainings: the pictures of their samples side by side, step by step."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from ganzoo._io import write_bytes
from ganzoo.errors import BadInput
from ganzoo.pictures.grid import load_font
from ganzoo.pictures.points import FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS, MAX_FRAMES
from ganzoo.training.runs.steps import list_pictures

if TYPE_CHECKING:
    from ganzoo.comparison.compare import Comparison

SIDE, HEADING, GAP = 170, 46, 6
"""Height of a run's picture, height of its heading, space between two runs, in pixels."""
HEAD_CHARACTERS = 28
"""Characters in each of the two lines of a heading."""
COLOURS = 24
"""Colours of a film: fewer make a smaller file."""

Step = tuple[int, Sequence[Path]]
"""A training step, and the newest picture of each run until then."""


def write_film(path: Path, comparison: "Comparison") -> None:
    """Write an endless GIF. Raises `BadInput` unless there are runs that drew pictures."""
    named = zip(comparison.letters, comparison.columns, strict=True)
    runs = [(letter, each) for letter, each in named if each.run and list_pictures(each.run / "samples")]
    if not runs:
        raise BadInput("a film needs runs that drew pictures of their samples; models alone have none")
    heads = [f"{letter}: {each.title or each.name}" for letter, each in runs]
    steps = line_up([list_pictures(each.run / "samples") for _, each in runs if each.run])
    frames = [draw_frame(heads, step) for step in thin(steps)]
    times = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    buffer = io.BytesIO()
    frames[0].save(buffer, "gif", save_all=True, append_images=frames[1:], duration=times, loop=0, comment=b"synthetic")
    write_bytes(path, buffer.getvalue())


def line_up(pictures: Sequence[Sequence[Path]]) -> list[Step]:
    """Return for each step at which any run drew a picture the newest picture of every run."""
    drawn = [{step_of(picture): picture for picture in own} for own in pictures]
    steps = sorted({step for own in drawn for step in own})
    return [(step, [own[max((at for at in own if at <= step), default=min(own))] for own in drawn]) for step in steps]


def step_of(picture: Path) -> int:
    """Return the training step that a picture is named after."""
    return int(picture.stem.removeprefix("step-"))


def thin(steps: Sequence[Step]) -> list[Step]:
    """Leave out some of more than `MAX_FRAMES` steps, evenly."""
    count = min(len(steps), MAX_FRAMES)
    return [steps[round(place * (len(steps) - 1) / max(1, count - 1))] for place in range(count)]


def draw_frame(heads: Sequence[str], step: Step) -> Image.Image:
    """Draw the pictures of all runs in a row, each under its title and the step."""
    pictures = [read_picture(path) for path in step[1]]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    frame = Image.new("RGB", (width, HEADING + max(picture.height for picture in pictures)), "white")
    draw, font = ImageDraw.Draw(frame), load_font(10)
    left = 0
    for head, path, picture in zip(heads, step[1], pictures, strict=True):
        draw.multiline_text(
            (left + 4, 3),
            "\n".join([*textwrap.wrap(head, HEAD_CHARACTERS)[:2], f"step {step_of(path):,}"]),
            fill="black",
            font=font,
            spacing=2,
        )
        frame.paste(picture, (left, HEADING))
        left += picture.width + GAP
    # Dots have rare colours, which other methods lose.
    return frame.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def read_picture(path: Path) -> Image.Image:
    """Read a picture of samples in the height of a film."""
    with Image.open(path, formats=["PNG"]) as picture:
        width = round(picture.width * SIDE / picture.height)
        return picture.convert("RGB").resize((width, SIDE), Image.Resampling.LANCZOS)
