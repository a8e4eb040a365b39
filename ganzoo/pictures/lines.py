"""Lines of text as a picture."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from ganzoo._names import printable
from ganzoo.pictures.grid import load_font

FONT_FILE = "DejaVuSansMono.ttf"
"""A font whose letters are equally wide, so that columns stand below each other."""
FONT_SIZE, LINE_HEIGHT, MARGIN, MAX_WIDTH = 14, 20, 8, 1600
"""Sizes in pixels; longer lines are cut."""


def draw_lines(lines: Sequence[str]) -> Image.Image:
    """Draw lines of text below each other, black on white."""
    font, lines = load_font(FONT_SIZE, FONT_FILE), [printable(line) for line in lines]
    longest = max((font.getlength(line) for line in lines), default=0)
    width = min(MAX_WIDTH, math.ceil(longest) + 2 * MARGIN)
    picture = Image.new("L", (width, LINE_HEIGHT * max(1, len(lines)) + 2 * MARGIN), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + number * LINE_HEIGHT), line, fill="black", font=font)
    return picture
