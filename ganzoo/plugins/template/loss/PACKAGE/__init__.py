"""The loss NAME. Nothing here imports torch, so that listing stays quick."""

import ganzoo


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register(
        "NAME",
        "PACKAGE.losses:Loss",
    )
