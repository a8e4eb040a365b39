"""What views do with pictures of any kind, with what belongs to them, and with several processes."""

import pytest
import torch

import ganzoo
from ganzoo_augment.ada import PIPELINE, Ada
from ganzoo_augment.apa import Apa
from ganzoo_augment.penalties import BalancedConsistency
from ganzoo_augment.views import DiffAugment, Mirror

toys = ganzoo.testing.toys
ALL = ("mirror", "colour", "translation", "cutout")
VIEWS = {
    "mirror": Mirror,
    "diffaugment": lambda: DiffAugment(ALL),
    "ada": lambda: Ada(tuple(PIPELINE), p=0.7),
    "apa": lambda: Apa(p=0.5),
}


def make_step(image, n=6, turn="discriminator", discriminator=None, batch=None, **more):
    shape, rng = tuple(image), torch.Generator().manual_seed(1)
    batch = batch or {"image": torch.rand(n, *shape, generator=rng) * 2 - 1}
    latent = {"z": torch.randn(len(batch["image"]), 3, generator=rng)}
    torch.manual_seed(0)
    generator = toys.TinyGenerator(shape)
    discriminator = discriminator or toys.TinyCritic(shape)
    call = toys.call_network
    rng = torch.Generator().manual_seed(2)
    return ganzoo.Step(
        turn, 0, batch, latent, generator=generator, discriminator=discriminator, call=call, rng=rng, **more
    )


def seen(view, step, images=None):
    step._views = [view.view]
    return step.see(step.real if images is None else images, step.batch)[0]


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("image", [(1, 16, 16), (2, 16, 24), (3, 24, 16), (4, 9, 5)], ids=str)
def test_pictures_of_any_channels_and_size_keep_their_shape_and_type(name, image):
    for kind in (torch.float32, torch.float64, torch.bfloat16):
        step = make_step(image)
        step.batch["image"] = step.batch["image"].to(kind)
        found = seen(VIEWS[name](), step)
        assert found.shape == step.real.shape and found.dtype == kind and found.isfinite().all()
        assert (found != step.real).any()


