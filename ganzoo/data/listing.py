"""List the images of a folder, and tell which of its sub-folders are classes."""

import errno
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ganzoo._io import sha256
from ganzoo._names import composed
from ganzoo.data.archive import is_archive, list_names
from ganzoo.data.attributes import number_words
from ganzoo.data.base import count_of, quote_some
from ganzoo.data.label_files import find_label_file, read_labels
from ganzoo.dataset import LABEL, NOTHING
from ganzoo.errors import BadInput
from ganzoo.pictures.formats import ENDINGS, FORMATS, holds_picture

SERVICE_FOLDERS = {
    "@eadir", "@__thumb", "@recently-snapshot", "#recycle", "#snapshot", "__macosx", "__pycache__", "$recycle.bin",
    "system volume information", "lost+found", "thumbnails", "thumbs",
}  # fmt: skip
"""Folders that storage devices, systems and programs make, in lower case; hidden ones are never read."""
TRAINING_PART = re.compile(r"(?i:train(ing|set)?)(?=$|[-_ \dA-Z])")
OTHER_PART = re.compile(
    r"(?i:val(id(ation)?)?|test(ing|set)?|dev|eval|holdout)(?=$|[-_ \dA-Z])|(?i:unlabell?ed|extra|annotations)$"
)
"""How the names of folders begin that hold parts of a data set and not classes: train2017, testA, val_images."""
MAX_DEPTH = 100
"""Levels of sub-folders that are read."""
MAX_VISITS = 16
"""How often links may lead to one folder: more would let a few links stand for endlessly many files."""
PHONE_ADVICE = "; save the photographs of a phone (.heic) as JPEG first"
"""What to do with a format that Pillow does not read."""


@dataclass(frozen=True)
class Listing:
    """The images of a folder.

    `names` are their paths relative to `top`, with "/", sorted; `top` is the folder `inner` of what the user gave.
    `labels` are (n,) by key: int64 where `classes` has the names of the key's classes, else float32. `unlabelled` says
    why there are none. `said` stands for what a file says of the images, "" without one.
    """

    top: Path
    inner: str
    names: list[str]
    labels: Mapping[str, Tensor]
    classes: Mapping[str, Sequence[str]]
    unlabelled: str
    notes: list[str]
    said: str = ""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 hash of the names, in whatever form of Unicode they are, and of what a file says of them."""
        normal = sorted(os.fsencode(composed(name)) for name in self.names)
        return sha256(b"\0".join([*normal, *([self.said.encode()] if self.said else [])]))


@dataclass
class Walk:
    """Finds the image files below a folder or in an archive, without hidden ones, and counts what it passes over.

    `empty` are folders without any image.
    """

    names: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    services: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    _visits: Counter[tuple[int, int]] = field(default_factory=Counter)

    def enter(
        self, folder: str, before: str = "", above: tuple[tuple[int, int], ...] = (), linked: bool = False
    ) -> None:
        """Read a folder; follow links, but not back into a folder above. Raises `OSError` if it cannot be read."""
        about = Path(folder).stat()
        here = about.st_dev, about.st_ino
        self._visits[here] += linked
        if here in above or len(above) > MAX_DEPTH or (linked and self._visits[here] > MAX_VISITS):
            self.unreachable.append(before)
            return
        known = len(self.names)
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.name.startswith("."):
                    self._read(entry, before + entry.name, (*above, here))
        if before and len(self.names) == known:
            self.empty.append(before.rstrip("/"))

    def sort(self, names: Iterable[str]) -> None:
        """Take the files of an archive, by their paths in it and their endings alone."""
        for name in sorted(names):
            folders = name.split("/")[:-1]
            if any(part.startswith(".") for part in name.split("/")):
                continue
            if services := [part for part in folders if part.lower() in SERVICE_FOLDERS]:
                self.services += [services[0]] if services[0] not in self.services else []
            elif name.lower().endswith(ENDINGS):
                self.names.append(name)
            else:
                self.others[Path(name).suffix.lower() or "without ending"] += 1

    def _read(self, entry: "os.DirEntry[str]", name: str, above: tuple[tuple[int, int], ...]) -> None:
        # Files are not looked at, which takes long in a network; links may lead nowhere, paths may be too long.
        if (entry.is_symlink() or entry.is_dir()) and not is_there(entry):
            self.unreachable.append(name)
        elif entry.is_dir() and entry.name.lower() in SERVICE_FOLDERS:
            self.services.append(name)
        elif entry.is_dir():
            self.enter(entry.path, f"{name}/", above, entry.is_symlink())
        elif not entry.is_file():
            self.special.append(name)
        elif name.lower().endswith(ENDINGS) or holds_picture(entry.path):
            self.names.append(name)
        else:
            self.others[Path(entry.name).suffix.lower() or "without ending"] += 1

    @property
    def notes(self) -> list[str]:
        """Messages on what was passed over."""
        notes = []
        if self.others:
            count = self.others.total()
            left = f"left out {count_of(count, 'file')} in no format that is read: {describe_counts(self.others)}"
            notes.append(left + PHONE_ADVICE * bool({".heic", ".heif"} & set(self.others)))
        if self.services:
            notes.append(f"passed over {count_of(len(self.services), 'service folder')}: {quote_some(self.services)}")
        if self.special:
            notes.append(f"passed over {len(self.special):,} (no files, such as pipes): {quote_some(self.special)}")
        if self.unreachable:
            what = f"links in a circle or to nothing, or below {MAX_DEPTH} levels of folders"
            notes.append(f"passed over {len(self.unreachable):,} ({what}): {quote_some(shorten(self.unreachable))}")
        return notes


def is_there(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a folder can be reached. Raises `OSError` if the system does not let us look."""
    try:
        entry.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENAMETOOLONG):
            raise
        return False
    return True


