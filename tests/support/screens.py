"""Write text screen shots of commands at several widths, to look at: `python tests/support/screens.py FOLDER`."""

import sys
import tempfile
from pathlib import Path

from ptys import on_terminal, states

WIDTHS = (40, 80, 130)
RUN = ["train", "vanilla", "-o", "train.steps=300", "--device", "cpu", "--precision", "fp32", "--out", "run"]
SHOTS = {
    "help": [],
    "list": ["list"],
    "models": ["list", "models"],
    "recipes": ["list", "recipes"],
    "keys": ["list", "keys"],
    "plugins": ["plugins"],
    "info": ["info", "dcgan"],
    "train": [*RUN, "--overwrite"],
    "evaluate": ["evaluate", "run", "-n", "500", "--device", "cpu"],
    "compare": ["compare", "dcgan-mnist", "run", "-n", "500", "--device", "cpu", "--out", "page.png"],
    "runs": ["runs"],
}
"""The commands by the name of their files."""
MOST_LINES = 70
"""Lines in the middle of a longer output, such as a moving bar, are left out."""


def main(folder: Path) -> None:
    """Write a file for each command and width."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, words in SHOTS.items():
            for width in WIDTHS:
                code, written = on_terminal([sys.executable, "-m", "ganzoo", *words], width, Path(work))
                lines = states(written)
                middle = ["..."] if len(lines) > MOST_LINES else []
                half = MOST_LINES // 2 if middle else len(lines)
                shot = [f"$ ganzoo {' '.join(words)}", *lines[:half], *middle, *(lines[-half:] if middle else [])]
                (folder / f"{name}-{width}.txt").write_text("\n".join([*shot, f"[exit {code}]", ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
