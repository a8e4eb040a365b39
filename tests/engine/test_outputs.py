"""What networks and views return is what they promise, or one sentence says what it must be."""

import weakref
from collections import namedtuple

import pytest
import torch

import ganzoo
from games.losses import NonSaturating
from games.parts import CLASSES, NOISE, SIZE, PointDiscriminator, PointGenerator
from games.wider import Auxiliary, LabelReader
from ganzoo import Scheduled
from tiny_game import N, agree, batches, make, play

Pair = namedtuple("Pair", ["scores", "extras"])


def returning(output):
    """Networks of which one makes `output(what it made)` of what it would return."""

    class Wrapped(PointDiscriminator):
        def forward(self, images, given):
            return output(super().forward(images, given))

    return lambda: (PointGenerator(), Wrapped())


SCORES = (
    r"Wrapped must return scores, a list of score maps, or either with a dict of extras: \(scores, {'label': ...}\);"
)


@pytest.mark.parametrize(
    ("output", "returned"),
    [
        (lambda scores: (scores, scores), r"\(Tensor, Tensor\)"),
        (lambda scores: (scores, scores, {}), r"\(Tensor, Tensor, {}\)"),
        (lambda scores: (scores, [scores]), r"\(Tensor, \[Tensor\]\)"),
        (lambda scores: (None, {"label": scores}), r"\(NoneType, {'label': Tensor}\)"),
        (lambda scores: [scores, [scores]], r"\[Tensor, \[Tensor\]\]"),
        (lambda scores: [], r"\[\]"),
        (lambda scores: {"validity": scores}, "{'validity': Tensor}"),
        (lambda scores: None, "NoneType"),
        (lambda scores: scores.tolist(), r"\[\[float\], "),
    ],
)
def test_anything_else_that_a_discriminator_returns_is_refused(output, returned):
    with pytest.raises(ganzoo.BadInput, match=f"{SCORES} it returned {returned}"):
        play(make(networks=returning(output)), 1)


@pytest.mark.parametrize("output", [lambda s: (s, {}), lambda s: [s], lambda s: ([s], {"x": s}), lambda s: Pair(s, {})])
def test_one_judge_may_say_it_in_any_form(output):
    agree(play(make(networks=returning(output)), 3).discriminator, play(make(), 3).discriminator)


def test_a_discriminator_always_returns_as_many_score_maps():
    class Unsteady(PointDiscriminator):
        def forward(self, images, given):
            scores = super().forward(images, given)
            return [scores, scores] if "z" in given else [scores]

    with pytest.raises(ganzoo.BadInput, match="as many score maps, and returned 1 for some images and 2 for others"):
        play(make(networks=lambda: (PointGenerator(), Unsteady())), 1)


@pytest.mark.parametrize("split", [{}, {"accumulate": 2}])
def test_terms_have_the_same_names_for_all_judges_and_all_parts(split):
    class Renamed(NonSaturating):
        turns = 0

        def generator(self, step):
            step.fake_scores.sum()
            self.turns += 1
            return {f"term{self.turns}": step.fake_scores.mean()}

    networks = returning(lambda scores: scores if split else [scores, scores])
    sentence = "loss 'Renamed': the names of its terms may not depend on scores or samples: term1 and term2"
    with pytest.raises(ganzoo.BadInput, match=sentence.replace("1", r"\d").replace("2", r"\d")):
        play(make(Renamed(), networks=networks, **split), 1)


@pytest.mark.parametrize(
    ("makes", "output", "sentence"),
    [
        ("image", lambda x: {"image": x, "w": x}, r"says that it makes 'image', and .* returns a dict of 'image', 'w'"),
        ("image", lambda x: (x, x), r"Made must return samples, .* it returned \(Tensor, Tensor\)"),
        ("image", lambda x: [x], r"Made must return samples, .* it returned \[Tensor\]"),
        ("image", lambda x: None, "Made must return samples, .* it returned NoneType"),
        ("image", lambda x: {"image": None}, "Made must return samples, .* it returned {'image': NoneType}"),
        (("image", "mask"), lambda x: x, "its forward must return a dict with these keys"),
        (("image", "mask"), lambda x: ({"image": x}, {"mask": x}), "its forward must return a dict with these keys"),
        (("image",), lambda x: {"image": x[:, :2]}, r"makes 'image' of shape \(8, 2\), the data has \(8, 4\)"),
    ],
)
def test_what_a_generator_makes_and_what_it_returns_are_held_together(makes, output, sentence):
    class Made(PointGenerator):
        def forward(self, given):
            return output(super().forward(given))

    Made.makes = makes
    with pytest.raises(ganzoo.BadInput, match=sentence):
        play(make(networks=lambda: (Made(), PointDiscriminator())), 1)


@pytest.mark.parametrize(
    ("seen", "returned"), [(None, "NoneType"), ((torch.zeros(N, SIZE), None), r"\(Tensor, NoneType\)"), ([], r"\[\]")]
)
def test_a_view_returns_images_or_with_them_what_belongs_to_them(seen, returned):
    class View(NonSaturating):
        def view(self, step, images, given):
            return seen

    with pytest.raises(
        ganzoo.BadInput, match=rf"loss 'shift': its view\(\) must return images, .* it returned {returned}"
    ):
        play(make(Scheduled(View(), name="shift")), 1)


class Notes(NonSaturating):
    """Keeps what its view is told, in the order of the scores; a view before it has replaced `given`."""

    def __init__(self):
        super().__init__()
        self.told = []

    def view(self, step, images, given):
        self.told.append(step.sees_real)
        return images + 1, {**given}

    def discriminator(self, step):
        terms = super().discriminator(step)
        step.gradient(step.real, step.batch), step.gradient(step.fake, step.given)
        seen, beside = step.see(step.real, step.batch)
        assert torch.allclose(seen, step.real + 2) and beside.keys() == step.batch.keys()
        return terms


