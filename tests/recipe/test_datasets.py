"""Data sets that cannot be made from the options of a recipe."""

import pytest

from ganzoo.errors import BadInput, Failed
from ganzoo.recipe.datasets import resolve_data

PLUGIN = """
import ganzoo

@ganzoo.hookimpl
def register_data(register):
    register("readings", "readings:Readings")
"""
CODE = """
from pathlib import Path
import ganzoo

class Readings(ganzoo.Dataset):
    def __init__(self, path: Path, column: str = ""):
        rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        if not rows:
            raise ValueError(f"{path.name} has no rows")
        {name: number for number, name in enumerate(rows[0])}[column or rows[0][0]]
"""
FILES = {
    "not there": (None, {}, BadInput, "readings-data 1.0): cannot open '{}' (No such file or directory)"),
    "not text": (b"\xff\xfe", {}, BadInput, "invalid start byte; data.path is '{}'"),
    "code that fails": (b"a,b", {"column": "c"}, Failed, "failed: KeyError: 'c'; data.path is '{}'"),
    "words of the author": (b"", {}, BadInput, "readings-data 1.0): readings.csv has no rows"),
}


@pytest.mark.parametrize(("content", "options", "error", "words"), FILES.values(), ids=FILES)
def test_the_file_is_named_that_a_data_set_cannot_be_made_from(site, tmp_path, content, options, error, words):
    site.install("readings-data", PLUGIN)
    (site.folder / "readings.py").write_text(CODE)
    path = tmp_path / "readings.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as found:
        resolve_data("readings", {"path": str(path), **options}).make()
    assert str(found.value).endswith(words.format(path))
