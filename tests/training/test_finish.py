"""`Generator.finish` changes the model that is saved, and nothing in the training."""

import pytest
import torch
from torch import nn

import ganzoo
from trainings import assert_same_weights, state, tiny, train_with

TINY = tiny(steps=6, log_every=2, save_every=2, evaluate_every=0)
del TINY["architecture"]["generator"]
train = train_with(TINY)


class Plain(ganzoo.Generator):
    """A generator with batch norm and a buffer for what it finds out at the end; noise of its own, too."""

    latent_size = 3

    def __init__(self, image):
        super().__init__()
        self.mapping = nn.Linear(3, 4)
        self.net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, image[1] * image[2]), nn.Tanh())
        self.register_buffer("w_mean", torch.zeros(4))
        self.register_buffer("seen", torch.zeros(2))

    def forward(self, given):
        w = self.mapping(given["z"]) + 0.01 * torch.randn(len(given["z"]), 4)
        return self.net(w).view(-1, 1, 28, 28)


class Finished(Plain):
    """The average of w, and batch norm with the statistics of many samples (Brock et al. 2019, appendix C)."""

    def finish(self, batches):
        torch.manual_seed(99)
        self.w_mean.copy_(torch.cat([self.mapping(given["z"]) for given in batches]).mean(0))
        self.train()
        self.net[0].reset_running_stats()
        self.net[0].momentum = None
        for given in batches:
            self.seen += torch.tensor([1, len(given["z"])])
            self(given)


def test_the_saved_model_is_finished_and_the_training_is_as_without_it(tmp_path):
    plain = train(tmp_path / "plain", generator=Plain)
    finished = train(tmp_path / "finished", generator=Finished)
    for name, value in state(plain).tensors.items():
        assert torch.equal(value, state(finished).tensors[name]), name
    saved, trained = finished.model.generator.state_dict(), plain.model.generator.state_dict()
    assert {name for name in saved if not torch.equal(saved[name], trained[name])} == {
        "w_mean", "seen", "net.0.running_mean", "net.0.running_var", "net.0.num_batches_tracked",
    }  # fmt: skip
    assert saved["seen"].tolist() == [128, 128 * 64]
    weights = trained["mapping.weight"], trained["mapping.bias"]
    latents = finished.model.sample_with_given(64 * 128)[1]["z"]
    torch.testing.assert_close(saved["w_mean"], nn.functional.linear(latents, *weights).mean(0))
    assert torch.equal(finished.sample(3), finished.sample(3))


def test_a_resumed_run_saves_the_same_finished_model(tmp_path):
    whole = train(tmp_path / "whole", generator=Finished)
    train(tmp_path / "parts", generator=Finished, train={"steps": 3})
    parts = ganzoo.train(out=tmp_path / "parts", resume=True, generator=Finished, quiet=True, **{"train.steps": 6})
    assert_same_weights(whole, parts)
    for name, value in whole.model.generator.state_dict().items():
        assert torch.equal(value, parts.model.generator.state_dict()[name])


class OfGrey(Plain):
    """Needs inputs: real ones are among the batches."""

    needs = ("grey",)

    def finish(self, batches):
        for given in batches:
            self.w_mean += given["grey"].mean() / 128
            self.seen[0] = len(given["grey"])


def test_inputs_are_among_what_a_generator_is_finished_with(tmp_path):
    batch = {"image": torch.rand(8, 1, 28, 28), "grey": torch.linspace(0, 1, 8)[:, None]}
    run = train(tmp_path / "run", generator=OfGrey, data=[batch])
    saved = run.model.generator
    assert saved.seen[0] == 64
    torch.testing.assert_close(saved.w_mean, torch.full((4,), 0.5))


def adds_a_buffer(generator):
    generator.register_buffer("late", torch.zeros(1))


def makes_a_nan(generator):
    generator.w_mean.fill_(torch.nan)


def refuses(generator):
    raise ValueError("nothing can be said")


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        (adds_a_buffer, r"Wrong: finish\(\) must keep names, shapes and types of all weights and buffers: 'late'"),
        (makes_a_nan, r"Wrong: finish\(\) leaves 'w_mean' with a number that is not finite"),
        (refuses, "Wrong: nothing can be said"),
    ],
)
def test_a_model_that_could_not_be_loaded_is_refused(tmp_path, finish, sentence):
    class Wrong(Plain):
        def finish(self, batches):
            finish(self)

    with pytest.raises(ganzoo.BadInput, match=sentence):
        train(tmp_path / "run", generator=Wrong)


class NetworkCalledFinish(ganzoo.Generator):
    latent_size = 3

    def __init__(self, image):
        super().__init__()
        self.finish = nn.Sequential(nn.Linear(3, image[1] * image[2]), nn.Tanh(), nn.Unflatten(1, image))

    def forward(self, given):
        return self.finish(given["z"])


def test_a_network_may_be_called_finish(tmp_path):
    run = train(tmp_path / "run", generator=NetworkCalledFinish)
    assert run.sample(2).shape == (2, 1, 28, 28)
