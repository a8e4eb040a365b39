"""A small model, repositories on the Hub of the tests, and what was asked of it."""

from pathlib import Path

from huggingface_hub import CommitOperationAdd

from ganzoo._io import sha256
from ganzoo.recipe.build import resolve_architecture
from ganzoo.recipe.sections import Architecture
from ganzoo.zoo.saving import save_model

SHAPE = (1, 12, 12)


DATA = {"name": "dots", "kind": "image", "shape": list(SHAPE), "range": [-1, 1], "classes": []}


def make_model(folder, *widths):
    """A small untrained generator as a model folder."""
    part = resolve_architecture(Architecture(name="vanilla", generator={"widths": list(widths)}))["generator"]
    save_model(folder, part.make(image=SHAPE), part, DATA, training={"recipe": "vanilla", "steps": 1, "seed": 0})
    return folder


def put(owner, folder, repository="owner/dots", private=False, **instead):
    """Publish a folder's files as they are, some of them replaced; the commit."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()} | instead
    owner.create_repo(repository, private=private, exist_ok=True)
    operations = [CommitOperationAdd(name, content) for name, content in files.items() if content is not None]
    return owner.create_commit(repository, operations, commit_message="as it is").oid


def register(zoo, folder, commit, name="dots", repository="owner/dots", **files):
    """Name a published model in the user's registry."""
    pins = {
        path.name: {"sha256": sha256(path.read_bytes()), "size": path.stat().st_size} for path in folder.iterdir()
    } | files
    about = {"architecture": "vanilla", "distribution": "ganzoo-vanilla", "data": "dots", "license": "mit"}
    lines = [f"[{name}]", f'source = "hub:{repository}@{commit}"', *(f'{k} = "{v}"' for k, v in about.items())]
    lines += [f'files."{n}" = {{ sha256 = "{pin["sha256"]}", size = {pin["size"]} }}' for n, pin in pins.items()]
    path = Path(zoo.environment["GANZOO_REGISTRY"])
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def same(folder, pulled):
    """Whether a pull left exactly these files."""
    return {path.name: sha256(path.read_bytes()) for path in Path(pulled).iterdir()} == {
        path.name: sha256(path.read_bytes()) for path in folder.iterdir()
    }


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def requests(hub, since=0):
    return [(one["method"], one["path"]) for one in hub.log[since:]]


PINNED = r"expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}"


def one_sentence(done):
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return len(lines) == 1 and "Traceback" not in done.stderr
