"""Measure how soon commands are done, as ratios to `import torch`, also with thirty plugins more.

    python benchmarks/startup.py                      # this checkout, about three minutes
    python benchmarks/startup.py . ../earlier         # two checkouts side by side

Each measurement is a process of its own; in each round all of them take turns, the bare `import torch` first. A result
is the median over the rounds of the ratio to the `import torch` of the same round: of the time that passes, of the time
that the processor works, which other programs disturb less, and of the memory at its largest. Byte code is written once
before. Examining the thirty plugins, which happens once, is measured apart. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 5
PLUGINS = 30
TORCH = ("-c", "import torch")
IN_PROCESS = {
    "import ganzoo": "ganzoo",
    "load a model, after torch": "ganzoo; ganzoo.load('dcgan-mnist')",
}
"""What is measured inside a process, which imports torch too: before it, or after it."""
TIMED = """
import time
def clock(): return time.perf_counter(), time.process_time()
def spent(code):
    begun = clock()
    exec(code)
    return [end - start for start, end in zip(begun, clock())]
"""
COMMANDS = {
    "sample -n 64": ("sample", "dcgan-mnist", "-n", "64", "--out", "samples.png", "--overwrite"),
    "list": ("list",),
    "plugins": ("plugins",),
    "info of a recipe": ("info", "ring8"),
    "info of a model": ("info", "dcgan-mnist"),
    "info of a data set": ("info", "mnist-10k"),
    "info of an architecture": ("info", "dcgan"),
    "info of a loss": ("info", "hinge"),
    "--help": ("--help",),
    "a misspelt model": ("sample", "dcgan-mnits"),
}
CROWDED = ("list", "plugins", "info of a recipe", "info of a model", "info of a data set")
"""Commands that are measured beside thirty plugins, too."""
PLUGIN = '''"""A small plugin."""

import ganzoo


@ganzoo.hookimpl
def register_architectures(register):
    register("{name}", generator="{package}.networks:Generator", discriminator="{package}.networks:Discriminator")


@ganzoo.hookimpl
def register_losses(register):
    register("{name}-loss", "{package}.losses:Loss")
'''
METADATA = (
    "Metadata-Version: 2.3\nName: ganzoo-{name}\nVersion: 1.0\nRequires-Dist: ganzoo>=0.1,<9\n\nA small plugin.\n"
)


class Spent(NamedTuple):
    """What a process took: seconds, seconds of the processor, and megabytes."""

    wall: float
    work: float
    memory: float = 0.0


def write_plugins(folder: Path) -> None:
    """Write small plugins as if they were installed in a folder."""
    for number in range(PLUGINS):
        name, package = f"small{number:02}", f"ganzoo_small{number:02}"
        files = {
            f"{package}/__init__.py": PLUGIN.format(name=name, package=package),
            f"{package}/networks.py": "import torch\n",
            f"{package}/recipes/{name}.toml": f'# A small recipe.\nloss = ["hinge"]\n[architecture]\nname = "{name}"\n',
            f"{package}-1.0.dist-info/METADATA": METADATA.format(name=name),
            f"{package}-1.0.dist-info/entry_points.txt": f"[ganzoo]\n{name} = {package}\n",
        }
        files[f"{package}-1.0.dist-info/RECORD"] = "".join(f"{file},,\n" for file in files)
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)


class Tree:
    """A checkout of ganzoo, whose code runs before any that is installed."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch = folder.resolve(), scratch
        self.paths = [self.folder, *sorted((self.folder / "plugins").glob("ganzoo-*"))]

    def run(self, *words: str, crowded: bool = False) -> tuple[Spent, str]:
        """Run Python with these words; return what it took and what it printed."""
        cache = self.scratch / ("crowded" if crowded else "alone")
        paths = [*([self.scratch / "plugins"] if crowded else []), *self.paths]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONPYCACHEPREFIX": str(self.scratch / "pycache"),
            "XDG_CACHE_HOME": str(cache),
        }
        return measure([sys.executable, *words], environment, self.scratch)

    def command(self, words: tuple[str, ...], crowded: bool = False) -> Spent:
        """Run a command of ganzoo; return what it took."""
        return self.run("-m", "ganzoo", *words, crowded=crowded)[0]

    def inside(self, code: str) -> float:
        """Return the ratio of the work of an import, inside a process, to that of torch."""
        first, then = ("import torch", f"import {code}") if "load" in code else (f"import {code}", "import torch")
        script = f"{TIMED}\nimport json; print(json.dumps([spent({first!r}), spent({then!r})]))"
        printed = self.run("-c", script)[1]
        one, other = (Spent(*each) for each in json.loads(printed.splitlines()[-1]))
        torch, own = (one, other) if "load" in code else (other, one)
        return own.work / torch.work


