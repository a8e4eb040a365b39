"""What a discriminator makes of its features: scores, and what it says of classes."""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import normalize

from ganzoo.layers import ConditionEmbedding, Conditions, LabelFacts, find_conditions

HeadName = Literal["auto", "none", "projection", "ac", "reac"]
"""How networks use labels; "auto" is "projection" where the data have labels, and "none" where they have none."""


def choose_head(head: HeadName, known: Conditions | None) -> HeadName:
    """Return the head that "auto" stands for.

    Raises `ValueError` for a head that needs labels where there are none, or a single one where there are several.
    """
    if head == "auto":
        return "projection" if known else "none"
    if head != "none" and not known:
        raise ValueError(f"head '{head}' needs data with labels, and these have none; head = 'none' does without")
    if head in ("ac", "reac") and known and known.single is None:
        several = ", ".join(known.needs)
        raise ValueError(f"head '{head}' tells the classes of one label, and these data have {several}; choose one")
    return head


def find_labels(classes: int | None, conditions: LabelFacts | None) -> Conditions | None:
    """Return the labels that data have; None for none."""
    return find_conditions(bool(classes or conditions), classes, conditions)


def conditions_used(head: HeadName, classes: int | None, conditions: LabelFacts | None) -> Conditions | None:
    """Return what a generator is conditioned on beside this head; None for nothing."""
    known = find_labels(classes, conditions)
    return None if choose_head(head, known) == "none" else known


class Head(nn.Module):
    """Raw scores of features (n, features), and for two kinds of head extras that losses read.

    - "none": score = psi(features), linear, without labels.
    - "projection": score = psi(features) + <embed(label), features> (Miyato and Koyama 2018, equation 3); of several
      labels the sum of their vectors.
    - "ac": extras {"logits": (n, classes)}, linear (Odena et al. 2017), for the loss `auxiliary`.
    - "reac": extras {"embedding": (n, features), "logits": (n, classes)} (Kang et al. 2021, section 3): a linear map of
      the features with rows of length 1, and its cosines with one learned proxy for each class, for `d2d-ce`.
    """

    def __init__(
        self, head: HeadName, features: int, classes: int | None, conditions: LabelFacts | None = None
    ) -> None:
        super().__init__()
        known = find_labels(classes, conditions)
        self.head = choose_head(head, known)
        self.psi = nn.Linear(features, 1)
        if known and self.head in ("projection", "reac"):
            self.embed = ConditionEmbedding(known, features)
        if known and self.head == "ac":
            self.classify = nn.Linear(features, known.count)
        self.needs = known.needs if known and self.head == "projection" else ()
        if self.head == "reac":
            self.project = nn.Linear(features, features)

    def forward(self, features: Tensor, given: dict[str, Tensor]) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return scores (n,), or a pair of them and extras; "projection" needs labels (n,) in `given`."""
        scores: Tensor = self.psi(features).squeeze(1)
        if self.head == "projection":
            scores = scores + (self.embed(given) * features).sum(1)
        if self.head == "ac":
            return scores, {"logits": self.classify(features)}
        if self.head == "reac":
            embedding, proxies = normalize(self.project(features)), normalize(self.embed.weight)
            return scores, {"embedding": embedding, "logits": embedding @ proxies.T}
        return scores
