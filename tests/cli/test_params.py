"""What is typed after `--loss`, as a table of a recipe."""

import pytest

from ganzoo.cli.params import parse_loss


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("r1, weight=10,every=16", {"name": "r1", "weight": 10, "every": 16}),
        ("r1,weight={from=1,to=0.5}", {"name": "r1", "weight": {"from": 1, "to": 0.5}}),
        ("mine,sizes=[1,2],kind='a,b'", {"name": "mine", "sizes": [1, 2], "kind": "a,b"}),
        ("it's/x.py:Mine,weight=2", {"name": "it's/x.py:Mine", "weight": 2}),
    ],
)
def test_commas_separate_options_but_not_inside_a_value(text, loss):
    assert parse_loss(text) == loss
