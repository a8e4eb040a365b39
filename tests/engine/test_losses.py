"""How often losses play, how much they count, and what their terms may be; accumulation."""

import pytest
import torch
from torch.nn.functional import softplus

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from ganzoo import Scheduled
from tiny_game import Descent, agree, make, moves, play

pytestmark = pytest.mark.usefixtures("float64")


def test_a_lazy_term_plays_on_each_kth_turn_of_a_side_and_counts_k_times():
    moved = moves(4, Descent(), Scheduled(Descent(), weight=10, every=3), critic_steps=2)
    assert moved["discriminator"] == pytest.approx([31 + 1, 1 + 31, 1 + 1, 31 + 1])
    assert moved["generator"] == pytest.approx([31, 1, 1, 31])


def test_a_loss_plays_from_start_on_and_before_stop():
    moved = moves(5, Descent(), Scheduled(Descent(), weight=10, start=1, stop=3))
    assert moved == dict.fromkeys(("generator", "discriminator"), pytest.approx([1, 11, 11, 1, 1]))


class Spy(NonSaturating):
    """Keeps what `after` is given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def after(self, step, terms):
        assert not any(term.requires_grad for term in terms.values()) and not torch.is_grad_enabled()
        self.given.append({f"{step.turn}/{name}": term.item() for name, term in terms.items()})


def test_accumulation_changes_nothing_but_memory():
    spies = Spy(), Spy()
    whole, parts = (
        play(make(spy, Scheduled(GradientPenalty(), weight=10), critic_steps=2, accumulate=k), 3)
        for spy, k in zip(spies, (1, 4), strict=True)
    )
    agree(parts.generator, whole.generator)
    agree(parts.discriminator, whole.discriminator)
    assert torch.equal(parts.rng.get_state(), whole.rng.get_state())
    assert parts.metrics() == pytest.approx(whole.metrics())
    assert len(spies[1].given) == 3 * 3
    assert all(a == pytest.approx(b) for a, b in zip(*(spy.given for spy in spies), strict=True))


class Says(NonSaturating):
    """A loss whose generator's term is whatever it is told."""

    def __init__(self, terms):
        super().__init__()
        self.terms = terms

    def generator(self, step):
        return self.terms(step.fake_scores)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (lambda scores: {"all": scores}, "terms are scalar tensors by name, but 'all' is shape (8, 1)"),
        (lambda scores: {"number": 1.0}, "but 'number' is float"),
        (lambda scores: None, 'must return a dict of terms by name, such as {"fool": ...}, and returns NoneType'),
        (lambda scores: -scores.mean(), "and returns Tensor"),
    ],
)
def test_what_is_no_scalar_tensor_by_name_is_refused(terms, sentence):
    with pytest.raises(ganzoo.BadInput) as error:
        play(make(Says(terms)), 1)
    assert sentence in str(error.value)


@pytest.mark.parametrize("times", [{"every": 0}, {"start": 5, "stop": 5}, {"stop": 0}])
def test_a_loss_that_would_never_play_is_refused(times):
    with pytest.raises(ganzoo.BadInput, match="'NonSaturating' would never play"):
        Scheduled(NonSaturating(), **times)


def test_losses_without_any_term_are_refused():
    with pytest.raises(ganzoo.BadInput, match="nothing would be trained"):
        make(ganzoo.Loss())


def test_the_same_scheduled_loss_twice_counts_twice_and_stays_as_it_was():
    use = Scheduled(NonSaturating(), name="ns")
    engine = make(use, use)
    assert [each.name for each in engine.losses] == ["ns", "ns-2"]
    assert use.name == "ns"
    agree(play(engine, 3).generator, play(make(Scheduled(NonSaturating(), weight=2.0)), 3).generator)


class Twofold(ganzoo.Loss):
    """The same tensor under two names."""

    def discriminator(self, step):
        term = (softplus(-step.real_scores) + softplus(step.fake_scores)).mean()
        return {"one": term, "other": term}

    def generator(self, step):
        return {"fake": 2 * softplus(-step.fake_scores).mean()}


def test_the_same_tensor_under_two_names_counts_twice():
    engine = play(make(Twofold()), 3)
    agree(engine.generator, play(make(Scheduled(NonSaturating(), weight=2.0)), 3).generator)


def test_a_term_that_was_detached_is_named_where_nothing_else_trains_a_side():
    sentence = r"no loss gives the generator a gradient at step 0 \(Says/fool have none"
    with pytest.raises(ganzoo.BadInput, match=sentence):
        play(make(Says(lambda scores: {"fool": -scores.detach().mean()})), 1)
