"""Runs that train the generator alone: pre-trainings, and second phases."""

import pytest
import torch

import ganzoo
from trainings import Heard, assert_same_weights, state, tiny, train_with

TINY = tiny(steps=6, log_every=2, save_every=2, critic_steps=3)
train = train_with(TINY)


class Pixels(ganzoo.Loss):
    """Ledig et al. 2017 (SRGAN), section 3.2: the generator learns from the squared error first."""

    def generator(self, step):
        return {"mse": (step.fake - step.real).square().mean()}


def test_without_a_loss_for_it_the_discriminator_has_no_turn(tmp_path):
    heard = Heard()
    run = train(tmp_path / "run", losses=[Pixels()], callbacks=[heard])
    assert {key for line in run.metrics for key in line if "/" in key} == {"generator/Pixels/mse"}
    assert [line["images"] for line in run.metrics] == [16, 32, 48]  # one batch for each step
    saved = state(run)
    assert not [name for name in saved.tensors if name.startswith("optimizer.discriminator")]
    torch.manual_seed(0)
    found = ganzoo.create("vanilla", image=(1, 28, 28), generator={"widths": [16]}, discriminator={"widths": [16]})
    for name, weight in found[1].state_dict().items():
        assert torch.equal(saved.tensors[f"discriminator.{name}"], weight)
    assert run.sample(2).shape == (2, 1, 28, 28)


def test_it_is_resumed_exactly_and_says_in_its_first_line_what_it_trains(tmp_path, caplog):
    caplog.set_level("INFO", "ganzoo")
    whole = train(tmp_path / "whole", losses=[Pixels()])
    first = caplog.messages[0]
    assert first.startswith("training ") and "in fp32, the generator alone, as no loss has a term for the disc" in first
    train(tmp_path / "parts", losses=[Pixels()], train={"steps": 3})
    parts = ganzoo.train(out=tmp_path / "parts", resume=True, losses=[Pixels()], quiet=True, **{"train.steps": 6})
    assert_same_weights(whole, parts)


@pytest.mark.parametrize(("losses", "steps"), [([Pixels()], 5), ([Pixels(), "non-saturating"], 2)])
def test_epochs_count_the_batches_of_such_a_run(tmp_path, losses, steps):
    recipe = ganzoo.Recipe.load(TINY, **{"train.epochs": 0.004})  # of 10,000 digits
    run = ganzoo.train(recipe, losses=losses, out=tmp_path / "run", quiet=True)
    assert run.recipe.train.steps == steps
    assert run.metrics[-1]["images"] == steps * 8 * (1 if len(losses) == 1 else 3)


def test_a_loss_that_begins_after_the_end_trains_nothing_either(tmp_path, caplog):
    caplog.set_level("INFO", "ganzoo")
    train(tmp_path / "run", losses=[Pixels(), ganzoo.Scheduled(Late(), start=6)])
    assert "the generator alone, as no loss has a term for the discriminator before step 6, to" in caplog.messages[0]


class Late(ganzoo.Loss):
    def discriminator(self, step):
        return {"real": step.real_scores.mean()}


def test_what_would_train_no_generator_is_refused(tmp_path):
    with pytest.raises(ganzoo.BadInput, match=r"nothing would train the generator: none of the losses \(Late\) has"):
        train(tmp_path / "run", losses=[Late()])
    assert not (tmp_path / "run").exists()


def test_a_discriminator_that_is_kept_may_be_trained_alone(tmp_path, caplog):
    caplog.set_level("INFO", "ganzoo")
    run = train(tmp_path / "run", losses=[Late()], train={"keep_discriminator": True})
    assert "the discriminator alone, as no loss has a term for the generator before step 6, to" in caplog.messages[0]
    assert {key for line in run.metrics for key in line if "/" in key} == {"discriminator/Late/real"}
    assert run.model.discriminator is not None
    with pytest.raises(ganzoo.BadInput, match="nothing would train the generator"):
        late = ganzoo.Scheduled(Late(), start=6)
        train(tmp_path / "late", losses=[late], train={"keep_discriminator": True})
