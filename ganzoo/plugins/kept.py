"""The files with classes that models may need: those that this user has trained with, and those that are offered now.

What was trained with is kept by its hash in the user's own data folder: a model that needs the very content can be
loaded without the file. No file of a model's own folder is ever run for that.
"""

from contextlib import suppress
from pathlib import Path

import platformdirs

from ganzoo._io import NoHome, expand_user, home_folder, read_bytes, sha256, write_bytes
from ganzoo.errors import BadInput
from ganzoo.plugins.files import MAX_BYTES

OFFERED: dict[Path, bytes] = {}
"""Files that the user gives for the models of this process."""


def offer(path: Path) -> None:
    """Offer a file, which may be run for models that need a class of it. Raises `BadInput` if it cannot be read."""
    path = expand_user(path).resolve()
    OFFERED[path] = read_bytes(path, MAX_BYTES)


def kept_file(digest: str) -> Path:
    """Return the path of the file with this hash, whether it is kept or not. Raises `NoHome` as `home_folder` does."""
    return home_folder(platformdirs.user_data_path, "XDG_DATA_HOME to a folder for data") / "code" / f"{digest}.py"


def keep(content: bytes) -> None:
    """Keep the content of a file; without a home folder, or with one that takes no more, nothing is kept."""
    with suppress(NoHome, BadInput, OSError):
        path = kept_file(sha256(content))
        if find_kept(sha256(content)) is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, content)


def find_kept(digest: str) -> bytes | None:
    """Return the content of the kept file that has this hash; None where none is kept, or it was changed."""
    with suppress(NoHome, BadInput):
        content = read_bytes(kept_file(digest))
        return content if sha256(content) == digest else None
    return None
