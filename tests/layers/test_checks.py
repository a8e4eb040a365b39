"""Checks of options: what they let through, and the sentences of what they refuse."""

import math

import pytest

from ganzoo.layers import activation_layers, check_at_least_one, check_dropout, check_image


def test_what_is_allowed_is_let_through():
    check_at_least_one()
    check_at_least_one(latent_size=1, embedding=100)
    check_dropout(0.0)
    check_dropout(0.999)
    for side in (28, 16, 32, 1024):
        check_image((3, side, side))


def test_the_first_option_below_one_is_named():
    with pytest.raises(ValueError, match=r"^embedding must be at least 1, got -2$"):
        check_at_least_one(latent_size=1, embedding=-2, width=0)


@pytest.mark.parametrize("check", [check_dropout, activation_layers])
@pytest.mark.parametrize("dropout", [-0.1, 1.0, math.nan])
def test_a_dropout_that_is_not_a_probability_below_one_is_refused(check, dropout):
    with pytest.raises(ValueError, match=f"^dropout must be at least 0 and below 1, got {dropout}$"):
        check(dropout)


def test_a_size_that_does_not_halve_to_four_is_refused():
    sentence = "^images must be square, 28 pixels wide or a power of two from 16 up, got 32 x 28$"
    with pytest.raises(ValueError, match=sentence):
        check_image((3, 32, 28))
