"""A training imports no tracker that its recipe does not ask for: it works where none is installed."""

import subprocess
import sys
from pathlib import Path

WITHOUT_TENSORBOARD = """
import sys
sys.modules["tensorboard"] = None  # import raises ImportError, as where it is not installed
import ganzoo
ganzoo.train("vanilla", train={"steps": 2, "batch": 4}, out="run", quiet=True)
try:
    ganzoo.train("vanilla", train={"steps": 2, "batch": 4, "tensorboard": True}, out="other", quiet=True)
except ganzoo.BadInput as error:
    print(error)
"""


def test_a_training_works_without_tensorboard_and_says_what_asking_for_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORBOARD], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (tmp_path / "run/model/model.safetensors").is_file()
    assert "needs TensorBoard" in done.stdout
    assert not (tmp_path / "other").exists()
