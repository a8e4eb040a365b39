"""The comparison of `crash.py`, in short."""

import json
import subprocess
import sys
from pathlib import Path


def test_killed_trainings_come_to_the_same_weights_as_an_unbroken_one():
    script = Path(__file__).parents[1] / "support" / "crash.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "3", "--recipe", "vanilla", "--steps", "40"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["kills"], told["differences"], told["stuck"]) == (3, 0, 0)
