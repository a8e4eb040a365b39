"""Pull a model from the Hub: every file is of the commit that was asked for, and verified before it is read.

A file counts as downloaded once it has the hash that is pinned, or else the one by which the Hub names it; what lies in
the cache is compared with that, too, wherever the Hub has ever been asked or can be.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants

from ganzoo.errors import Unavailable
from ganzoo.plugins.entries import OPTIONAL_FILES, Entry
from ganzoo.zoo.config import MAX_CONFIG_BYTES
from ganzoo.zoo.hub import cache
from ganzoo.zoo.hub.cache import ABSENT, COMMIT
from ganzoo.zoo.hub.download import Described, HubFile, ask, download
from ganzoo.zoo.hub.errors import Missing, Refused, Unreachable, hub_errors
from ganzoo.zoo.local import LocalModel
from ganzoo.zoo.references import OnHub

logger = logging.getLogger(__name__)

MAX_OPTIONAL_BYTES = 20_000_000
"""The largest file beside config and weights that is downloaded."""


@dataclass(frozen=True)
class Limits:
    """What is known of a file before it is asked for: at most how many bytes, or exactly how many, and their hash.

    What is not needed is not taken where the Hub cannot say whether it is what it should be.
    """

    max_bytes: int
    size: int | None = None
    sha256: str | None = None
    needed: bool = True


def pull_entry(entry: Entry, offline: bool = False, everything: bool = False) -> LocalModel:
    """Pull a registered model: config and weights, or `everything`, as pinned. Raises `Unavailable`."""
    for name in entry.files if everything else entry.needed_files:
        pin = entry.files[name]
        path = fetch(HubFile(entry.repository, entry.commit, name), offline, exactly(pin["size"], pin["sha256"]))
    return LocalModel(path.parent)


def pull_repository(wanted: OnHub, offline: bool = False, everything: bool = False) -> LocalModel:
    """Pull a model that no registry pins: the config, then the files that it pins, then perhaps the others.

    A branch or tag is resolved to a commit once, and the log says to which. Raises `Unavailable`, and `BadInput` where
    the repository holds no model that this version reads.
    """
    repository, revision = wanted.repository, wanted.revision or "main"
    commit = revision if COMMIT.fullmatch(revision) else resolve_revision(repository, revision, offline)
    local = LocalModel(fetch(HubFile(repository, commit, "config.json"), offline, Limits(MAX_CONFIG_BYTES)).parent)
    judge = local.config.discriminator if everything else None
    for pin in (*local.config.pins, *([judge.weights] if judge else [])):
        fetch(HubFile(repository, commit, pin.file), offline, exactly(pin.size, pin.sha256))
    if everything:
        pull_optional(repository, commit, offline)
    if commit != revision and not is_offline(offline):
        cache.write_ref(repository, revision, commit)  # last, once all files are here: offline, a name is found by it
    return local


def pull_optional(repository: str, commit: str, offline: bool) -> None:
    """Pull the files beside config and weights; where the Hub gives no answer, say so, and ask for no more of them."""
    for name in OPTIONAL_FILES:
        try:
            with suppress(Missing):
                fetch(HubFile(repository, commit, name), offline, Limits(MAX_OPTIONAL_BYTES, needed=False))
        except Unreachable as error:
            logger.warning("hub:%s@%.12s may lack files, such as its card: %s", repository, commit, error)
            return


def pull_card(repository: str, commit: str) -> None:
    """Pull the model card into the cache, where there is one and it can be had."""
    with suppress(Unavailable):
        fetch(HubFile(repository, commit, "README.md"), False, Limits(MAX_OPTIONAL_BYTES, needed=False))


def exactly(size: int, sha256: str) -> Limits:
    """Return the limits of a file that is pinned."""
    return Limits(size, size, sha256)


def is_offline(offline: bool) -> bool:
    """Say whether nothing may be asked."""
    return offline or constants.is_offline_mode()


def resolve_revision(repository: str, revision: str, offline: bool) -> str:
    """Return the commit of a branch or tag: asked for, or that of the last time where the Hub cannot be reached."""
    known = cache.read_ref(repository, revision)
    if is_offline(offline):
        if known is None:
            raise not_cached(HubFile(repository, revision, "config.json"))
        return known
    try:
        commit, reached = ask(HubFile(repository, revision, "config.json")).commit, "is"
    except Unreachable as error:
        if known is None:
            raise
        logger.warning("%s", error)
        refused = isinstance(error, Refused)
        commit, reached = known, "was, when last asked for," if refused else "cannot be reached now, and was"
    logger.info("hub:%s@%s %s at %.12s; pin it as hub:%s@%s", repository, revision, reached, commit, repository, commit)
    return commit


def fetch(file: HubFile, offline: bool, limits: Limits) -> Path:
    """Return the path of a verified file of a commit: of the cache, or downloaded where it is missing or damaged there.

    Raises `Missing` where there is no such file, `Unavailable` where it is not what it should be.
    """
    with hub_errors(file.repository, str(file)):
        path = cache.cached_path(file.repository, file.revision, file.name)
        known, here = cache.recall(file.repository, file.revision, file.name), path.is_file()
        if known == ABSENT and not here:
            raise Missing(f"there is no {file}")
        digest = limits.sha256 or known
        fault = cache.describe_mismatch(path, digest) if here else ""
        if here and digest and not fault:
            return path
        if is_offline(offline):
            return take_unchecked(file, path, fault, "offline")
        return fetch_online(file, path, fault, limits)


def fetch_online(file: HubFile, path: Path, fault: str, limits: Limits) -> Path:
    """Return a file whose hash the Hub must be asked for; where it gives no answer, what is here and not wrong."""
    try:
        described = ask(file)
    except Unreachable as error:
        if not (limits.needed and path.is_file()):
            raise
        return take_unchecked(file, path, fault, str(error))
    check_limits(file, described, limits)
    if is_sound(path, described, limits):
        return path
    return fetch_verified(file, described, limits)


def take_unchecked(file: HubFile, path: Path, fault: str, reason: str) -> Path:
    """Return a file of the cache that only the cache itself vouches for, and say so. Raises `Unavailable` otherwise."""
    if not path.is_file():
        raise not_cached(file)
    if fault := fault or cache.describe_mismatch(path, cache.blob_hash(path)):
        raise not_as_pinned(file, fault, path)
    logger.warning("%s is taken from the cache as it is: the Hub was never asked for its hash (%s)", file, reason)
    return path


def not_cached(file: HubFile) -> Missing:
    """Return the error for a file that is not here and may not be asked for."""
    return Missing(f"{file} is not in the cache, and offline nothing is asked for; 'ganzoo pull' it first")


def not_as_pinned(file: HubFile, fault: str, path: Path | None = None) -> Unavailable:
    """Return the error for a file that differs from its pin, or from what the Hub says it is."""
    return Unavailable(f"{file} is not what it should be: {fault}" + (f" ({path})" if path else ""))


def check_limits(file: HubFile, described: Described, limits: Limits) -> None:
    """Raise `Unavailable` where the Hub has another file than is wanted, before it is downloaded."""
    size = described.size
    if size is not None and size > limits.max_bytes:
        raise Unavailable(f"{file} has {size:,} bytes, more than {limits.max_bytes:,}")
    if limits.size is not None and size not in (None, limits.size):
        raise Unavailable(f"{file} has {size:,} bytes, not the {limits.size:,} that it is said to have")
    if limits.sha256 and len(described.hash) == 64 and described.hash != limits.sha256:
        raise not_as_pinned(file, f"expected sha256 {limits.sha256}, found {described.hash}")


def fetch_verified(file: HubFile, described: Described, limits: Limits) -> Path:
    """Download a file into the cache, once more if it arrives damaged, unless another commit has the same content.

    Other processes that want it wait.
    """
    path = cache.cached_path(file.repository, file.revision, file.name)
    with cache.locked(file.repository, described.hash, str(file)):
        if is_sound(path, described, limits) or take_blob(file, path, described, limits):
            return path
        fault = download_once(file, path, described, limits) and download_once(file, path, described, limits)
    if fault:
        raise not_as_pinned(file, fault)
    return path


def is_sound(path: Path, described: Described, limits: Limits) -> bool:
    """Say whether a file is here, and is what the Hub and a pin say that it is."""
    return path.is_file() and not cache.describe_mismatch(path, described.hash, limits.sha256)


def take_blob(file: HubFile, path: Path, described: Described, limits: Limits) -> bool:
    """Make the file from the cache, where another commit has the same content; return False otherwise."""
    blob = cache.blob_path(file.repository, described.hash)
    with suppress(OSError):  # somebody else's, who alone may read it
        if is_sound(blob, described, limits):
            cache.link_or_copy(blob, path)
            return True
    return False


def download_once(file: HubFile, path: Path, described: Described, limits: Limits) -> str:
    """Download a file, and put it into the cache unless it is damaged; return what is wrong with it, if anything is."""
    blob = cache.blob_path(file.repository, described.hash)
    temporary = cache.temporary_path(blob)
    size = described.size if limits.size is None else limits.size
    try:
        download(file, temporary, size, limits.max_bytes)
        fault = cache.describe_mismatch(temporary, described.hash, limits.sha256)
        if not fault:
            cache.put_into_cache(temporary, blob, path)
        return fault
    finally:
        temporary.unlink(missing_ok=True)
