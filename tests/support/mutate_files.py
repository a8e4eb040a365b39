"""Reads mutated files with every reader, each in a child process with limits, and tells what no user should see.

    python tests/support/mutate_files.py 10000 [SEED] [FIRST]

A case is a fault if it ends in a traceback or by a signal, takes more than 5 seconds or 2 GB of memory, or if code of
the file was run. The mutated files of a fault are kept, and the number of the case makes it again. The exit code is 1
if there are any faults.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import ganzoo
from ganzoo._io import sha256
from ganzoo.cli.main import main
from ganzoo.cli.params import parse_options
from ganzoo.data.sources import open_data
from ganzoo.recipe.build import resolve
from ganzoo.recipe.recipe import Recipe
from ganzoo.training.runs.checkpoint import read_newest
from ganzoo.training.runs.log import cut_lines, last_step, read_thinned
from ganzoo.training.runs.run import Run
from ganzoo.zoo.publishing.card import make_card
from ganzoo.zoo.publishing.entry import score_tables
from ganzoo.zoo.scores import read_scores
from mutations import mutate

SECONDS, GIGABYTES = 5, 2
WALL_SECONDS = 60
"""The machine may be busy: time of the processor counts, but a child that waits for ever must end too."""
FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect")
EXIT_CODES = (0, 2, 3, 4)
RECIPE = {"architecture": {"name": "vanilla", "widths": [16]}, "loss": ["minimax"], "train": {"steps": 4, "batch": 8}}
OPTIONS = ["train.steps=3", "optimizer.betas=[0.0, 0.9]", "loss.minimax.weight=1e-4", 'data.name="mnist"']
PICTURES = ("png", "jpg", "gif", "tiff", "webp", "bmp", "avif", "ppm")
BATCH = 20
"""Cases that one child reads; where it ends with a fault, each is read again by a child of its own."""

Read = Callable[[Path], None]


@dataclass
class Target:
    """A file that is mutated in a copy of a folder, and what reads it."""

    file: str
    read: Read
    pinned: bool = False
    """Whether `config.json` is to pin the mutated file, which hides from nobody that it is another."""


def run_command(*words: object) -> None:
    """Run a command; a sentence is as good as success."""
    try:
        main([str(word) for word in words])
    except SystemExit as ended:
        if ended.code not in EXIT_CODES:
            raise


def sample(folder: Path) -> None:
    """Load and sample a model."""
    run_command("sample", folder, "-n", "2", "--out", folder / "made.npz", "--device", "cpu")


def describe(folder: Path) -> None:
    """Describe a model."""
    run_command("info", folder)


def read_recipe(folder: Path) -> None:
    """Read a recipe, find what it names and write it."""
    resolve(Recipe.load(folder / "recipe.toml")).recipe.save(folder / "again.toml")


def read_options(folder: Path) -> None:
    """Change a recipe by options."""
    texts = (folder / "options.txt").read_bytes().decode(errors="surrogateescape").split("\n")
    resolve(Recipe.load(folder / "recipe.toml", **parse_options(texts))).recipe.save(folder / "again.toml")


def list_models(folder: Path) -> None:
    """List and describe what a registry names."""
    os.environ["GANZOO_REGISTRY"] = str(folder / "registry.toml")
    run_command("list", "models")
    run_command("info", "mine")
    run_command("sample", "mine", "-n", "1", "--out", folder / "made.png", "--device", "cpu")


def publish_scores(folder: Path) -> None:
    """Read scores as `publish` does."""
    scores = read_scores(folder / "scores.json")
    json.dumps(score_tables(scores))
    make_card("hub:a/b", "mit", json.loads((folder / "config.json").read_text()), scores)


def resume(folder: Path) -> None:
    """Find the newest sound checkpoint: one of two is damaged, so there is one."""
    state, _ = read_newest(folder / "checkpoints")
    assert state.numbers["index"] in (2, 4)


def read_logs(folder: Path) -> None:
    """Read the log and the history as a run does."""
    run = Run(folder)
    json.dumps([run.metrics, run.history])
    for name in ("metrics.jsonl", "history.jsonl"):
        last_step(folder / name), read_thinned(folder / name, 2), cut_lines(folder / name, 2)


def read_pictures(folder: Path) -> None:
    """Open a folder of pictures and take a batch."""
    data = open_data(folder / "pictures", size=16)
    batches = data.batches(4, 0)
    assert next(batches)["image"].shape[2:] == (16, 16)


TARGETS = {
    "config.json, described": Target("config.json", describe),
    "config.json, sampled": Target("config.json", sample),
    "config.json with many options": Target("other/config.json", lambda folder: sample(folder / "other")),
    "model.safetensors": Target("model.safetensors", sample),
    "model.safetensors, pinned": Target("model.safetensors", sample, pinned=True),
    "recipe.toml": Target("recipe.toml", read_recipe),
    "-o": Target("options.txt", read_options),
    "registry.toml": Target("registry.toml", list_models),
    "scores.json": Target("scores.json", publish_scores),
    "state.json": Target("checkpoints/step-000004/state.json", resume),
    "state.safetensors": Target("checkpoints/step-000004/state.safetensors", resume),
    "metrics.jsonl": Target("metrics.jsonl", read_logs),
    "history.jsonl": Target("history.jsonl", read_logs),
    **{f"a {ending}": Target(f"pictures/a/1.{ending}", read_pictures) for ending in PICTURES},
}


def make_sources(folder: Path) -> Path:
    """Make one sound folder that has every file."""
    run = ganzoo.train(RECIPE, out=folder, device="cpu", quiet=True, train={"save_every": 2, "log_every": 1})
    for path in run.model_folder.iterdir():
        shutil.copy(path, folder)
    pins = [pin(name, (folder / name).read_bytes()) for name in PINNED]
    (folder / "registry.toml").write_text("\n".join([ENTRY, "[mine.files]", *pins]))
    shutil.copytree(Path(ganzoo.__file__).parent / "pretrained" / "infogan-mnist", folder / "other")
    (folder / "options.txt").write_text("\n".join(OPTIONS))
    (folder / "scores.json").write_text(json.dumps(SCORES, indent=2))
    make_pictures(folder / "pictures")
    return folder


def pin(name: str, content: bytes) -> str:
    """Return a line of a registry that pins a file."""
    return f'"{name}" = {{ sha256 = "{sha256(content)}", size = {len(content)} }}'


PINNED = ("config.json", "model.safetensors")
ENTRY = """[mine]
source = "."
architecture = "vanilla"
distribution = "ganzoo-vanilla"
data = "mnist-10k"
license = "mit"
summary = "a model"
scores = { fd = { generated = 3.5, real = 1.0, ratio = 3.5 }, protocol = { samples = 100, data = "mnist" } }
"""
SCORES = {"fd": {"generated": 3.5, "real": 1.0, "ratio": 3.5}, "protocol": {"samples": 100, "suite": {"seed": 0}}}


def make_pictures(folder: Path) -> None:
    """Make a few pictures of each kind in two classes."""
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for number, ending in enumerate(PICTURES):
            picture = Image.effect_noise((24, 20), 50 + number)
            picture.convert("RGB" if ending != "gif" else "P").save(folder / name / f"1.{ending}")


def name_of(number: int) -> str:
    """Return the name of what a case reads."""
    return list(TARGETS)[number % len(TARGETS)]


def prepare(source: Path, folder: Path, number: int, seed: int) -> tuple[Path, Read]:
    """Copy the sound folder, one file mutated; return the copy and what reads it."""
    target, rng = TARGETS[name_of(number)], random.Random(f"{seed}/{number}")
    shutil.copytree(source, folder)
    content = mutate((folder / target.file).read_bytes(), rng, folder / "canary")
    (folder / target.file).write_bytes(content)
    if target.pinned:
        config = json.loads((folder / "config.json").read_text())
        config["weights"] |= {"sha256": sha256(content), "size": len(content)}
        (folder / "config.json").write_text(json.dumps(config))
    return folder, target.read


def read_in_child(work: Sequence[tuple[Path, Read]]) -> str:
    """Read one or more folders in a child process; return what is wrong with how that ends, empty if nothing is."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os._exit(read_within_limits(work))
        os._exit(99)
    _, status, usage = os.wait4(child, 0)
    code, seconds = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    said = "".join(path.read_text(errors="replace") for folder, _ in work for path in folder.glob("said.txt"))
    faults = {
        "code was run": any((folder / "canary").exists() for folder, _ in work) or "FORBIDDEN" in said,
        f"over {SECONDS} s": seconds > SECONDS or code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM),
        f"over {GIGABYTES} GB": usage.ru_maxrss * 1024 > GIGABYTES * 2**30,
        "traceback": "Traceback" in said or "this is a bug" in said,
        f"ended with {code}": code != 0,
    }
    return ", ".join(name for name, wrong in faults.items() if wrong)


