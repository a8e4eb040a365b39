"""Several labels of a sample, classes and amounts: the vectors that networks learn for them, against plain sums."""

import pytest
import torch

from ganzoo.layers import (
    ConditionalBatchNorm2d,
    ConditionEmbedding,
    Conditions,
    find_conditions,
    read_conditions,
)

pytestmark = pytest.mark.usefixtures("float64")
SAID = {"hair": 3, "age": [18.0, 80.0], "eyes": 2}
GIVEN = {"hair": torch.tensor([2, 0]), "eyes": torch.tensor([1, 0]), "age": torch.tensor([18.0, 64.5])}


@pytest.fixture
def known():
    return read_conditions(None, SAID)


def test_a_network_asks_for_all_labels_of_the_data(known):
    assert known.needs == ("hair", "eyes", "age") and known.single is None
    assert (known.categorical, known.amounts, known.count) == ({"hair": 3, "eyes": 2}, {"age": (18, 80)}, 6)
    assert find_conditions(False, 3, SAID) is None
    alone = find_conditions(True, 3)
    assert (alone.needs, alone.single, alone.count) == (("label",), "label", 3)


def test_the_vector_of_a_sample_is_the_sum_of_those_of_its_labels(known):
    layer = ConditionEmbedding(known, 4)
    rows = layer.weight.detach()
    # Hair has rows 0 to 2, eyes 3 and 4, age 5; an age of 18 counts -1, and 64.5 is three quarters of the way, 1/2.
    expected = torch.stack([rows[2] + rows[4] - rows[5], rows[0] + rows[3] + rows[5] / 2])
    torch.testing.assert_close(layer(GIVEN), expected)
    layer(GIVEN).sum().backward()
    moved = layer.weight.grad[:, 0].tolist()
    assert moved == [1, 0, 1, 1, 1, -1 / 2]


def test_a_single_label_is_torchs_embedding_with_the_same_first_weights():
    torch.manual_seed(3)
    plain = torch.nn.Embedding(5, 4)
    torch.manual_seed(3)
    ours = ConditionEmbedding(Conditions({"label": 5}, {}), 4)
    labels = torch.tensor([4, 0, 4])
    assert torch.equal(plain(labels), ours({"label": labels})) and torch.equal(plain(labels), ours(labels))
    assert plain.state_dict().keys() == ours.state_dict().keys()


def test_batch_norm_by_several_labels_begins_without_any(known):
    features = torch.randn(2, 3, 4, 4)
    layer = ConditionalBatchNorm2d(3, known)
    plain = torch.nn.BatchNorm2d(3, affine=False)
    torch.testing.assert_close(layer(features, GIVEN), plain(features))
    with torch.no_grad():
        layer.scale.weight[4] += 1  # the eyes of the first sample
    torch.testing.assert_close(layer(features, GIVEN), plain(features) * torch.tensor([2.0, 1.0])[:, None, None, None])


def test_data_without_labels_are_refused():
    with pytest.raises(ValueError, match="conditional = true needs data with labels, such as a folder"):
        find_conditions(True, None)
    with pytest.raises(ValueError, match="a conditional network needs data with labels, such as a folder"):
        read_conditions(None, None)
