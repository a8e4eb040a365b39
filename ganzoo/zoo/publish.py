"""Publishing a generator on the Hugging Face Hub: checked, sent as one commit, read back, ready for a registry."""

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tomlkit
from huggingface_hub import CommitOperationAdd, HfApi, ModelInfo
from huggingface_hub.errors import RepositoryNotFoundError

from ganzoo._io import exists, read_bytes, replace_folder, sha256, write_bytes, write_errors
from ganzoo._names import NAME_PATTERN
from ganzoo._version import __version__
from ganzoo.data.named import list_names
from ganzoo.errors import BadInput, Unavailable
from ganzoo.pictures.grid import write_grid
from ganzoo.pictures.layout import choose_layout, select_showable
from ganzoo.pictures.points import write_scatter
from ganzoo.plugins import entries
from ganzoo.plugins.entries import Entry
from ganzoo.recipe.recipe import Recipe
from ganzoo.zoo import registry
from ganzoo.zoo.card import card
from ganzoo.zoo.hub import COMMIT, git_hash, hub_errors
from ganzoo.zoo.model import Model, load
from ganzoo.zoo.references import HUB, OnHub, model_folder, parse
from ganzoo.zoo.scores import FILE as SCORES
from ganzoo.zoo.scores import figures
from ganzoo.zoo.scores import read_scores as read_scores

TAG = re.compile(r"[\w-][\w.-]*", re.ASCII)


@dataclass
class Publication:
    """The model in a run or model folder on its way to the repository `owner/name`, every file of it in `files`.

    Raises `BadInput` for what cannot be published: no such model, one that does not sample, no name of a repository.
    """

    source: str | Path
    repository: str
    license: str = "other"
    private: bool = False
    tag: str | None = None
    message: str = "Publish with ganzoo"

    def __post_init__(self) -> None:
        if not HUB.fullmatch(self.repository) or "@" in self.repository:
            raise BadInput(f"'{self.repository}' is not owner/name")
        if self.tag is not None and (not TAG.fullmatch(self.tag) or COMMIT.fullmatch(self.tag) or self.tag == "main"):
            raise BadInput(f"'{self.tag}' is no tag: letters, digits, . _ and -, and neither 'main' nor a commit")
        if not self.message.strip():
            raise BadInput("a commit needs a message")
        self.folder = local_folder(self.source)
        self.files = content(self.folder, f"hub:{self.repository}", self.license)
        self.api = HfApi(library_name="ganzoo", library_version=__version__)

    @cached_property
    def name(self) -> str:
        """What a registry calls the model: the repository's name as far as a registry allows it."""
        name = re.sub(r"[^a-z0-9]+", "-", self.repository.rpartition("/")[2].lower()).strip("-")
        return name or "model"

    def plan(self) -> list[str]:
        """What `publish` would send, in lines."""
        files = [f"  {name}: {len(held):,} bytes, sha256 {sha256(held)}" for name, held in self.files.items()]
        visible = "private" if self.private else "public"
        steps = [f"create the {visible} repository {self.repository} unless it is there"]
        steps += [f"one commit, '{self.message}', of those of these files that the repository has not just so:", *files]
        steps += [f"tag it {self.tag}"] if self.tag else []
        return [*steps, "read back what the Hub has and compare hashes"]

    def publish(self, say: Callable[[str], None] = lambda sentence: None) -> str:
        """Send it, unless the repository has it already, and return its entry for a registry as TOML.

        `say` is told what was done. Raises `Unavailable` for what the network or the Hub refuses, and where it has
        something else afterwards.
        """
        with hub_errors(self.repository, self.repository):
            self.api.whoami()
            head = self._head()
            self._refuse_moved_tag(head)
            stale = self._stale(head)
            commit = self._sent(head) if stale else head.sha
            if self.tag and self.tag not in self._tags():
                self.api.create_tag(self.repository, tag=self.tag, revision=commit)
            other = self._stale(self._info(commit))
            if self.tag and self._tags().get(self.tag) != commit:
                other.append(f"the tag {self.tag}")
        if other:
            raise Unavailable(f"{self.repository} has something else than was sent: {', '.join(other)}")
        done = f"published {', '.join(stale)}" if stale else "everything was there already"
        say(f"{done}: {self.api.endpoint}/{self.repository} at {self.tag or commit[:12]}")
        return tomlkit.dumps({self.name: table(f"hub:{self.repository}@{commit}", self.files, self.license)})

    def _head(self) -> ModelInfo:
        """The repository as it is now, created if need be."""
        try:
            head = self._info()
        except RepositoryNotFoundError:
            self.api.create_repo(self.repository, private=self.private, exist_ok=True)
            return self._info()
        if self.private and not head.private:
            raise BadInput(f"{self.repository} is there already and public; leave --private away, or choose another")
        return head

    def _info(self, revision: str | None = None) -> ModelInfo:
        return self.api.model_info(self.repository, revision=revision, files_metadata=True)

    def _stale(self, info: ModelInfo) -> list[str]:
        """Files that the repository lacks, or has otherwise."""
        there = {one.rfilename: one.lfs.sha256 if one.lfs else one.blob_id for one in info.siblings}
        return [name for name, held in self.files.items() if there.get(name) not in (sha256(held), git_hash(held))]

    def _sent(self, head: ModelInfo) -> str:
        """The commit that was made of all files, on the head that was seen and no other."""
        operations = [CommitOperationAdd(name, held) for name, held in self.files.items()]
        try:
            made = self.api.create_commit(
                self.repository, operations, commit_message=self.message, parent_commit=head.sha
            )
            return made.oid
        except Exception:
            # A commit whose answer was lost has been made all the same.
            now = self._info()
            if self._stale(now):
                raise
            return now.sha

    def _tags(self) -> dict[str, str]:
        return {one.name: one.target_commit for one in self.api.list_repo_refs(self.repository).tags}

    def _refuse_moved_tag(self, head: ModelInfo) -> None:
        at = self._tags().get(self.tag)
        if at and (at != head.sha or self._stale(head)):
            raise BadInput(f"{self.repository} has the tag '{self.tag}' already, at {at[:12]}; choose another")


