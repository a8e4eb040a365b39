"""Publishing a generator on the Hugging Face Hub: checked, sent as one commit, read back, ready for a registry."""

import logging
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike

import tomlkit
from huggingface_hub import CommitOperationAdd, HfApi, ModelInfo, is_offline_mode
from huggingface_hub.errors import RepositoryNotFoundError

from ganzoo._faults import hide_passwords
from ganzoo._io import sha256
from ganzoo._version import __version__
from ganzoo.errors import BadInput, Unavailable
from ganzoo.zoo.hub.cache import COMMIT, git_hash
from ganzoo.zoo.hub.errors import hub_errors
from ganzoo.zoo.hub.session import one_line, open_session
from ganzoo.zoo.licenses import choose_license
from ganzoo.zoo.publishing.bundle import complete_files, find_unpublished
from ganzoo.zoo.publishing.entry import entry_table
from ganzoo.zoo.references import HUB

logger = logging.getLogger(__name__)

DEFAULT_MESSAGE = "Publish with ganzoo"
TAG = re.compile(r"[\w-][\w.-]*", re.ASCII)


@dataclass
class Publication:
    """The model of a run or model folder on its way to the repository `owner/name`, with the content of its `files`.

    Raises `BadInput` where there is no such model, where it cannot be sampled, and for an invalid name or tag.
    """

    source: str | PathLike[str]
    repository: str
    license: str = ""
    private: bool = False
    tag: str | None = None
    message: str = DEFAULT_MESSAGE
    with_inputs: bool = False
    with_discriminator: bool = False
    relicense: bool = False
    commit: str = field(default="", init=False)
    """The commit that has the files, once they are published."""

    def __post_init__(self) -> None:
        if not HUB.fullmatch(str(self.repository)) or "@" in self.repository:
            raise BadInput(f"'{self.repository}' is not owner/name")
        if self.tag is not None and (not TAG.fullmatch(self.tag) or COMMIT.fullmatch(self.tag) or self.tag == "main"):
            raise BadInput(f"'{self.tag}' is not a tag: letters, digits, . _ and -, and neither 'main' nor a commit")
        if not self.message.strip():
            raise BadInput("a commit needs a message")
        local, reference = find_unpublished(self.source), f"hub:{self.repository}"
        self.license = choose_license(local, self.license, self.relicense)
        self.files = complete_files(local, reference, self.license, self.with_inputs, self.with_discriminator)
        self.api = HfApi(library_name="ganzoo", library_version=__version__)

    @cached_property
    def name(self) -> str:
        """The model's name in a registry: that of the repository, with only the characters that a registry allows."""
        name = re.sub(r"[^a-z0-9]+", "-", self.repository.rpartition("/")[2].lower()).strip("-")
        return name or "model"

    def plan(self) -> list[str]:
        """Return what `publish` would send, in lines."""
        files = [f"  {name}: {len(content):,} bytes, sha256 {sha256(content)}" for name, content in self.files.items()]
        visible = "private" if self.private else "public"
        steps = [f"create the {visible} repository {self.repository} unless it is there"]
        steps += [
            f"one commit, '{self.message}', of those of these files that differ from the repository's:",
            *files,
        ]
        steps += [f"tag it {self.tag}"] if self.tag else []
        return [*steps, "read back what the Hub has and compare hashes"]

    def publish(self) -> str:
        """Send the files unless the repository has them already; return the model's entry for a registry as TOML.

        The log says what was sent. Raises `Unavailable` offline, where the network or the Hub refuses something, and
        where the repository differs from what was sent.
        """
        check_online()
        with hub_errors(self.repository, self.repository):
            open_session()
            self.api.whoami()
            head = self._open_repository()
            self._check_tag_free(head)
            stale = self._stale_files(head)
            commit = self.commit = self._commit(head) if stale else sha_of(head)
            if self.tag and self.tag not in self._tags():
                self.api.create_tag(self.repository, tag=self.tag, revision=commit)
            different = self._stale_files(self._info(commit))
            if self.tag and self._tags().get(self.tag) != commit:
                different.append(f"the tag {self.tag}")
        if different:
            raise Unavailable(f"{self.repository} differs from what was sent: {', '.join(different)}")
        done = f"published {', '.join(stale)}" if stale else "everything was there already"
        logger.info(
            "%s: %s/%s at %s", done, hide_passwords(self.api.endpoint), self.repository, self.tag or commit[:12]
        )
        return tomlkit.dumps({self.name: entry_table(f"hub:{self.repository}@{commit}", self.files, self.license)})

    def _open_repository(self) -> ModelInfo:
        """Return the repository as it is now, created if need be."""
        try:
            head = self._info()
        except RepositoryNotFoundError:
            self.api.create_repo(self.repository, private=self.private, exist_ok=True)
            return self._info()
        if self.private and not head.private:
            raise BadInput(f"{self.repository} exists already and is public; leave out --private, or choose another")
        return head

    def _info(self, revision: str | None = None) -> ModelInfo:
        return self.api.model_info(self.repository, revision=revision, files_metadata=True)

    def _stale_files(self, info: ModelInfo) -> list[str]:
        """Return the names of files that the repository lacks or has with another content."""
        there = {one.rfilename: one.lfs.sha256 if one.lfs else one.blob_id for one in info.siblings or ()}
        return [name for name, held in self.files.items() if there.get(name) not in (sha256(held), git_hash(held))]

    def _commit(self, head: ModelInfo) -> str:
        """Commit all files on top of `head`, and on nothing newer; return the commit."""
        operations = [CommitOperationAdd(name, content) for name, content in self.files.items()]
        try:
            made = self.api.create_commit(
                self.repository, operations, commit_message=self.message, parent_commit=head.sha
            )
            return made.oid
        except Exception as error:
            if type(error) is ValueError:  # the client's own for what the Hub says of the card or the large files
                raise Unavailable(f"{self.repository}: the Hub refuses this: {one_line(error)}") from error
            # The answer may have been lost after the commit was made.
            with suppress(Exception):  # which would hide the reason
                now = self._info()
                if not self._stale_files(now):
                    return sha_of(now)
            raise

    def _tags(self) -> dict[str, str]:
        return {one.name: one.target_commit for one in self.api.list_repo_refs(self.repository).tags}

    def _check_tag_free(self, head: ModelInfo) -> None:
        at = self._tags().get(self.tag) if self.tag else None
        if at and (at != head.sha or self._stale_files(head)):
            raise BadInput(f"{self.repository} has the tag '{self.tag}' already, at {at[:12]}; choose another")


