"""Draw the curves of a run: loss terms and measures of the samples over the training steps."""

import io
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo._io import write_bytes
from ganzoo.training.runs.log import COUNTERS, is_varying
from ganzoo.training.runs.summary import is_measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_MARKED_POINTS = 20
"""A curve of fewer points marks each of them: a single point would be invisible without a mark."""
MAX_POINTS = 2000
"""Points of a curve that a log is thinned to, or up to twice as many: more than the pixels that show them."""
MAX_CURVES = 50
"""Curves that are drawn; a log that somebody else wrote may have any number of keys."""
CURVES_DPI = 100
"""Pixels per inch."""


TITLE_INCHES = 0.3
"""Height of the title."""


def write_curves(path: Path, metrics: Sequence[Mapping[str, Any]], best: int | None = None, title: str = "") -> None:
    """Draw loss terms and measures of the samples over the training steps, as a PNG with a title.

    A dotted line marks the `best` step in the panels of measures.
    """
    from matplotlib.figure import Figure  # slow to import

    drawn = itertools.islice(dict.fromkeys(key for line in metrics for key in line), MAX_CURVES)
    panels = group_into_panels(drawn)
    rows = max(1, math.ceil(len(panels) / 2))
    height = 3 * rows + TITLE_INCHES
    figure = Figure(figsize=(12, height))
    # Fixed margins, since matplotlib's automatic layout takes twice the time.
    figure.subplots_adjust(0.07, 0.6 / height, 0.98, 1 - (TITLE_INCHES + 0.15) / height, 0.18, 0.2)
    # A name may come from a stranger: dollars in it are text, not a formula.
    figure.suptitle(title, y=1 - 0.08 / height, fontsize="medium", parse_math=False)
    grid = figure.subplots(rows, 2, sharex=True, squeeze=False).flat
    for (title, keys), axes in zip(panels.items(), grid, strict=False):
        draw_panel(axes, title, keys, metrics)
        if best is not None and is_measure(keys[0]):
            axes.axvline(best, color="grey", linestyle=":", label=f"best: step {best}")
        axes.legend(fontsize="small")
    for unused in list(grid):
        unused.remove()
    figure.supxlabel("training step")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=CURVES_DPI)
    write_bytes(path, buffer.getvalue())


def group_into_panels(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the title of each panel with its keys: the terms of a side share one, every other key has its own."""
    panels: dict[str, list[str]] = {"discriminator's terms": [], "generator's terms": []}
    for key in keys:
        if key in COUNTERS:
            continue
        side, slash, _ = key.partition("/")
        if is_varying(key):  # the numbers differ by orders of magnitude
            panels.setdefault(key.partition("/")[2], []).append(key)
            continue
        panels.setdefault(f"{side}'s terms" if slash else key.replace("_", " "), []).append(key)
    return {title: keys for title, keys in panels.items() if keys}


def draw_panel(axes: "Axes", title: str, keys: Iterable[str], metrics: Sequence[Mapping[str, Any]]) -> None:
    """Draw one curve for each key; ratios on a logarithmic scale."""
    from matplotlib.ticker import LogFormatter

    for key in keys:
        points = [(line["step"], line[key]) for line in metrics if key in line]
        marker = "." if len(points) < MAX_MARKED_POINTS else ""
        axes.plot(*zip(*points, strict=True), label=key.partition("/")[2] or key, linewidth=1, marker=marker)
        if key.endswith("_ratio"):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(LogFormatter())
            axes.yaxis.set_minor_formatter(LogFormatter())
    axes.set_ylabel(title)
    axes.tick_params(labelbottom=True)
    axes.grid(alpha=0.3)