def list_folder(top: Path, labels: str | None = None, label: str | Sequence[str] | None = None) -> Listing:
    """List all images below a folder, or in a ZIP file, with their labels.

    The folder's only sub-folder takes its place, and so does the training part of a data set in parts. The classes are
    then those of a file, `labels`, of which `label` chooses columns; without one they are the sub-folders, if there are
    at least two and every image lies in one of them. Raises `BadInput` if `top` is not a folder, cannot be read or has
    no image, and for a file that does not fit.
    """
    walk = walk_folder(top)
    inner, notes = find_images_proper(sorted(walk.names))
    names = [name.removeprefix(inner) for name in sorted(walk.names) if name.startswith(inner)]
    if empty := [name for name in walk.empty if inner.startswith(name[: name.rfind("/") + 1])]:
        notes.append(f"no image in {count_of(len(empty), 'sub-folder')}: {quote_some(empty)}")
    if file := find_label_file(top, labels):
        found = read_labels(file, walk.names, inner, label)
        kept, told = [names[place] for place in found.kept], found.describe(file.name, names)
        return Listing(
            top / inner, inner, kept, found.values, found.classes, "", [*walk.notes, *notes, *told], found.said
        )
    if label is not None:
        raise BadInput("data.label chooses columns of a file of labels; give that as data.labels, such as labels.csv")
    classes, numbers, unlabelled = infer_classes(names)
    notes += describe_classes(classes, inner, unlabelled if any("/" in name for name in names) else "")
    by_key = NOTHING if numbers is None else {LABEL: numbers}
    return Listing(
        top / inner, inner, names, by_key, {LABEL: classes} if classes else {}, unlabelled, walk.notes + notes
    )


def describe_classes(classes: Sequence[str], inner: str, unlabelled: str) -> list[str]:
    """Return a message on the classes of sub-folders, or on why there are none."""
    if classes:
        where = f" of '{inner.rstrip('/')}'" if inner else ""
        return [
            f"{len(classes)} classes by sub-folder{where}: " + ", ".join(classes[:5]) + ", ..." * (len(classes) > 5)
        ]
    return [f"no labels, because {unlabelled}"] if unlabelled else []


def walk_folder(top: Path) -> Walk:
    """Find the images below a folder, or in a ZIP file. Raises `BadInput` as `list_folder` does."""
    walk = Walk()
    if is_archive(top):
        walk.sort(list_names(top))
    elif not top.is_dir():
        raise BadInput(f"'{top}' is a file; data is a folder or ZIP file of images, or the name of a data set")
    else:
        try:
            walk.enter(os.fspath(top))
        except OSError as error:
            raise BadInput(f"cannot read the folder '{top}': {error}") from error
    if not walk.names:
        raise BadInput("; ".join([f"there is no image below '{top}'", *walk.notes, f"read are {', '.join(FORMATS)}"]))
    return walk


def find_images_proper(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the path, "" or with "/" at its end, of the folder that holds the images proper, and notes on it."""
    inner, notes = "", list[str]()
    while folders := (firsts := first_folders(names, inner)) - {""}:
        training = {folder for folder in folders if TRAINING_PART.match(folder)}
        others = {folder for folder in folders if OTHER_PART.match(folder)}
        if len(training) == 1 and others and training | others == folders:
            unused = quote_some(sorted(others)) + ", nor the images beside them" * ("" in firsts)
            notes.append(f"of a data set in parts, '{inner}{min(training)}' is used and not {unused}")
            folders = training
        elif len(firsts) > 1:
            break
        inner += f"{min(folders)}/"
    return inner, notes


def first_folders(names: Sequence[str], inner: str) -> set[str]:
    """Return the sub-folders of a folder that hold images, and "" if images lie in the folder itself."""
    return {first_folder(name.removeprefix(inner)) for name in names if name.startswith(inner)}


def first_folder(name: str) -> str:
    """Return the first folder of a relative path, "" if it has none."""
    return name.partition("/")[0] if "/" in name else ""


def infer_classes(names: Sequence[str]) -> tuple[list[str], Tensor | None, str]:
    """Return class names in natural order, labels (int64, None without classes), and why there are no classes."""
    folders = [composed(first_folder(name)) for name in names]
    numbers, classes = number_words(folders)
    if len(classes) < 2:
        return [], None, "all images lie in one folder"
    if not classes[0]:
        strays = [name for name, folder in zip(names, folders, strict=True) if not folder]
        return [], None, f"{len(strays)} of {len(names)} images lie beside the sub-folders: {quote_some(strays)}"
    if all(TRAINING_PART.match(name) or OTHER_PART.match(name) for name in classes):
        parts = f"parts of a data set and no classes: {quote_some(classes)}"
        return [], None, f"the sub-folders are {parts}, and all of them are used; data may be the path of one"
    return classes, torch.from_numpy(numbers), ""


def describe_counts(counts: Counter[str], most: int = 5) -> str:
    """List what was counted, the most frequent first: "3 .txt, 1 .heic"."""
    shown = [f"{count:,} {what}" for what, count in counts.most_common(most)]
    return ", ".join(shown) + ", ..." * (len(counts) > most)


def shorten(names: Sequence[str], most: int = 60) -> list[str]:
    """Cut long paths in their middle."""
    return [name if len(name) <= most else f"{name[: most // 2]}...{name[-most // 2 :]}" for name in names]
