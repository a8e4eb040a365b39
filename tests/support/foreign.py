"""Small plugins of many families, as strangers write them: built into wheels, and installed into one environment."""

import shutil
import subprocess
import sys
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from command import Command
from environments import see_ours

FAMILIES = Path(__file__).parent / "families"
NAMES = sorted(path.name for path in FAMILIES.iterdir() if path.is_dir() and not path.name.startswith("_"))


def distribution(name: str) -> str:
    """The name under which a family is installed."""
    return f"ganzoo-family-{name}"


def build(folder: Path) -> list[Path]:
    """Build a wheel of each family."""
    from hatchling.builders.wheel import WheelBuilder

    for name in NAMES:
        project = folder / name
        shutil.copytree(FAMILIES / name, project / f"family_{name}", ignore=shutil.ignore_patterns("__pycache__"))
        text = (FAMILIES / "pyproject.toml.txt").read_text().replace("NAME", name)
        (project / "pyproject.toml").write_text(text)
        list(WheelBuilder(str(project)).build(directory=str(folder / "wheels")))
    return sorted((folder / "wheels").glob("*.whl"))


def install(folder: Path) -> Command:
    """Install the wheels of all families into a new environment that sees ganzoo; return its `ganzoo`."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=100)
    see_ours(venv)
    pip = [sys.executable, "-m", "pip", "--python", venv, "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", *build(folder)], check=True, timeout=300)
    return Command(folder, venv / "bin" / "python")


@dataclass(frozen=True)
class Family:
    """How a family is played."""

    recipe: str
    data: dict[str, object] = field(default_factory=dict)
    """Options of `[data]`; values that begin with "@" are files of `write_data`."""
    inputs: dict[str, str] = field(default_factory=dict)
    """A file or folder for each input that a generator needs."""
    suffix: str = ".png"
    """Ending of the files that samples are written to."""
    together: bool = False
    """Whether one file holds all samples."""
    outputs: int = 1
    """How many pictures the generator makes, each of which has a folder of its own if there are several."""
    data_set: str = ""
    """The data set that the family brings."""
    changes: dict[str, object] = field(default_factory=dict)
    """Further keys of the recipe, so that all of it plays within a few steps."""

    @property
    def samples(self) -> str:
        """Where samples are written to: a file, or a folder with a file for each."""
        return f"samples{self.suffix if self.together else ''}"


PLAYED = {
    "pairs": Family("fam-painter", {"path": "@colours"}, {"grey": "@greys"}, data_set="fam-drawings"),
    "unpaired": Family(
        "fam-circle",
        {"a": "@colours", "b": "@more"},
        {"a": "@colours", "b": "@more"},
        outputs=2,
        data_set="fam-two-folders",
    ),
    "tones": Family("fam-wave", {"path": "@sounds"}, suffix=".wav", data_set="fam-tones"),
    "rhymes": Family("fam-letters", {"path": "@lines.txt"}, suffix=".txt", together=True, data_set="fam-lines"),
    "tickets": Family(
        "fam-rows",
        {"path": "@tickets.csv", "columns": ["price", "zones"], "category": "town"},
        suffix=".csv",
        together=True,
        data_set="fam-csv",
    ),
    "clips": Family("fam-film", {"count": 16}, suffix=".gif", data_set="fam-balls"),
    "styles": Family(
        "fam-styles",
        {"name": "@digits", "channels": 1, "size": 16},
        changes={
            "loss.fam-mixing.start": 1,
            "loss.r1.every": 2,
            "loss.r1.weight.over": 4,
            "loss.fam-path.start": 2,
            "loss.fam-path.every": 1,
            "loss.fam-noise.strength.over": 3,
        },
    ),
    "judges": Family("fam-judges", {"name": "mnist-10k"}),
    "anomalies": Family("fam-anomalies", {"name": "@digits", "channels": 1, "size": 16}),
    "sharper": Family("fam-sharper", {"path": "@colours"}, {"small": "@small"}, data_set="fam-zoom"),
}


def write_data(folder: Path) -> None:
    """Write the files that the families learn from."""
    rng = np.random.default_rng(0)
    shapes = {"colours": (20, 30, 3), "more": (24, 24, 3), "greys": (16, 16), "small": (8, 12, 3), "digits": (16, 16)}
    for name, shape in shapes.items():
        (folder / name).mkdir()
        for number in range(12):
            coarse = rng.integers(0, 256, (4, 6, *shape[2:]), dtype=np.uint8)
            Image.fromarray(coarse).resize(shape[1::-1]).save(folder / name / f"{number:02}.png")
    (folder / "sounds").mkdir()
    for number in range(12):
        tone = np.sin(np.arange(600) * (0.05 + 0.02 * number)) * 20000
        with wave.open(str(folder / "sounds" / f"{number:02}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(tone.astype("<i2").tobytes())
    words = ["the cat", "a hat", "the mat", "that rat", "a bat", "the gnat"]
    (folder / "lines.txt").write_text("\n".join(words * 3) + "\n")
    rows = [f"{20 + number % 7},{number % 3 + 1},{('Bern', 'Basel')[number % 2]}" for number in range(24)]
    (folder / "tickets.csv").write_text("\n".join(["price,zones,town", *rows]) + "\n")


def resolved(value: object, folder: Path) -> object:
    """A value in which "@" is the folder of data."""
    return str(folder / value[1:]) if isinstance(value, str) and value.startswith("@") else value
