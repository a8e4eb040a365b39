"""Pictures of points in the plane: scatter plots, also over the discriminator's scores, and animations."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ganzoo._io import write_bytes
from ganzoo.pictures.grid import write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

REAL_COLOUR, FAKE_COLOUR = "#1b1b1b", "#e03131"
SIDE_INCHES, DPI = 5.6, 100
MARGIN_SHARE = 0.15
"""Width of the margin around the points, as a share of their extent."""
CONTOUR_LEVELS = 24
COLOUR_PERCENTILES = (2, 98)
"""Percentiles of the scores between which colours change: a few extreme scores would take up all colours."""
MAX_FRAMES, FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS = 100, 120, 2500
"""Of an animation."""

Span = tuple[float, float, float, float]
"""Part of the plane: (left, right, bottom, top)."""


@dataclass(frozen=True)
class Scene:
    """The game at one step: `real` and `fake` points (n, 2), and the scores (rows, columns) on a grid over `span`.

    `scores` is None if the discriminator cannot score points alone.
    """

    real: np.ndarray
    fake: np.ndarray
    span: Span
    scores: np.ndarray | None = None


def square_around(points: np.ndarray) -> Span:
    """Return a square with a margin around the finite ones of the points (n, 2)."""
    points = points[np.isfinite(points).all(1)]
    low, high = (points.min(0), points.max(0)) if len(points) else (-np.ones(2), np.ones(2))
    half = max((high - low).max() / 2, 1e-6) * (1 + 2 * MARGIN_SHARE)
    x, y = (low + high) / 2
    return (x - half, x + half, y - half, y + half)


def draw_scatter(points: np.ndarray, title: str) -> Image.Image:
    """Draw points (n, 2) as a picture."""
    canvas, axes = make_axes(square_around(points))
    axes.grid(alpha=0.3)
    draw_points(axes, points, FAKE_COLOUR, f"{len(points):,} generated points", size=7)
    add_title_and_legend(axes, title)
    return render(canvas)


def write_scene(path: Path, scene: Scene, model: str, seed: int) -> None:
    """Write a scene as a PNG that is labelled as synthetic."""
    canvas, axes = make_axes(scene.span)
    if scene.scores is not None:
        draw_contours(axes, scene.scores, scene.span)
        axes.set_xlabel("the brighter, the higher the discriminator's score", fontsize="small")
    draw_points(axes, scene.real, REAL_COLOUR, "real", size=20)
    draw_points(axes, scene.fake, FAKE_COLOUR, "generated", size=7)
    add_title_and_legend(axes, model)
    write_png(path, render(canvas), model, seed)


def make_axes(span: Span) -> "tuple[FigureCanvasAgg, Axes]":
    """Make an empty picture of that part of the plane."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, and images do without
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(SIDE_INCHES, SIDE_INCHES), dpi=DPI, layout="constrained"))
    axes = canvas.figure.add_subplot(aspect="equal", xlim=span[:2], ylim=span[2:])
    axes.tick_params(labelsize="small")
    return canvas, axes


def draw_points(axes: "Axes", points: np.ndarray, colour: str, label: str, size: float) -> None:
    """Draw points, each as a dot of `size` square typographic points."""
    axes.scatter(points[:, 0], points[:, 1], s=size, color=colour, alpha=0.7, linewidths=0, label=label)


def draw_contours(axes: "Axes", scores: np.ndarray, span: Span) -> None:
    """Draw scores as filled contours."""
    rows, columns = scores.shape
    low, high = np.percentile(scores, COLOUR_PERCENTILES)
    levels = np.linspace(low, max(high, low + 1e-6), CONTOUR_LEVELS)
    x, y = np.linspace(*span[:2], columns), np.linspace(*span[2:], rows)
    axes.contourf(x, y, scores, levels, cmap="YlGnBu_r", alpha=0.75, extend="both")


def add_title_and_legend(axes: "Axes", title: str) -> None:
    """Add title and legend."""
    axes.set_title(title, fontsize="medium")
    legend = axes.legend(loc="upper right", fontsize="small", framealpha=0.9)
    for handle in filter(None, legend.legend_handles):
        handle.set(alpha=1, sizes=[30])


def render(canvas: "FigureCanvasAgg") -> Image.Image:
    """Turn what was drawn into a Pillow image."""
    # Matplotlib has no type hints for this canvas.
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels).convert("RGB")


def animate(path: Path, pictures: Sequence[Path]) -> None:
    """Write pictures as an endless GIF with a longer last frame; of more than `MAX_FRAMES` some are left out."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(len(pictures), MAX_FRAMES)).round().astype(int))
    frames = [read_frame(pictures[place]) for place in chosen]
    times = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    buffer = io.BytesIO()
    frames[0].save(buffer, "gif", save_all=True, append_images=frames[1:], duration=times, loop=0, comment=b"synthetic")
    write_bytes(path, buffer.getvalue())


def read_frame(path: Path) -> Image.Image:
    """Read a picture and reduce it to the 256 colours of a GIF."""
    with Image.open(path, formats=["PNG"]) as picture:
        # Other methods lose the rare colours, which are those of the dots.
        return picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
