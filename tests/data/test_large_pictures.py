"""Large pictures: what decoding them costs in memory, measured in a process of its own."""

import subprocess
import sys

import pytest
from PIL import Image

MEASURE = """
import resource, sys
from ganzoo.data.sources import open_data
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
open_data(sys.argv[1], size=64)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024) / 64e6)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such measure")
@pytest.mark.parametrize(("mode", "most"), [("I;16", 8), ("RGBA", 20), ("RGB", 12), ("L", 4)])
def test_a_picture_of_64_million_pixels_takes_few_bytes_for_each(tmp_path, mode, most):
    for name in "ab":
        Image.new(mode, (8000, 8000)).save(tmp_path / f"{name}.png")
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < most
