"""The lines of a text file as letters."""

from pathlib import Path

import numpy as np

import ganzoo


class Lines(ganzoo.Dataset):
    kinds = {"text": "text"}

    def __init__(self, path: str, length: int = 8):
        lines = [line[:length].ljust(length) for line in Path(path).read_text().splitlines() if line.strip()]
        if not lines:
            raise ValueError(f"there is no line of text in '{path}'")
        self.lines = lines
        self.facts = {"alphabet": "".join(sorted(set("".join(lines)) | {" "}))}

    def __len__(self):
        return len(self.lines)

    def arrays(self):
        numbers = [[self.facts["alphabet"].index(letter) for letter in line] for line in self.lines]
        return {"text": np.eye(len(self.facts["alphabet"]), dtype=np.float32)[np.array(numbers)]}