def measure(command: list[str], environment: dict[str, str], folder: Path) -> tuple[Spent, str]:
    """Run a command; return what it took and what it printed."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout and child.stderr
        printed, errors = child.stdout.read().decode(), child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 2):  # 2: what was asked for does not exist
        sys.exit(f"{' '.join(command)} failed: {errors}")
    return Spent(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), printed


def measure_tree(tree: Tree, torch: Spent) -> dict[str, tuple[float, ...]]:
    """Measure everything once; return the ratios to `import torch`."""
    found = {name: (tree.inside(code),) for name, code in IN_PROCESS.items()}
    runs = {name: tree.command(words) for name, words in COMMANDS.items()}
    runs |= {f"{name}, {PLUGINS} plugins": tree.command(COMMANDS[name], crowded=True) for name in CROWDED}
    ratios = {name: tuple(own / base for own, base in zip(spent, torch, strict=True)) for name, spent in runs.items()}
    return found | ratios


def medians(rounds: list[dict[str, tuple[float, ...]]]) -> dict[str, list[float]]:
    """Return the medians over the rounds."""
    return {
        name: [round(statistics.median(values), 3) for values in zip(*(each[name] for each in rounds), strict=True)]
        for name in rounds[0]
    }


def print_table(trees: list[Tree], results: list[dict[str, list[float]]]) -> None:
    """Print the ratios of each checkout, side by side."""
    print(f"{'ratio to import torch':34}" + "".join(f"  {tree.folder.name[:20]:>22}" for tree in trees))
    print(f"{'':34}" + f"  {'time':>6} {'work':>7} {'memory':>7}" * len(trees))
    for name in results[0]:
        cells = ""
        for found in results:
            values = [f"{value:.3f}" for value in found[name]]
            values = ["", *values, ""] if len(values) == 1 else values
            cells += f"  {values[0]:>6} {values[1]:>7} {values[2]:>7}"
        print(f"{name:34}{cells}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("checkouts", nargs="*", type=Path, default=[here], metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        trees = []
        for number, folder in enumerate(options.checkouts):
            own = Path(scratch) / str(number)
            write_plugins(own / "plugins")
            trees.append(Tree(folder, own))
        for tree in trees:
            tree.run(*TORCH)
            examined = tree.command(COMMANDS["plugins"], crowded=True)
            print(f"{tree.folder}: examining {PLUGINS} plugins once took {examined.wall:.1f} s", flush=True)
            measure_tree(tree, examined)  # byte code is written, and files are in memory
        rounds: list[list[dict[str, tuple[float, ...]]]] = [[] for _ in trees]
        torches = []
        for _ in range(options.rounds):
            for tree, own_rounds in zip(trees, rounds, strict=True):
                torches.append(tree.run(*TORCH)[0])
                own_rounds.append(measure_tree(tree, torches[-1]))
    results = [medians(own) for own in rounds]
    base = [round(statistics.median(values), 2) for values in zip(*torches, strict=True)]
    print(f"import torch: {base[0]} s, {base[1]} s of work, {base[2]:,.0f} MB; load {os.getloadavg()[0]:.1f}\n")
    print_table(trees, results)
    print(json.dumps({"torch": base, **{str(t.folder): found for t, found in zip(trees, results, strict=True)}}))


if __name__ == "__main__":
    main()
