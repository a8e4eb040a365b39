"""The heads of the discriminator against the papers' formulas, sample by sample."""

import math

import pytest
import torch

from ganzoo_resnet.heads import Head, choose_head

FEATURES, LABELS = torch.randn(4, 6, dtype=torch.float64), torch.tensor([2, 0, 2, 1])


def judged(name):
    torch.manual_seed(0)
    head = Head(name, 6, 3).double()
    result = head(FEATURES, {"label": LABELS})
    scores, extras = result if isinstance(result, tuple) else (result, {})
    return head, scores.tolist(), {key: value.tolist() for key, value in extras.items()}


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def psi(head, features):
    return dot(head.psi.weight[0].tolist(), features) + head.psi.bias.item()


@pytest.mark.parametrize("name", ["none", "projection", "ac", "reac"])
def test_scores_are_linear_and_the_projection_adds_the_inner_product_with_the_class(name):
    head, scores, _ = judged(name)
    for score, features, label in zip(scores, FEATURES.tolist(), LABELS.tolist(), strict=True):
        projected = dot(head.embed.weight[label].tolist(), features) if name == "projection" else 0
        assert score == pytest.approx(psi(head, features) + projected, rel=1e-10)


def test_the_classifier_gives_one_logit_for_each_class():
    head, _, extras = judged("ac")
    assert list(extras) == ["logits"]
    for logits, features in zip(extras["logits"], FEATURES.tolist(), strict=True):
        rows = zip(head.classify.weight.tolist(), head.classify.bias.tolist(), strict=True)
        assert logits == pytest.approx([dot(row, features) + bias for row, bias in rows], rel=1e-10)


def test_normalised_embeddings_have_length_one_and_logits_are_their_cosines_with_the_classes():
    head, _, extras = judged("reac")
    for embedding, logits, features in zip(extras["embedding"], extras["logits"], FEATURES.tolist(), strict=True):
        rows = zip(head.project.weight.tolist(), head.project.bias.tolist(), strict=True)
        mapped = [dot(row, features) + bias for row, bias in rows]
        length = math.sqrt(dot(mapped, mapped))
        assert embedding == pytest.approx([each / length for each in mapped], rel=1e-10)
        for cosine, proxy in zip(logits, head.embed.weight.tolist(), strict=True):
            assert cosine == pytest.approx(dot(mapped, proxy) / length / math.sqrt(dot(proxy, proxy)), rel=1e-10)


def test_automatic_is_the_projection_where_there_are_labels():
    assert (choose_head("auto", 3), choose_head("auto", None), choose_head("none", 3)) == ("projection", "none", "none")