def read_within_limits(work: Sequence[tuple[Path, Read]]) -> int:
    """Set limits and read each folder; return 1 if any raises what no user should see, else 0."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (GIGABYTES + 1) * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 2))
    signal.alarm(WALL_SECONDS)
    sys.addaudithook(lambda event, _: print("FORBIDDEN", event, flush=True) if event in FORBIDDEN else None)
    return max(read_one(folder, read) for folder, read in work)


def read_one(folder: Path, read: Read) -> int:
    """Read a folder; what is printed goes into a file in it."""
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT)
    for descriptor in (1, 2):
        os.dup2(said, descriptor)
    sys.stdout = sys.stderr = os.fdopen(said, "w", buffering=1, errors="backslashreplace")
    os.chdir(folder)
    try:
        read(folder)
    except ganzoo.Error as error:
        print(f"error: {error}")
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def cases(count: int, seed: int, first: int, kept: Path) -> Iterator[tuple[int, str, str]]:
    """Yield each case's number, the name of what is read, and its fault."""
    with tempfile.TemporaryDirectory() as made:
        source = make_sources(Path(made, "source"))
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            fault = read_in_child([prepare(source, Path(made, str(number)), number, seed) for number in numbers])
            for number in numbers:
                shutil.rmtree(Path(made, str(number)))
                yield number, name_of(number), read_alone(source, number, seed, kept) if fault else ""


def read_alone(source: Path, number: int, seed: int, kept: Path) -> str:
    """Return the fault of one case, and keep its files if there is one."""
    folder, read = prepare(source, kept / f"{seed}-{number}", number, seed)
    fault = read_in_child([(folder, read)])
    if not fault:
        shutil.rmtree(folder)
    return fault


def report(count: int, seed: int = 0, first: int = 0) -> int:
    """Print every fault and a table; return how many faults there are."""
    kept, read, faults = Path(tempfile.mkdtemp(prefix="mutated-")), Counter[str](), Counter[str]()
    for number, name, fault in cases(count, seed, first, kept):
        read[name] += 1
        if fault:
            faults[name] += 1
            print(f"case {number} of seed {seed}: {name}: {fault}: {kept}/{seed}-{number}", flush=True)
    for name, many in read.items():
        print(f"{many:6} {name}: {faults[name]} faults")
    print(f"{count} mutated files, {sum(faults.values())} faults")
    return sum(faults.values())


if __name__ == "__main__":
    sys.exit(bool(report(*map(int, sys.argv[1:]))))
