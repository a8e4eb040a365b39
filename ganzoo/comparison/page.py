"""The page of a comparison: samples under titles, the curves of a metric, and a table of scores."""

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ganzoo._io import write_bytes
from ganzoo.contract import Images
from ganzoo.errors import BadInput, Error
from ganzoo.evaluation.evaluate import MetricPlan
from ganzoo.kinds.files import draw_beside
from ganzoo.kinds.outputs import Outputs
from ganzoo.kinds.point import Point
from ganzoo.pictures.layout import choose_layout
from ganzoo.pictures.lines import draw_lines
from ganzoo.pictures.points import FAKE_COLOUR, REAL_COLOUR, Span, draw_points, render, square_around
from ganzoo.plugins.builtin import BUNDLED_DATA
from ganzoo.plugins.datasets import find_data
from ganzoo.zoo.sampling import concatenate

if TYPE_CHECKING:
    from pathlib import Path

    from ganzoo.comparison.compare import Column, Comparison
    from ganzoo.zoo.model import Model

COLUMN_INCHES, CURVE_INCHES, ROW_INCHES = 3.2, 2.6, 0.24
"""Width of a model's column, height of the curves, height of a row of the table."""
TITLE_CHARACTERS = 34
"""Characters in a line of a title, which is as wide as a column."""
PAGE_DPI = 120
COMING_WITH_GANZOO = {"mnist": "mnist-10k", **{name: name for name in BUNDLED_DATA}}
"""Data whose real samples are shown without a download, with the data set that has them."""
COLOURS = {"best": "#2b8a3e", "worst": "#c92a2a", "within noise": "#5c940d"}


def write_page(path: "Path", comparison: "Comparison", metric: str | None = None) -> None:
    """Write the page as a PNG."""
    write_bytes(path, to_png(draw_page(comparison, metric)))


