"""Losses and penalties that go with any architecture."""

import ganzoo


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    register("least-squares", "ganzoo_losses.losses:LeastSquares")
    register("hinge", "ganzoo_losses.losses:Hinge")
    register("relativistic", "ganzoo_losses.losses:Relativistic")
    register("r1", "ganzoo_losses.losses:R1")
    register("r2", "ganzoo_losses.losses:R2")
    register("dragan", "ganzoo_losses.losses:Dragan")
