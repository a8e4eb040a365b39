"""Several models on one page: samples of each from the same seed, and their scores under the same protocol."""

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from ganzoo._io import check_writable, write_bytes
from ganzoo._numbers import check_count, check_seed
from ganzoo.errors import BadInput
from ganzoo.evaluation.evaluate import DEFAULT_SAMPLES, evaluate
from ganzoo.evaluation.lookup import find_suite
from ganzoo.pictures.grid import tile, to_bytes, to_picture
from ganzoo.pictures.layout import choose_layout, select_showable
from ganzoo.pictures.points import draw_scatter
from ganzoo.zoo import scores as stored
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.model import Model, load_local
from ganzoo.zoo.references import parse
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model
from ganzoo.zoo.scores import SCORES_FILE, format_number

COLUMN_INCHES = 3.2
"""Width of a model's column."""
ROW_INCHES = 0.24
"""Height of a row of the table."""

logger = logging.getLogger(__name__)


@dataclass
class Column:
    """One model of a comparison: its name, its architecture and data, a picture of samples, and scores by metric."""

    name: str
    kind: str
    samples: Image.Image
    scores: Mapping[str, Mapping[str, Any]]


def compare(sources: Sequence[str], out: Path, n: int = DEFAULT_SAMPLES, seed: int = 0, device: str = "auto") -> Path:
    """Write the page as a PNG and return its path.

    The scores of `n` samples of that seed are taken from a model's `scores.json`, or measured now. Each model is found
    once, before the first is measured, so that a branch on the Hub cannot move in between. Raises `BadInput`
    for a model whose samples cannot be shown, and for an `out` that is not a .png file.
    """
    n, seed = check_count(n), check_seed(seed)
    if out.suffix != ".png":
        raise BadInput(f"'{out}' is not a .png file")
    check_writable(out)
    registry = Registry()
    found = {source: resolve_model(parse(source, registry)) for source in dict.fromkeys(sources)}
    columns = [make_column(source, found[source], n, seed, device) for source in sources]
    write_page(out, columns, f"{n:,} samples of seed {seed}; the protocol is what 'ganzoo evaluate' prints")
    return out


def make_column(source: str, local: LocalModel, n: int, seed: int, device: str) -> Column:
    """Load one model, draw its samples and find its scores."""
    model = load_local(local, device)
    architecture, data = model.config["architecture"]["name"], model.config["data"].get("name", "unknown")
    samples = draw_model(source, model, seed)
    return Column(str(source), f"{architecture} on {data}", samples, find_scores(source, model, local.folder, n, seed))


def draw_model(source: str, model: Model, seed: int) -> Image.Image:
    """Draw samples of a model as one picture. Raises `BadInput` if they cannot be shown."""
    count, fixed, columns = choose_layout(model.generator)
    samples = select_showable(model.sample(count, seed, **fixed), model.kind)
    if samples is None:
        raise BadInput(f"the samples of '{source}' cannot be shown: a page shows images and points in the plane")
    if model.kind == "point":
        return draw_scatter(samples.numpy(), "")
    return to_picture(tile(to_bytes(samples), columns))


def find_scores(source: str, model: Model, folder: Path, n: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return the scores of `n` samples of a seed, from the model's file or measured now; empty without a suite."""
    suite, path = find_suite(model.config["data"]), folder / SCORES_FILE
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
    """Write the pictures in a row and a table of the scores below them, real samples in its last column."""
    names = list(dict.fromkeys(name for column in columns for name in column.scores))
    height = COLUMN_INCHES * max(column.samples.height / column.samples.width for column in columns)
    size = (COLUMN_INCHES * (len(columns) + 1), height + ROW_INCHES * (len(names) + 4))
    figure = Figure(figsize=size, layout="constrained")
    ratios = [height + ROW_INCHES, ROW_INCHES * (len(names) + 3)]
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, column in zip(above.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        draw_samples(axes, column)
    draw_scores(below.subplots(), columns, names, conditions)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())


def draw_samples(axes: Axes, column: Column) -> None:
    """Draw one model's picture under its name."""
    axes.imshow(column.samples.convert("RGB"), interpolation="nearest")
    # A name may come from a stranger: dollars in it are text, not a formula.
    axes.set_title(f"{column.name}\n{column.kind}", fontsize="medium", parse_math=False)
    axes.axis("off")


def draw_scores(axes: Axes, columns: Sequence[Column], names: Sequence[str], conditions: str) -> None:
    """Draw the conditions, and the table of scores below them unless there are none."""
    axes.axis("off")
    axes.set_title(conditions, fontsize="small")
    if not names:
        return
    rows = [[*(format_score(each.scores.get(name)) for each in columns), format_real(name, columns)] for name in names]
    heads = [*(column.name for column in columns), "real"]
    table = axes.table(rows, rowLabels=names, colLabels=heads, loc="upper center", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)


def format_real(name: str, columns: Sequence[Column]) -> str:
    """Format a metric of real samples: one number for each data set of the models."""
    return " / ".join(
        dict.fromkeys(format_number(column.scores[name].get("real")) for column in columns if name in column.scores)
    )


def format_score(score: Mapping[str, Any] | None) -> str:
    """Format a score with its ratio to real samples; empty if there is none."""
    if score is None:
        return ""
    ratio = f"  ({score['ratio']:.3g} x)" if score.get("ratio") is not None else ""
    return format_number(score["generated"]) + ratio