def bundle(source: str | Path, folder: Path, license_id: str) -> str:
    """Write a complete model into a new folder, to be shipped in a package; its entry for the registry there, as TOML.

    The folder's name is the model's, and the entry's source is the folder as seen from its grandparent, which is the
    package where folders lie in `pretrained/`. Raises `BadInput` where it is there already.
    """
    if not NAME_PATTERN.fullmatch(folder.name):
        raise BadInput(f"'{folder.name}' is no name of a model: lower-case letters and digits, joined by . _ or -")
    if exists(folder):
        raise BadInput(f"'{folder}' is there already")
    files = content(local_folder(source), folder.name, license_id)
    with replace_folder(folder) as part:
        for name, held in files.items():
            write_bytes(part / name, held)
    place = folder.resolve()
    return tomlkit.dumps({folder.name: table(f"{place.parent.name}/{place.name}", files, license_id)})


def table(source: str, files: Mapping[str, bytes], license_id: str) -> dict[str, Any]:
    """What a registry says of a model."""
    config = json.loads(files["config.json"])
    scores = json.loads(files.get(SCORES, b"{}"))
    return {
        "source": source,
        "architecture": config["architecture"]["name"],
        "distribution": config["architecture"]["distribution"],
        "data": config["data"].get("name", "unknown"),
        "license": license_id,
        **({"scores": in_lines(scores)} if scores else {}),
        "files": {name: {"sha256": sha256(held), "size": len(held)} for name, held in files.items()},
    }


