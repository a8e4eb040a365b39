"""Several models on one page: samples of each from the same seed, and their scores under the same protocol."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from ganzoo._io import check_writable, write_bytes
from ganzoo.errors import BadInput
from ganzoo.evaluation.evaluate import DEFAULT_SAMPLES, evaluate
from ganzoo.evaluation.lookup import find_suite
from ganzoo.pictures.grid import tile, to_bytes, to_picture
from ganzoo.pictures.layout import choose_layout, select_showable
from ganzoo.pictures.points import draw_scatter
from ganzoo.zoo import scores as stored
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.references import parse
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model
from ganzoo.zoo.scores import FILE, format_number

logger = logging.getLogger(__name__)

COLUMN_INCHES = 3.2
"""Inches of a model's column."""
ROW_INCHES = 0.24
"""Inches of a line of the table."""


@dataclass
class Column:
    """One model of a comparison: its name, what it is, a picture of its samples and its scores by metric."""

    name: str
    kind: str
    samples: Image.Image
    scores: dict[str, Any]


def compare(
    sources: Sequence[str],
    out: Path,
    n: int = DEFAULT_SAMPLES,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """Write the page. Scores of `n` samples of that seed are taken from a model's `scores.json`, or measured now.

    Raises `BadInput` for a model whose samples no picture can show, and for an `out` that is no PNG.
    """
    if out.suffix != ".png":
        raise BadInput(f"'{out}' is no .png")
    check_writable(out)
    registry = Registry()
    columns = [make_column(source, n, seed, device, registry) for source in sources]
    write_page(out, columns, f"{n:,} samples of seed {seed}; the protocol is what 'ganzoo evaluate' prints")
    return out


def make_column(source: str, n: int, seed: int, device: str, registry: Registry) -> Column:
    """What a page shows of one model."""
    local = resolve_model(parse(source, registry))
    model = load_local(local, device)
    made, data = model.config["architecture"]["name"], model.config["data"].get("name", "unknown")
    samples = draw_model(source, model, seed)
    return Column(str(source), f"{made} on {data}", samples, find_scores(source, model, local.folder, n, seed))


def draw_model(source: str, model: Model, seed: int) -> Image.Image:
    """Samples of a model as one picture. Raises `BadInput` where no picture can show them."""
    count, fixed, columns = choose_layout(model.generator)
    samples = select_showable(model.sample(count, seed, **fixed), model.kind)
    if samples is None:
        raise BadInput(f"'{source}' makes nothing that a page could show")
    if model.kind == "point":
        return draw_scatter(samples.numpy(), "")
    return to_picture(tile(to_bytes(samples), columns))


def find_scores(source: str, model: Model, folder: Path, n: int, seed: int) -> dict[str, Any]:
    """A model's scores by that many samples of that seed; empty where nothing measures its samples."""
    suite, path = find_suite(model.config["data"]), folder / FILE
    wanted = {"samples": n, "seed": seed, "weights": model.config["weights"]["sha256"]}
    wanted |= {suite.name: suite.protocol(n)} if suite else {}
    found = stored.read_scores(path) if path.is_file() else {}
    protocol = found.pop("protocol", {})
    if isinstance(protocol, dict) and wanted.items() <= protocol.items():
        return {name: score for name, score in found.items() if isinstance(score, dict)}
    if suite is None:
        return {}
    logger.info("measuring %s", source)
    return evaluate(model, n=n, seed=seed).metrics


def write_page(path: Path, columns: Sequence[Column], conditions: str) -> None:
    """Grids above, a table of scores below; real samples have the last column."""
    names = list(dict.fromkeys(name for column in columns for name in column.scores))
    height = COLUMN_INCHES * max(column.samples.height / column.samples.width for column in columns)
    figure = Figure(
        figsize=(COLUMN_INCHES * (len(columns) + 1), height + ROW_INCHES * (len(names) + 4)), layout="constrained"
    )
    above, below = figure.subfigures(2, 1, height_ratios=[height + ROW_INCHES, ROW_INCHES * (len(names) + 3)])
    for axes, column in zip(above.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        draw_samples(axes, column)
    draw_scores(below.subplots(), columns, names, conditions)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())


def draw_samples(axes: Axes, column: Column) -> None:
    """One model's picture under its name."""
    axes.imshow(column.samples.convert("RGB"), interpolation="nearest")
    # A name may come from a stranger, and dollars in it are no formula.
    axes.set_title(f"{column.name}\n{column.kind}", fontsize="medium", parse_math=False)
    axes.axis("off")


def draw_scores(axes: Axes, columns: Sequence[Column], names: Sequence[str], conditions: str) -> None:
    """The table of scores under its conditions; nothing but these where nothing was measured."""
    axes.axis("off")
    axes.set_title(conditions, fontsize="small")
    if not names:
        return
    cells = [
        [*(format_score(column.scores.get(name)) for column in columns), format_real(name, columns)] for name in names
    ]
    heads = [*(column.name for column in columns), "real"]
    table = axes.table(cells, rowLabels=names, colLabels=heads, loc="upper center", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)


def format_real(name: str, columns: Sequence[Column]) -> str:
    """A metric of real samples; where models are of several data sets there may be several."""
    return " / ".join(
        dict.fromkeys(format_number(column.scores[name].get("real")) for column in columns if name in column.scores)
    )


def format_score(score: dict[str, Any] | None) -> str:
    """A score, with its ratio to real samples."""
    if score is None:
        return ""
    ratio = f"  ({score['ratio']:.3g} x)" if score.get("ratio") is not None else ""
    return format_number(score["generated"]) + ratio
