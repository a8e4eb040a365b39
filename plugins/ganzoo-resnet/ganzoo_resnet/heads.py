"""What a discriminator makes of its features: scores, and what it says of classes."""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import normalize

HeadName = Literal["auto", "none", "projection", "ac", "reac"]
"""How networks use labels; "auto" is "projection" where the data have labels, and "none" where they have none."""


def choose_head(head: HeadName, classes: int | None) -> HeadName:
    """Return the head that "auto" stands for. Raises `ValueError` for a head that needs labels where there are none."""
    if head == "auto":
        return "projection" if classes else "none"
    if head != "none" and not classes:
        raise ValueError(f"head '{head}' needs data with labels, and these have none; head = 'none' does without")
    return head


def classes_used(head: HeadName, classes: int | None) -> int | None:
    """Return the number of classes that a generator is conditioned on beside this head; None for none."""
    return None if choose_head(head, classes) == "none" else classes


class Head(nn.Module):
    """Raw scores of features (n, features), and for two kinds of head extras that losses read.

    - "none": score = psi(features), linear, without labels.
    - "projection": score = psi(features) + <embed(label), features> (Miyato and Koyama 2018, equation 3).
    - "ac": extras {"logits": (n, classes)}, linear (Odena et al. 2017), for the loss `auxiliary`.
    - "reac": extras {"embedding": (n, features), "logits": (n, classes)} (Kang et al. 2021, section 3): a linear map of
      the features with rows of length 1, and its cosines with one learned proxy for each class, for `d2d-ce`.
    """

    def __init__(self, head: HeadName, features: int, classes: int | None) -> None:
        super().__init__()
        self.head = choose_head(head, classes)
        self.psi = nn.Linear(features, 1)
        if self.head in ("projection", "reac"):
            self.embed = nn.Embedding(classes or 1, features)
        if self.head == "ac":
            self.classify = nn.Linear(features, classes or 1)
        if self.head == "reac":
            self.project = nn.Linear(features, features)

    def forward(self, features: Tensor, given: dict[str, Tensor]) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Return scores (n,), or a pair of them and extras; "projection" needs `given["label"]` of shape (n,)."""
        scores: Tensor = self.psi(features).squeeze(1)
        if self.head == "projection":
            scores = scores + (self.embed(given["label"]) * features).sum(1)
        if self.head == "ac":
            return scores, {"logits": self.classify(features)}
        if self.head == "reac":
            embedding, proxies = normalize(self.project(features)), normalize(self.embed.weight)
            return scores, {"embedding": embedding, "logits": embedding @ proxies.T}
        return scores
