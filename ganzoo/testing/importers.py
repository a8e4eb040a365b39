"""What every importer promises, each as a function of what a plugin registers."""

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import numpy as np
import torch

from ganzoo.errors import BadInput, Failed
from ganzoo.plugins.registration import Registration
from ganzoo.testing.check import Skipped, require
from ganzoo.testing.variants import Options
from ganzoo.zoo.importing import find_function, import_model, read
from ganzoo.zoo.model import load

TRIPPED: list[str] = []
"""Grows where an importer runs what a file names."""
SAMPLES = 2
NOTHING: Mapping[str, bytes] = MappingProxyType({})


def trip(word: str) -> str:
    """Note that this has been called, which no importer may do because of what stands in a file."""
    TRIPPED.append(word)
    return word


class Trap:
    """An object whose pickle calls `trip`."""

    def __reduce__(self) -> tuple[Callable[[str], str], tuple[str]]:
        return trip, ("run",)


def is_a_function(thing: Registration, options: Options) -> None:
    """It can be imported, and is a function of the path of a file."""
    find_function(thing)


def refuses_other_files_in_a_sentence(thing: Registration, options: Options) -> None:
    """An empty file, a text, noise, an archive and a cut pickle are refused with a `ValueError`."""
    for name, content in other_files():
        fault = find_fault(thing, name, content)
        require(not fault, fault)


def runs_nothing_of_a_file(thing: Registration, options: Options) -> None:
    """A pickle that names a function, alone or in the files of torch and numpy, is refused without calling it."""
    faults = []
    for name, content in traps():
        TRIPPED.clear()
        faults.append(find_fault(thing, name, content))
        advice = "read pickles with an unpickler of your own, which knows tensors and plain values alone"
        require(not TRIPPED, f"it runs a function that {name} names: {advice}")
    require(not any(faults), next(filter(None, faults), ""))


def imports_the_file_of_its_author(thing: Registration, options: Options) -> None:
    """The file that the author gives becomes a model that can be loaded and sampled."""
    if "file" not in options:
        advice = f"give checks(..., options={{'{thing.name}': {{'file': path}}}})"
        raise Skipped(f"no file of this format is here: {advice}")
    with TemporaryDirectory() as folder:
        path = import_model(thing.full_name, options["file"], Path(folder) / "model")
        require(load(path, "cpu").sample(SAMPLES) is not None, "it draws nothing")


def find_fault(thing: Registration, name: str, content: bytes) -> str:
    """Return what is wrong about how the importer treats a file; empty where it refuses it in a sentence."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            read(thing, path)
        except BadInput as refusal:
            return f"what it says of {name} is more than a sentence" if "\n" in str(refusal) else ""
        except Failed as error:
            return f"{name} must be refused with a ValueError of one sentence: {error}"
    return f"it takes {name}, which is not a file of its format"


def other_files() -> Iterator[tuple[str, bytes]]:
    """Yield files that are of no importer's format, by name."""
    yield "empty.bin", b""
    yield "text.txt", b"A letter.\n" * 100
    yield "noise.bin", np.random.default_rng(0).bytes(4096)
    yield "archive.zip", archive({"letter.txt": b"A letter."})
    yield "number.pkl", pickle.dumps(7)
    yield "cut.pkl", pickle.dumps({"weights": list(range(1000))})[:-100]
    yield "deep.pkl", b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b"."


def traps() -> Iterator[tuple[str, bytes]]:
    """Yield files that would call a function if they were unpickled, by name."""
    table = {"g_ema": {"weight": Trap()}, "G_ema": Trap()}
    yield "trap.pkl", pickle.dumps(table)
    for name, new in (("trap.pt", True), ("old-trap.pt", False)):
        buffer = io.BytesIO()
        torch.save(table, buffer, _use_new_zipfile_serialization=new)
        yield name, buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    yield "trap.npy", buffer.getvalue()


def archive(files: Mapping[str, bytes] = NOTHING) -> bytes:
    """Return a zip archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


CHECKS: tuple[Callable[[Registration, Options], None], ...] = (
    is_a_function,
    refuses_other_files_in_a_sentence,
    runs_nothing_of_a_file,
    imports_the_file_of_its_author,
)
