"""The hooks that a plugin may implement, marked with `ganzoo.hookimpl`, and what `register` is in each."""

from collections.abc import Sequence
from typing import Protocol

import pluggy

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")

RENAMED: dict[str, str] = {}
"""Former names of hooks and their present names. Each keeps a hookspec, whose `warn_on_impl` is a `Deprecated`."""


class RegisterArchitecture(Protocol):
    """`register("dcgan", generator="package.module:Class", discriminator="package.module:Class")`."""

    def __call__(self, name: str, *, generator: str, discriminator: str) -> None:
        """Register one architecture."""


class RegisterLoss(Protocol):
    """`register("hinge", "package.module:Class")`."""

    def __call__(self, name: str, loss: str) -> None:
        """Register one loss."""


class RegisterCallback(Protocol):
    """`register("webhook", "package.module:Class")`."""

    def __call__(self, name: str, callback: str) -> None:
        """Register one callback."""


class RegisterData(Protocol):
    """`register("pairs", "package.module:Class", about="Photographs and drawings of them, side by side")`."""

    def __call__(self, name: str, dataset: str, *, about: str = "", part: str = "", parts: Sequence[str] = ()) -> None:
        """Register one data set; `about` is its line in `ganzoo list data`.

        `part` is the option that the rest of a name sets behind a colon, such as "category" in `lsun:tower`; `parts`
        are its values, for listings, completion and near misses.
        """


class RegisterKind(Protocol):
    """`register("sound", "package.module:Class")`."""

    def __call__(self, name: str, kind: str, *, about: str = "") -> None:
        """Register one kind of samples; `about` is its line in `ganzoo list kinds`."""


class RegisterMetrics(Protocol):
    """`register("digits", "package.module:Suite", data=["mnist"])` or `register("spectra", "...", kind="sound")`."""

    def __call__(self, name: str, suite: str, *, data: Sequence[str] = (), kind: str = "", about: str = "") -> None:
        """Register one suite of metrics, for data sets by name or for all data of a kind.

        `about` is its line in `ganzoo list metrics`.
        """


class RegisterImporter(Protocol):
    """`register("layout", "package.module:read", about="Files of ...")`; `read(path)` returns a `ganzoo.Imported`."""

    def __call__(self, name: str, importer: str, *, about: str = "") -> None:
        """Register one format of `ganzoo import`; `about` is its line in `ganzoo list importers`."""


@hookspec
def register_architectures(register: RegisterArchitecture) -> None:
    """Name each architecture of the plugin and where its generator and discriminator classes are."""


@hookspec
def register_losses(register: RegisterLoss) -> None:
    """Name each loss of the plugin and where its class is."""


@hookspec
def register_callbacks(register: RegisterCallback) -> None:
    """Name each training callback of the plugin and where its class is."""


@hookspec
def register_data(register: RegisterData) -> None:
    """Name each data set of the plugin and where its class is."""


@hookspec
def register_kinds(register: RegisterKind) -> None:
    """Name each kind of samples of the plugin and where its class is."""


@hookspec
def register_metrics(register: RegisterMetrics) -> None:
    """Name each suite of metrics of the plugin, where its class is, and what it measures."""


@hookspec
def register_importers(register: RegisterImporter) -> None:
    """Name each format of weights that the plugin can import and where the function is that reads a file of it."""