def to_png(picture: Image.Image) -> bytes:
    """Return a picture as the content of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()


def draw_page(comparison: "Comparison", metric: str | None = None) -> Image.Image:
    """Draw the pictures in a row, the curves below them, and below these a table of the scores.

    Raises `BadInput` for a metric that no log has.
    """
    columns = comparison.columns
    key, curves = comparison.curves(metric)
    samples, real = [draw_samples(column, comparison.seed) for column in columns], find_real(columns)
    shown = {data: picture for data, picture in real.items() if picture is not None}
    table = comparison.table
    names = [name for name in table.columns if name in table.better or any(name in each.scores for each in columns)]
    pictures = [*samples, *shown.values()]
    titles = [write_heading(*each) for each in zip(comparison.letters, columns, strict=True)]
    legend = [part for line in table.legend() for part in wrap(line, TITLE_CHARACTERS * len(pictures))]
    heights = [
        COLUMN_INCHES * max(map(aspect, pictures)) + ROW_INCHES * (max(title.count("\n") for title in titles) + 1),
        CURVE_INCHES * bool(curves) + 0.01,
        ROW_INCHES * (len(names) + len(legend) + 1),
    ]
    figure = Figure(figsize=(COLUMN_INCHES * len(pictures), sum(heights)), dpi=PAGE_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    above, middle, below = figure.subfigures(3, 1, squeeze=False, height_ratios=heights)[:, 0]
    spans = find_spans(columns, samples, real)
    axes = iter(above.subplots(1, len(pictures), squeeze=False)[0])
    for column, picture, title in zip(columns, samples, titles, strict=True):
        draw_one(next(axes), picture, title, spans.get(column.data), FAKE_COLOUR)
    for data, picture in shown.items():
        draw_one(next(axes), picture, f"real: {data}", spans.get(data), REAL_COLOUR)
    if curves:
        draw_curves(middle.subplots(), key, curves)
    draw_scores(below.subplots(), comparison, names, legend)
    return render(canvas)


def write_heading(letter: str, column: "Column") -> str:
    """Return the letter of a model in the table, what sets it apart, and its name."""
    return "\n".join([*wrap(f"{letter}: {column.title or column.kind}"), *wrap(column.name)])


def wrap(text: str, characters: int = TITLE_CHARACTERS) -> list[str]:
    """Return text in lines, by default those of a title; a long word stays whole."""
    import textwrap

    return textwrap.wrap(text, characters, break_long_words=False, break_on_hyphens=False) or [""]


def aspect(picture: "Image.Image | np.ndarray") -> float:
    """Return height by width: points have a square."""
    return picture.height / picture.width if isinstance(picture, Image.Image) else 1.0


def draw_samples(column: "Column", seed: int) -> "Image.Image | np.ndarray":
    """Draw samples of a model as one picture; return points (n, 2) as they are. Words say why there is no picture."""
    model, kind = column.model, column.model.outputs.kind
    count, fixed, width = choose_layout(model.generator, kind.shown, kind.by_class)
    try:
        samples = model.sample(count, seed, **fixed)
    except BadInput as error:  # it needs inputs, of which none are kept with it
        if not model.inputs.missing:
            raise
        return draw_lines(wrap(str(error).partition(": ")[0])).convert("RGB")
    return draw_outputs(model.outputs, samples, width)


def draw_outputs(outputs: Outputs, samples: Images, columns: int = 0) -> "Image.Image | np.ndarray":
    """Draw samples as one picture; return points (n, 2) as they are, for which the page has axes."""
    kind, arrays = outputs.kind, outputs.to_arrays(samples)
    if isinstance(kind, Point) and not kind.not_drawn:
        return arrays[outputs.main]
    picture = draw_beside(outputs.shown, arrays, columns)
    return picture.convert("RGB") if picture else draw_lines(wrap(kind.not_drawn)).convert("RGB")


def find_real(columns: Sequence["Column"]) -> "dict[str, Image.Image | np.ndarray | None]":
    """Return real samples as `draw_samples` does, for each data set that the models learned from; None if not here.

    Nothing is downloaded: real are data sets that come with ganzoo, folders, and what a run of this machine learned
    from.
    """
    return {column.data: draw_real(column.model) for column in columns}


def draw_real(model: "Model") -> "Image.Image | np.ndarray | None":
    """Return real samples of the data that a model learned from; None if they are not here."""
    name, kind = str(model.config["data"].get("name", "")), model.outputs.kind
    here = COMING_WITH_GANZOO.get(name) if not model.folder_data else None
    if kind.not_drawn or not (here or model.folder_data or is_plugins(model, name)):
        return None
    with suppress(Error, OSError):
        real = MetricPlan(model, here, None, None).real
        count = min(kind.shown, real.data.count or kind.shown)
        return draw_outputs(model.outputs, concatenate([samples for samples, _ in real.pieces(count)]))
    return None


def is_plugins(model: "Model", name: str) -> bool:
    """Return whether a run of this machine learned from the data set of a plugin."""
    with suppress(Error):
        return bool(model.run_data) and find_data(name)[0].distribution != "ganzoo"
    return False


def find_spans(columns: Sequence["Column"], samples: Sequence[Any], real: Mapping[str, Any]) -> dict[str, Span]:
    """Return the limits of the axes for the points of each data set: around the real ones, else around all."""
    spans = {}
    for data in {column.data for column, picture in zip(columns, samples, strict=True) if is_points(picture)}:
        own = [picture for column, picture in zip(columns, samples, strict=True) if column.data == data]
        spans[data] = square_around(real[data] if is_points(real[data]) else np.concatenate(own))
    return spans


def is_points(picture: Any) -> bool:
    """Return True for points, which are drawn on axes."""
    return isinstance(picture, np.ndarray)


def draw_one(axes: Axes, picture: Any, title: str, span: Span | None, colour: str) -> None:
    """Draw one picture under its title, or points on axes with those limits."""
    # A name may come from a stranger: dollars in it are text, not a formula.
    axes.set_title(title, fontsize="small", parse_math=False)
    if isinstance(picture, Image.Image):
        axes.imshow(picture, interpolation="nearest")
        axes.axis("off")
        axes.set_anchor("N")  # else the layout leaves too little room for a long title
        return
    assert span is not None
    axes.set(xlim=span[:2], ylim=span[2:], aspect="equal")
    axes.tick_params(labelsize="x-small")
    axes.grid(alpha=0.3)
    draw_points(axes, picture, colour, "", size=4)
    if outside := count_outside(picture, span):
        axes.set_xlabel(f"{outside:,} of {len(picture):,} points lie outside", fontsize="x-small")


def count_outside(points: np.ndarray, span: Span) -> int:
    """Return how many points (n, 2) lie outside a part of the plane."""
    left, right, bottom, top = span
    x, y = points.T
    return int((~((x >= left) & (x <= right) & (y >= bottom) & (y <= top))).sum())


def draw_curves(axes: Axes, key: str, curves: Sequence[tuple[str, Sequence[tuple[int, float]]]]) -> None:
    """Draw a metric of each run over the training steps."""
    for title, points in curves:
        axes.plot(*zip(*points, strict=True), label=title, linewidth=1, marker="." if len(points) < 20 else "")
    if key.endswith("_ratio"):
        axes.set_yscale("log")
    axes.set(ylabel=key, xlabel="training step")
    axes.grid(alpha=0.3)
    if any(title for title, _ in curves):
        for text in axes.legend(fontsize="small").get_texts():
            text.set_parse_math(False)


def draw_scores(axes: Axes, comparison: "Comparison", names: Sequence[str], legend: Sequence[str]) -> None:
    """Draw the conditions, and the table of scores below them unless there are none."""
    axes.axis("off")
    table = comparison.table
    axes.set_title("\n".join(legend), fontsize="small", parse_math=False)
    if not names:
        return
    rows = range(len(table.rows))
    cells = [[table.cell(row, name) for row in rows] for name in names]
    heads = [*comparison.letters, *(str(row["model"]) for row in table.rows[len(comparison.columns) :])]
    drawn = axes.table(cells, rowLabels=[*names], colLabels=heads, loc="upper center", edges="horizontal")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)
    for line, name in enumerate(names, 1):
        for row in rows:
            if mark := table.mark(row, name):
                drawn[line, row].get_text().set(color=COLOURS[mark], weight="bold" if mark == "best" else "normal")
