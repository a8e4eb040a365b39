"""The hooks that a plugin may implement, marked with `ganzoo.hookimpl`, and what `register` is in each."""

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


@hookspec
def register_architectures(register: RegisterArchitecture) -> None:
    """Name each architecture of the plugin and where its generator and discriminator classes are."""


@hookspec
def register_losses(register: RegisterLoss) -> None:
    """Name each loss of the plugin and where its class is."""


@hookspec
def register_callbacks(register: RegisterCallback) -> None:
    """Name each training callback of the plugin and where its class is."""
