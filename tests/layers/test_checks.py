"""Checks of options: what they let through, and the sentences of what they refuse."""

import math

import pytest
import torch

from ganzoo.layers import (
    activation_layers,
    check_at_least_one,
    check_below_one,
    check_classes,
    check_dropout,
    check_image,
    check_not_negative,
    check_positive,
    check_share,
    single,
)


def test_what_is_allowed_is_let_through():
    check_at_least_one()
    check_at_least_one(latent_size=1, embedding=100)
    check_positive()
    check_positive(gamma=1e-9, noise=1e9)
    check_not_negative(target=0, gamma=0.5)
    check_share(p=0, limit=1.0)
    check_below_one(decay=0.0, amount=0.999)
    check_dropout(0.0)
    check_dropout(0.999)
    for size in ((28, 28), (16, 16), (1024, 1024), (16, 64), (20, 100)):
        check_image((3, *size))


def test_the_first_option_below_one_is_named():
    with pytest.raises(ValueError, match=r"^embedding must be at least 1, got -2$"):
        check_at_least_one(latent_size=1, embedding=-2, width=0)


@pytest.mark.parametrize("value", [0, -0.5, math.inf, math.nan])
def test_what_is_not_a_positive_finite_number_is_named(value):
    with pytest.raises(ValueError, match=rf"^noise must be a number greater than 0, got {value}$"):
        check_positive(gamma=1.0, noise=value)


@pytest.mark.parametrize("value", [-1, math.inf, math.nan])
def test_what_is_negative_or_not_finite_is_named(value):
    with pytest.raises(ValueError, match=rf"^target must be a number of 0 or more, got {value}$"):
        check_not_negative(target=value)


@pytest.mark.parametrize("check", [check_dropout, activation_layers])
@pytest.mark.parametrize("dropout", [-0.1, 1.0, math.nan])
def test_a_dropout_that_is_not_a_probability_below_one_is_refused(check, dropout):
    with pytest.raises(ValueError, match=f"^dropout must be at least 0 and below 1, got {dropout}$"):
        check(dropout)


def test_a_side_that_is_no_multiple_of_four_is_refused():
    sentence = "^images must be multiples of 4 pixels from 16 up, high and wide, got 32 x 30; the nearest is 32 x 32, "
    with pytest.raises(ValueError, match=sentence + "data.size = 32$"):
        check_image((3, 32, 30))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_what_is_not_a_share_is_named(value):
    with pytest.raises(ValueError, match=f"^limit must lie between 0 and 1, got {value}$"):
        check_share(p=0.5, limit=value)


def test_a_network_knows_classes_only_if_it_is_conditional_and_the_data_have_some():
    assert check_classes(True, 3) == 3
    assert check_classes(False, 3) is None and check_classes(False, None) is None
    with pytest.raises(ValueError, match=r"^conditional = true needs data with labels, such as a folder"):
        check_classes(True, None)


def test_images_of_several_kinds_are_refused():
    assert single(image := torch.zeros(1)) is image
    with pytest.raises(ValueError, match=r"^it needs one kind of image, but the generator makes a and b$"):
        single({"a": torch.zeros(1), "b": torch.zeros(1)})
