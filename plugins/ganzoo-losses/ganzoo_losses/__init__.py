"""Losses, penalties and the like that go with any architecture."""

import ganzoo

LOSSES = {
    "least-squares": "adversarial:LeastSquares",
    "hinge": "adversarial:Hinge",
    "relativistic": "adversarial:Relativistic",
    "label-smoothing": "adversarial:LabelSmoothing",
    "unrolled": "unrolled:Unrolled",
    "r1": "penalties:R1",
    "r2": "penalties:R2",
    "dragan": "penalties:Dragan",
    "top-k": "generator:TopK",
    "feature-matching": "generator:FeatureMatching",
    "historical-averaging": "history:HistoricalAveraging",
    "auxiliary": "labels:Auxiliary",
    "d2d-ce": "labels:DataToData",
    "multi-hinge": "labels:MultiHinge",
}


@ganzoo.hookimpl
def register_losses(register: ganzoo.RegisterLoss) -> None:
    """Name each loss and where its class is."""
    for name, place in LOSSES.items():
        register(name, f"ganzoo_losses.{place}")
