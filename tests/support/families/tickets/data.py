"""Columns of numbers of a CSV file, and one of categories."""

import csv
from pathlib import Path

import numpy as np

import ganzoo


class Rows(ganzoo.Dataset):
    kinds = {"row": "table"}

    def __init__(self, path: str, columns: list[str], category: str):
        with Path(path).open(newline="") as file:
            rows = list(csv.DictReader(file))
        if missing := [name for name in (*columns, category) if not rows or name not in rows[0]]:
            raise ValueError(f"'{path}' has no column {missing[0]!r}")
        self.numbers = np.array([[float(row[name]) for name in columns] for row in rows], np.float32)
        names = sorted({row[category] for row in rows})
        self.labels = np.array([names.index(row[category]) for row in rows])
        self.classes = {"label": names}
        mean, spread = self.numbers.mean(0), self.numbers.std(0) + 1e-6
        self.facts = {"columns": columns, "mean": mean.tolist(), "spread": spread.tolist()}

    def __len__(self):
        return len(self.numbers)

    def arrays(self):
        return {"row": self.numbers, "label": self.labels}
