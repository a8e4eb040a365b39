"""A tiny game on points, and the frames of an animation."""

from PIL import Image

from ganzoo.training.runs.steps import list_by_step

TINY = {
    "name": "tiny",
    "architecture": {"name": "points", "widths": [16, 16]},
    "loss": [{"name": "non-saturating"}, {"name": "gradient-penalty", "weight": 0.1}],
    "data": "ring8",
    "train": {"steps": 12, "batch": 32, "sample_every": 4, "log_every": 6, "precision": "fp32"},
}


def frames(path):
    with Image.open(path) as animation:
        found = []
        for number in range(animation.n_frames):
            animation.seek(number)
            found.append((animation.convert("RGB"), animation.info["duration"]))
    return found


def pictures(run):
    return list_by_step(run.path / "samples")
