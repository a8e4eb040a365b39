"""Texts: for each place the number of a letter, or a score for each letter; a file holds one text in each line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ganzoo._io import read_bytes, write_bytes
from ganzoo._names import printable
from ganzoo.dataset import NOTHING, Spec
from ganzoo.kind import Array, Kind
from ganzoo.pictures.lines import draw_lines

MAX_LINES = 40
"""Texts in a picture."""
CARD_LINES = 8


class Text(Kind):
    """Texts: whole numbers (length,), or scores (length, letters) of which the highest counts.

    The fact `alphabet` is a string or a list with the letter of each number, such as "abc " or a list of words.
    """

    plural, suffix, together = "texts", ".txt", True
    by_class = False

    def __init__(self, spec: Spec, facts: Mapping[str, Any] = NOTHING) -> None:
        super().__init__(spec, facts)
        if len(spec.shape) not in (1, 2):
            raise ValueError(f"texts have the shape (length,) or (length, letters), not {spec.shape}")
        self.alphabet = [str(letter) for letter in facts.get("alphabet") or ()]
        if not self.alphabet or spec.shape[1:] not in ((), (len(self.alphabet),)):
            many = f" {spec.shape[1]}" if spec.shape[1:] else ""
            raise ValueError(f"the data lack the fact 'alphabet' with the{many} letters, by their numbers")

    def to_array(self, values: Tensor) -> Array:
        """Return each text as a string."""
        letters, between = np.array(self.alphabet, dtype=object), "" if self.has_letters else " "
        numbers = values.argmax(-1) if len(self.spec.shape) == 2 else values.long()
        known = numbers.clamp(0, len(letters) - 1).numpy()
        return np.array([between.join(letters[row]).rstrip() for row in known], dtype=np.str_)

    @property
    def has_letters(self) -> bool:
        """Whether the alphabet has letters, and no words."""
        return all(len(letter) <= 1 for letter in self.alphabet)

    def from_array(self, values: Array) -> Array:
        """Return the numbers or scores of strings."""
        return self.encode([str(text) for text in values.flat]) if values.dtype.kind == "U" else values

    def write(self, path: Path, sample: Array, mark: Mapping[str, str]) -> None:
        """Write a line for each text; a text file has no place for the mark."""
        write_bytes(path, "".join(f"{printable(text)}\n" for text in sample).encode())

    def read(self, path: Path) -> Array:
        """Read the texts of a file, one from each line, cut or filled up to the length. Letters must be known."""
        try:
            lines = read_bytes(path).decode().splitlines()
        except UnicodeDecodeError as error:
            raise ValueError("is not a text in UTF-8") from error
        return self.encode(lines)

    def encode(self, texts: Sequence[str]) -> Array:
        """Return texts as numbers or scores, in the length of the spec."""
        numbers = np.stack([self.to_numbers(text) for text in texts]) if texts else np.zeros((0, self.spec.shape[0]))
        if len(self.spec.shape) == 1:
            return numbers.astype(np.int64)
        found: Array = np.eye(self.spec.shape[1], dtype=np.float32)[numbers.astype(np.int64)]
        return found

    def to_numbers(self, line: str) -> Array:
        """Return the numbers of the letters of a text, in the length of the spec."""
        places = {letter: number for number, letter in enumerate(self.alphabet)}
        letters = list(line) if self.has_letters else line.split()
        if unknown := [letter for letter in letters if letter not in places]:
            raise ValueError(f"has {unknown[0]!r}, which is not in the alphabet")
        filler = places.get(" ", 0)
        numbers = [places[letter] for letter in letters][: self.spec.shape[0]]
        return np.array(numbers + [filler] * (self.spec.shape[0] - len(numbers)))

    def draw(
        self, samples: Array, columns: int = 0, row_names: Sequence[str] = (), title: str = ""
    ) -> Image.Image | None:
        """Draw texts as lines."""
        return draw_lines([str(text) for text in samples[:MAX_LINES]])

    def describe(self) -> str:
        """Return the length of the texts in words."""
        return f"texts of up to {self.spec.shape[0]} {'letters' if self.has_letters else 'words'}"

    def card(self, files: Mapping[str, Array]) -> str:
        """Return the first texts of each file, as they are, and a link to it."""
        parts = []
        for name, texts in files.items():
            shown = "\n".join(f"    {printable(text)}" for text in texts[:CARD_LINES])
            parts.append(f"{shown}\n\n[{name}]({name})")
        return "\n\n".join(parts)