def push(
    source: str | PathLike[str],
    repository: str,
    license: str | None = None,
    private: bool = False,
    tag: str | None = None,
    message: str = DEFAULT_MESSAGE,
    with_inputs: bool = False,
    with_discriminator: bool = False,
    relicense: bool = False,
) -> str:
    """Publish the model of a run or model folder on the Hub, and return what `load` takes: "hub:owner/name@commit".

    Without a `license`, such as "mit", it is that of imported weights, or of those that the training began with, else
    "other", and the log says so; `relicense` says that one may publish the latter under another. `private`
    keeps a new repository to yourself, `tag` names this version. Real inputs that are kept with it go along
    `with_inputs`, or where their data set has a licence that allows it; the log says how many. So does a discriminator
    that is kept with it, `with_discriminator`. Raises `BadInput` for what cannot be published or is so already, and
    `Unavailable` where the network or the Hub refuses it.
    """
    along = (with_inputs, with_discriminator)
    publication = Publication(source, repository, license or "", private, tag, message, *along, relicense)
    publication.publish()
    return f"hub:{repository}@{publication.commit}"


def check_online() -> None:
    """Raise `Unavailable` where the user has told the Hub's client to send nothing."""
    if is_offline_mode():
        names = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if os.environ.get(name)]
        raise Unavailable(f"{names[0] if names else 'HF_HUB_OFFLINE'} is set: nothing can be published")


def sha_of(info: ModelInfo) -> str:
    """Return the commit of a repository. Raises `KeyError`, which `hub_errors` explains, where the Hub sent none."""
    if info.sha is None:
        raise KeyError("sha")
    return info.sha