def test_a_view_is_told_whether_the_images_are_judged_as_real_ones():
    first, second = Notes(), Notes()
    play(make(first, second), 1)
    assert first.told == second.told
    # Scores are kept for both losses; each asks for two gradients and a look; the generator's turn has fakes only.
    assert first.told[-9:] == [True, False, *[True, False, True] * 2, False]


class Labelled(PointGenerator):
    categorical = {"label": CLASSES}  # noqa: RUF012


def labelled():
    return [{**batch, "label": torch.arange(N) % 2} for batch in batches()]


class SeenLabels(ganzoo.Loss):
    """Keeps which labels fakes have, and which real samples."""

    def __init__(self):
        super().__init__()
        self.fake, self.real = [], []

    def after(self, step, terms):
        self.fake.append(step.given["label"])
        self.real.append(step.batch["label"])
        assert step.another_latent().keys() == {"z", "label"}


@pytest.mark.parametrize(("own", "recipe", "drawn"), [
    ("real", None, False), ("drawn", None, True), ("real", "drawn", True), ("drawn", "real", False),
])  # fmt: skip
def test_fakes_have_real_or_drawn_labels_as_the_generator_or_the_recipe_says(own, recipe, drawn):
    class Generator(Labelled):
        labels = own

    seen = SeenLabels()
    losses = NonSaturating(), Auxiliary(), seen
    train = {"labels": recipe} if recipe else {}
    play(make(*losses, networks=lambda: (Generator(), LabelReader()), **train), 4, labelled())
    assert all(torch.equal(labels, torch.arange(N) % 2) for labels in seen.real)
    assert {int(label) for labels in seen.fake for label in labels} == ({0, 1, 2} if drawn else {0, 1})
    assert any(torch.equal(one, two) for one, two in zip(seen.real, seen.fake, strict=True)) != drawn


@pytest.mark.parametrize(
    ("generator", "train", "sentence"),
    [
        (PointGenerator, {"labels": "drawn"}, "train.labels is 'drawn', but this generator draws no labels"),
        (Labelled, {"labels": "drawm"}, "train.labels: .*'real' or 'drawn'"),
        (type("Typo", (Labelled,), {"labels": "drwan"}), {}, "labels are 'drwan'; did you mean 'drawn'"),
    ],
)
def test_labels_that_cannot_be_are_refused(generator, train, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence):
        make(networks=lambda: (generator(), PointDiscriminator()), **train)


def test_a_network_of_the_generator_may_be_called_labels():
    class Embedded(Labelled):
        def __init__(self):
            super().__init__()
            self.labels = torch.nn.Embedding(CLASSES, NOISE)

        def forward(self, given):
            return super().forward({"z": given["z"] + self.labels(given["label"])})

    assert play(make(networks=lambda: (Embedded(), PointDiscriminator())), 2, labelled()).index == 2


class Pool(ganzoo.Loss):
    """Keeps fakes of every turn, as CycleGAN's pool does, and counts samples and signs of scores."""

    def __init__(self):
        super().__init__()
        self.register_buffer("fakes", torch.zeros(0, SIZE))
        self.register_buffer("counts", torch.zeros(3))
        self.register_buffer("drawn", torch.zeros(0))

    def after(self, step, terms):
        assert len(step.given["z"]) == len(step.batch["image"]) == len(step.real)
        self.fakes = torch.cat([self.fakes, step.fake])
        positive = (step.real_scores > 0).sum(), (step.fake_extras["hidden"] > 0).sum()
        self.counts = self.counts + torch.stack([torch.tensor(float(len(step.fake))), *positive])
        self.drawn = torch.cat([self.drawn, step.rand(len(step.real))])
        self.mean = step.generator_extras["mean"]


class Talkative(PointDiscriminator):
    def forward(self, images, given):
        hidden = self.net[:2](images)
        return [self.net[2](hidden), -self.net[2](hidden)], {"hidden": hidden}


class WithMean(PointGenerator):
    def forward(self, given):
        made = super().forward(given)
        return made, {"mean": made.mean()}


@pytest.mark.parametrize("parts", [2, 4])
def test_after_a_split_batch_a_loss_sees_all_of_it(float64, parts):
    whole, split = Pool(), Pool()
    for pool, accumulate in ((whole, 1), (split, parts)):
        play(make(NonSaturating(), pool, networks=lambda: (WithMean(), Talkative()), accumulate=accumulate), 3)
    assert len(whole.fakes) == 2 * 3 * N
    torch.testing.assert_close(split.state_dict(), whole.state_dict())
    torch.testing.assert_close(split.mean, whole.mean)


class Looking(ganzoo.Loss):
    def after(self, step, terms):
        pass


@pytest.mark.parametrize(("losses", "kept"), [([], 1), ([Looking()], 4)])
def test_what_the_parts_of_a_batch_have_is_kept_only_for_a_loss_that_looks_at_it(losses, kept):
    """It takes the memory of which a split batch needs less."""
    steps, counts = [], []

    class Counting(NonSaturating):
        def generator(self, step):
            steps.append(weakref.ref(step))
            return super().generator(step)

    engine = make(Counting(), *losses, accumulate=4)
    engine.prepare(batches()[0])
    steps.clear()
    optimizer = engine.players["generator"].optimizer
    optimizer.register_step_pre_hook(lambda *_: counts.append(sum(step() is not None for step in steps)))
    play(engine, 1)
    assert (len(steps), counts) == (4, [kept])
