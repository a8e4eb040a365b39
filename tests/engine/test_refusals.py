"""Settings, networks, data and devices that make no sense are refused in one sentence."""

import pytest
import torch
from torch import nn

import ganzoo
from games.losses import GradientPenalty, NonSaturating
from games.parts import NOISE, SIZE, PointDiscriminator, PointGenerator
from ganzoo import Scheduled
from tiny_game import N, agree, batches, make, play, point_networks

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ({"steps": 10, "epochs": 2}, "give steps or epochs, not both"),
        ({"steps": 10, "minutes": 2}, "give steps or minutes, not both"),
        ({"epochs": 2}, "give train.steps instead of train.epochs"),
        ({"batch": 10, "accumulate": 4}, "batch 10 cannot be split into 4 equal parts"),
        ({"critic_stepz": 5}, "critic_stepz"),
        ({"critic_steps": 0}, "critic_steps"),
        ({"ema": 1.0}, "ema"),
        ({"precision": "fp8"}, "precision"),
    ],
)
def test_train_settings_that_make_no_sense_are_refused(train, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(**train)


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        ({"name": "rmsprop", "betas": (0.5, 0.9)}, "'betas' does not go with rmsprop"),
        ({"generator": {"name": "sgd", "betas": (0.5, 0.9)}}, "'betas' does not go with sgd"),
        ({"alpha": 0.9}, "'alpha' does not go with adam"),
        ({"betas": (0.5, 1.0)}, r"betas must lie in \[0, 1\)"),
        ({"name": "lion"}, "name"),
        ({"lr": -1}, "lr"),
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"discriminator": {"learning_rate": 0.1}}, "learning_rate"),
    ],
)
def test_optimizer_settings_that_make_no_sense_are_refused(optimizer, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(optimizer=optimizer)


def test_sides_that_share_a_parameter_are_refused():
    g, d = point_networks()
    d.net[0].bias = g.net[0].bias
    with pytest.raises(ganzoo.BadInput, match=r"share a parameter \(net.0.bias is net.0.bias\)"):
        make(networks=lambda: (g, d))


def test_a_game_without_a_loss_is_refused():
    with pytest.raises(ganzoo.BadInput, match="there is no loss"):
        ganzoo.Engine(*point_networks(), [], device="cpu")


def test_a_generator_that_makes_another_shape_than_the_data_is_refused():
    with pytest.raises(ganzoo.BadInput, match=r"makes 'image' of shape \(8, 4\), the data has \(8, 5\)"):
        play(make(), 1, batches(5))


def test_a_side_whose_needs_the_data_does_not_meet_is_refused():
    class Labelled(PointDiscriminator):
        needs = ("label",)

    with pytest.raises(ganzoo.BadInput, match="the discriminator needs 'label' in every batch; the data has image"):
        play(make(networks=lambda: (PointGenerator(), Labelled())), 1)


@pytest.mark.parametrize("use", ["needs", "takes"])
def test_an_input_of_another_shape_than_the_generator_states_is_refused(use):
    generator, data = PointGenerator(), [{**batch, "low": torch.randn(N, 3)} for batch in batches()]
    setattr(generator, use, {"low": ganzoo.Spec(shape=(2,)), "image": ganzoo.Spec(shape=(SIZE,))})
    with pytest.raises(ganzoo.BadInput, match=rf"the generator {use} 'low' of shape \(2,\), the data has \(3,\)"):
        play(make(networks=lambda: (generator, PointDiscriminator())), 1, data)


def test_a_generator_of_another_class_is_refused():
    with pytest.raises(ganzoo.BadInput, match=r"the generator is a Linear; it must be a subclass of ganzoo.Generator"):
        make(networks=lambda: (nn.Linear(NOISE, SIZE), PointDiscriminator()))


def test_a_batch_key_that_is_not_there_is_named_beside_those_that_are():
    with pytest.raises(ganzoo.BadInput, match="the batch has no 'image'; it has 'picture'"):
        play(make(), 1, [{"picture": torch.randn(N, SIZE)}])


def test_a_loss_that_refuses_in_setup_is_named():
    class Picky(NonSaturating):
        def setup(self, step):
            if step.real_scores.dim() == 2:
                raise ValueError("scores must be a map; take a patch discriminator")

    with pytest.raises(ganzoo.BadInput, match=r"^loss 'picky': scores must be a map; take a patch discriminator$"):
        play(make(Scheduled(Picky(), name="picky")), 1)


def test_data_that_end_are_refused_and_data_that_can_begin_again_are_not():
    with pytest.raises(ganzoo.BadInput, match="the data gave no more batches"):
        make().run((batch for batch in batches(count=3)), 4)
    with pytest.raises(ganzoo.BadInput, match="the data gave no batch at all"):
        make().run([], 1)
    again = make()
    again.run(batches(count=3), 4)
    agree(again.generator, play(make(), 4, batches(count=3) * 2).generator)


def test_an_iterator_goes_on_where_the_last_run_left_it():
    engine, stream = make(), iter(batches())
    engine.run(stream, 2)
    engine.run(stream, 2)
    agree(engine.generator, play(make(), 4).generator)


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("tpu", "unknown device 'tpu'; did you mean 'cpu'?"),
        ("vulkan", "unknown device 'vulkan'; allowed: auto, cpu, cuda, mps"),
        ("cpu:1", "this machine has no device 'cpu:1'; it has cpu"),
        ("cpu:", "this machine has no device 'cpu:'; it has cpu"),
        ("cuda:99", "this machine has no device 'cuda:99'; it has cpu"),
    ],
)
def test_a_device_that_is_unknown_or_absent_is_refused(device, sentence):
    with pytest.raises(ganzoo.BadInput) as refusal:
        ganzoo.Engine(*point_networks(), [NonSaturating()], device=device)
    assert str(refusal.value).startswith(sentence)


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(ganzoo.BadInput, match="a batch of 8 cannot be split into 3 equal parts"):
        play(make(batch=9, accumulate=3), 1)


def test_a_side_with_nothing_to_train_is_refused():
    class Fixed(PointDiscriminator):
        def __init__(self):
            super().__init__()
            self.requires_grad_(False)

    engine = make(GradientPenalty(), networks=lambda: (PointGenerator(), Fixed()))
    with pytest.raises(ganzoo.BadInput, match="no loss gives the discriminator a gradient at step 0"):
        play(engine, 1)


@pytest.mark.parametrize("count", [0, -1, 2.5, None])
def test_a_categorical_latent_without_values_is_refused(count):
    class Wrong(PointGenerator):
        categorical = {"label": count}  # noqa: RUF012

    with pytest.raises(ganzoo.BadInput, match=rf"categorical 'label' has {count} values; it needs 1 or more"):
        make(networks=lambda: (Wrong(), PointDiscriminator()))


def test_a_lazy_layer_is_refused_by_name():
    class Lazy(PointDiscriminator):
        def __init__(self):
            super().__init__()
            self.late = nn.LazyLinear(1)

    with pytest.raises(ganzoo.BadInput, match=r"Lazy has a lazy layer \('late\.weight'\): give it its size"):
        make(networks=lambda: (PointGenerator(), Lazy()))


def test_what_makes_says_must_be_what_forward_returns():
    class Wrong(PointGenerator):
        makes = ("image", "mask")

    with pytest.raises(ganzoo.BadInput, match="its forward must return a dict with these keys"):
        play(make(networks=lambda: (Wrong(), PointDiscriminator())), 1)
