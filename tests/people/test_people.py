"""The scripts of the five people can be read by bash, and begin with an install; play.py runs them by hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted(HERE.glob("*.sh"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_bash_reads_each_script(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_each_person_begins_with_an_install_of_the_checkout(script: Path) -> None:
    first = script.read_text(encoding="utf-8").split("### ")[1]
    assert first.startswith("install") and '"$CHECKOUT' in first


def test_the_player_says_who_there_is() -> None:
    shown = subprocess.run(
        [sys.executable, str(HERE / "play.py"), "--help"], capture_output=True, text=True, check=True
    )
    assert all(script.stem in shown.stdout for script in SCRIPTS)