@pytest.mark.parametrize("view", [DiffAugment(("colour",)), Ada(("colour",), p=1.0)], ids=["diffaugment", "ada"])
@pytest.mark.parametrize(("channels", "colours"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_colour_leaves_opacity_alone_and_changes_the_colours_as_without_it(view, channels, colours):
    step = make_step((channels, 4, 4))
    found, images = seen(view, step), step.real
    assert (found[:, colours:] == images[:, colours:]).all() and (found[:, :colours] != images[:, :colours]).any()
    alone = make_step((colours, 4, 4), batch={"image": images[:, :colours]})
    torch.testing.assert_close(found[:, :colours], seen(view, alone))


@pytest.mark.parametrize("policy", [("mirror", "translation"), ("blit", "geometric")])
def test_pictures_that_the_discriminator_sees_beside_the_image_move_with_it(policy):
    class Pairs(toys.TinyCritic):
        needs, takes = ("sketch",), ("mask", "label")

    view = Ada(policy, p=1.0) if "blit" in policy else DiffAugment(policy)
    image = torch.rand(6, 3, 16, 16)
    batch = {"image": image, "sketch": image[:, :1], "mask": image[:, 1:], "label": torch.arange(6), "other": image}
    step = make_step((3, 16, 16), discriminator=Pairs((3, 16, 16)), batch=batch)
    step._views = [view.view]
    found, beside = step.see(step.real, step.batch)
    assert (found != image).any()
    torch.testing.assert_close(beside["sketch"], found[:, :1])
    torch.testing.assert_close(beside["mask"], found[:, 1:])
    assert beside["label"] is batch["label"] and beside["other"] is image


def test_what_lies_beside_the_image_keeps_its_colour_and_its_values():
    class Pairs(toys.TinyCritic):
        needs = ("sketch",)

    image = torch.rand(6, 3, 8, 8)
    batch = {"image": image, "sketch": image[:, :1]}
    step = make_step((3, 8, 8), discriminator=Pairs((3, 8, 8)), batch=batch)
    step._views = [Ada(("colour", "filter", "noise", "cutout"), p=1.0).view]
    assert step.see(step.real, step.batch)[1]["sketch"].equal(image[:, :1])


def test_a_mirror_of_real_pictures_alone_leaves_fakes_as_they_are():
    step = make_step((1, 8, 8))
    step._views = [Mirror(real_only=True).view]
    assert (step.see(step.real, step.batch)[0] != step.real).any()
    assert step.see(step.fake, step.given)[0] is step.fake


@pytest.mark.parametrize("name", VIEWS)
def test_the_parts_of_two_processes_see_what_the_whole_batch_sees(name):
    whole = make_step((3, 8, 8), n=8)
    expected = seen(VIEWS[name](), whole)
    parts = []
    for rank in range(2):
        batch = {"image": whole.real[4 * rank : 4 * rank + 4]}
        step = make_step((3, 8, 8), batch=batch, rank=rank, processes=2)
        step.latent["z"] = step.given["z"] = whole.latent["z"][4 * rank : 4 * rank + 4]
        parts.append(seen(VIEWS[name](), step))
        assert step._draws.rng.get_state().equal(whole._draws.rng.get_state())
    torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-5, atol=1e-6)


class Pair(toys.TinyGenerator):
    makes = ("left", "right")

    def forward(self, given):
        return {"left": super().forward(given), "right": super().forward(given)}


LOSSES = {**VIEWS, "bcr": BalancedConsistency}


@pytest.mark.parametrize("name", LOSSES)
def test_several_kinds_of_pictures_are_refused_in_a_sentence(name):
    losses = [toys.NonSaturating(), LOSSES[name]()]
    engine = ganzoo.Engine(Pair(), toys.TinyCritic(), losses, device="cpu", train={"precision": "fp32"})
    batch = {"left": torch.zeros(2, 1, 2, 2), "right": torch.zeros(2, 1, 2, 2)}
    with pytest.raises(ganzoo.BadInput, match="needs one kind of image, but the generator makes left and right"):
        engine.prepare(batch)


@pytest.mark.parametrize("name", ["mirror", "diffaugment", "ada", "bcr"])
def test_samples_that_are_no_pictures_are_refused_in_a_sentence(name):
    losses = [toys.NonSaturating(), LOSSES[name]()]
    engine = ganzoo.Engine(toys.PointGenerator(), toys.TinyCritic((2,)), losses, device="cpu")
    with pytest.raises(
        ganzoo.BadInput, match=r"changes images \(n, channels, height, width\), but the samples are \(4, 2\)"
    ):
        engine.prepare({"point": torch.zeros(4, 2)})


def test_apa_takes_samples_of_any_kind():
    losses = [toys.NonSaturating(), Apa(p=0.5)]
    engine = ganzoo.Engine(toys.PointGenerator(), toys.TinyCritic((2,)), losses, device="cpu")
    assert engine.run([{"point": torch.randn(8, 2)}], 2)["discriminator/Apa/p"] == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DiffAugment(()), "policy needs at least one word"),
        (lambda: Ada(()), "policy needs at least one word"),
        (lambda: Ada(p=1.5), "p must lie between 0 and 1, got 1.5"),
        (lambda: Apa(p=-0.1), "p must lie between 0 and 1, got -0.1"),
        (lambda: Ada(target=1.0), "target must lie between -1 and 1, the mean sign of real scores, got 1.0"),
        (lambda: Apa(speed=0), "speed must be a number greater than 0, got 0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_colours_of_more_than_four_channels_are_refused_with_the_policy_that_works():
    policy = r"policy = \['translation', 'cutout'\]"
    with pytest.raises(
        ValueError, match=f"changes the colour of images of 1 to 4 channels, got 5; leave it out: {policy}"
    ):
        DiffAugment().setup(make_step((5, 8, 8)))
    DiffAugment(("translation",)).setup(make_step((5, 8, 8)))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({"name": "diffaugment", "policy": ["colour", "rotation"]}, "policy"),
        ({"name": "diffaugment", "policy": "color"}, "policy"),
        ({"name": "ada", "speeed": 1}, "unknown key 'loss.ada.speeed'; did you mean 'speed'?"),
        ({"name": "ada", "p": 2}, "p must lie between 0 and 1, got 2"),
    ],
)
def test_options_that_do_not_exist_are_refused_in_a_sentence(loss, message, tmp_path):
    with pytest.raises(ganzoo.BadInput) as refusal:
        ganzoo.train("dcgan", losses=["non-saturating", loss], out=tmp_path / "run", device="cpu", quiet=True)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)
