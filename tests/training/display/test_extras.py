"""A training imports no tracker that its recipe does not ask for: it works where none is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
name = sys.argv[1]
sys.modules[name] = None  # import raises ImportError, as where it is not installed
import ganzoo
ganzoo.train("vanilla", train={"steps": 2, "batch": 4}, out="run", quiet=True)
try:
    ganzoo.train("vanilla", train={"steps": 2, "batch": 4, name: True}, out="other", quiet=True)
except ganzoo.BadInput as error:
    print(error)
"""


@pytest.mark.parametrize("module", ["tensorboard", pytest.param("trackio", marks=pytest.mark.slow)])
def test_a_training_works_without_a_tracker_and_says_what_asking_for_it_needs(tmp_path: Path, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, module], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (tmp_path / "run/model/model.safetensors").is_file()
    assert done.stdout == f"train.{module} needs the package {module}: pip install {module}\n"
    assert not (tmp_path / "other").exists()