def in_lines(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as a registry holds them: a line for each metric, without what could not be computed."""
    found = {}
    for name, value in scores.items():
        if isinstance(value, dict) and "generated" in value:
            line = tomlkit.inline_table()
            line.update({key: float(f"{number:.6g}") for key, number in figures(value).items()})
            found[name] = line
        else:
            found[name] = value
    return found


def local_folder(source: str | Path) -> Path:
    """The model folder of a run, or a model folder. Raises `BadInput` for what is published already."""
    meant = parse(source)
    if not isinstance(meant, Path):
        raise BadInput(f"'{source}' is published already; say a run or a model folder")
    return model_folder(meant)


def content(folder: Path, reference: str, license_id: str) -> dict[str, bytes]:
    """Every file of a complete model by name; the picture and the card are made here.

    Raises `BadInput` where a file is a link, which may lead anywhere, or is not what it should be.
    """
    model = load(folder, "cpu")
    there = [name for name in (*entries.NEEDED, "recipe.toml", SCORES) if exists(folder / name)]
    for name in there:
        if (folder / name).is_symlink():
            raise BadInput(f"{folder / name} is a link; publish the folder that it leads to")
    held = {name: read_bytes(folder / name) for name in there}
    if json.loads(held["config.json"])["weights"]["sha256"] != sha256(held["model.safetensors"]):
        raise BadInput(f"{folder} changes while it is read; publish it again once the training is over")
    if "recipe.toml" in held:
        held["recipe.toml"] = without_paths(folder / "recipe.toml")
    with tempfile.TemporaryDirectory() as made:
        picture = Path(made, "samples.png")
        if draw_samples(picture, model, reference):
            held["samples.png"] = read_bytes(picture)
    scores = scores_of(folder, model.config) if SCORES in held else {}
    return held | {"README.md": card(reference, license_id, model.config, scores).encode()}


def draw_samples(path: Path, model: Model, name: str) -> bool:
    """The picture of a published model, and whether there is one."""
    n, fixed, columns = choose_layout(model.generator)
    shown = None if model.kind == "other" else select_showable(model.sample(n, **fixed), model.kind)
    if shown is None:
        return False
    if model.kind == "point":
        write_scatter(path, shown.numpy(), name, 0)
    else:
        write_grid(path, shown, name, 0, columns)
    return True


def scores_of(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """The measured scores in a model folder. Raises `BadInput` where they are those of other weights."""
    scores = read_scores(folder / SCORES)
    protocol = scores.get("protocol")
    measured = protocol.get("weights") if isinstance(protocol, dict) else None
    if measured not in (None, config["weights"]["sha256"]):
        raise BadInput(f"{folder / SCORES} was measured with other weights; run ganzoo evaluate {folder} again")
    return scores


def without_paths(path: Path) -> bytes:
    """A recipe that tells nothing of where things lie on the machine that it comes from, nor its comments."""
    recipe = Recipe.load(path).written_out()
    recipe["data"].pop("root", None)
    if recipe["data"].get("name") not in list_names():
        recipe["data"]["name"] = Path(recipe["data"]["name"]).name
    if not isinstance(parse_or_none(recipe["train"].get("init")), Entry | OnHub):
        recipe["train"].pop("init", None)
    return tomlkit.dumps(recipe).encode()


def parse_or_none(source: str | None) -> Any:
    """What a reference means, None where it means nothing."""
    with suppress(BadInput):
        return parse(source) if source else None


def check_name_free(name: str, repository: str) -> None:
    """Raise `BadInput` where some registry has another model under that name."""
    for entry in registry.entries():
        if entry.name == name and (entry.folder or entry.repository != repository):
            there = f"the registry of {entry.origin} has a model '{name}' already, from {entry.source}"
            raise BadInput(f"{there}; leave --register away, or give one of them another name")


def add_entry(text: str) -> Path:
    """Write an entry into the user's registry, which is returned; what else stands there stays as it is."""
    path = registry.user_file()
    document = tomlkit.parse(read_bytes(path).decode()) if exists(path) else tomlkit.document()
    document.update(tomlkit.parse(text))
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, tomlkit.dumps(document).encode())
    return path
