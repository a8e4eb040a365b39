"""Play five people through a checkout, each in a fresh environment: python tests/people/play.py [CHECKOUT] [PERSON...].

Each NAME.sh beside this file is one person: steps that begin with `### what is wanted`, run in order by bash in one
empty folder. A step that fails is shown with its last line, and the next one runs. `$CHECKOUT` is the code to judge,
which may be an older one than this script. --keep FOLDER leaves what they made, to look at.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = re.compile(r"LANG|TMPDIR|PIP_.*|UV_.*|.*_CERT.*|.*_proxy|.*_PROXY")
"""The variables that a fresh environment keeps: how this machine reaches the package index, and no more."""


def main() -> None:
    """Play, print a table of steps, and exit with the number of failed ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=HERE.parents[1])
    parser.add_argument("person", nargs="*", help="student, artist, researcher, author, developer; by default all")
    parser.add_argument("--plugins", action="store_true", help="install plugins/* too, where the core brings none")
    parser.add_argument("--keep", type=Path, help="leave the folders of all people here")
    given = parser.parse_args()
    people = given.person or sorted(each.stem for each in HERE.glob("*.sh"))
    with tempfile.TemporaryDirectory(prefix="people-") as folder:
        place = (given.keep or Path(folder)).resolve()
        more = sorted(map(str, given.checkout.resolve().glob("plugins/*"))) if given.plugins else []
        sys.exit(sum(play(each, given.checkout.resolve(), place / each, more) for each in people))


def play(person: str, checkout: Path, folder: Path, more: list[str]) -> int:
    """Run the steps of a person in a new folder, the first with `more` to install; return how many failed."""
    work = folder / "work"
    work.mkdir(parents=True)
    environment = fresh_environment(folder, checkout) | {"MORE": " ".join(more)}
    failed = 0
    print(f"\n{person}", flush=True)
    for wanted, commands in read_steps(HERE / f"{person}.sh"):
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        (folder / "all.log").open("a").write(
            f"### {wanted}\n{commands}\n{done.stdout}{done.stderr}[{done.returncode}]\n\n"
        )
        failed += done.returncode != 0
        lines = (done.stdout + done.stderr).strip().splitlines() or [""]
        why = f"  <- {lines[-1][:160]}" if done.returncode else ""
        print(
            f"  {'ok    ' if not done.returncode else 'FAILED'} {time.monotonic() - begun:6.1f} s  {wanted}{why}",
            flush=True,
        )
    return failed


def fresh_environment(folder: Path, checkout: Path) -> dict[str, str]:
    """Return the variables of a new user, with an empty home and a new virtual environment first on the path."""
    home, venv = folder / "home", folder / "venv"
    home.mkdir()
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    if uv := shutil.which("uv"):
        (venv / "bin" / "uv").symlink_to(Path(uv).resolve())
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    cache = Path(os.environ.get("UV_CACHE_DIR", Path.home() / ".cache" / "uv"))
    return kept | {
        "HOME": str(home),
        "CHECKOUT": str(checkout),
        "HERE": str(HERE),
        "PATH": os.pathsep.join([str(venv / "bin"), os.defpath]),
        "VIRTUAL_ENV": str(venv),
        "UV_CACHE_DIR": str(cache),  # torch need not be downloaded five times
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    }


def read_steps(script: Path) -> list[tuple[str, str]]:
    """Return each step's wish and commands; what stands before the first step begins every step."""
    first, *steps = re.split(r"^### *", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parted = [step.partition("\n") for step in steps]
    return [(wanted.strip(), f"{first}\n{commands}") for wanted, _, commands in parted]


if __name__ == "__main__":
    main()
