"""Losses of classes against loops over samples."""

import math

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo_losses.adversarial import Hinge
from ganzoo_losses.labels import Auxiliary, DataToData, MultiHinge
from single_turns import play

toys = ganzoo.testing.toys

REAL, FAKE = torch.tensor([0, 2, 1, 0, 2, 2]), torch.tensor([1, 1, 0, 2, 0, 1])


class Classifier(nn.Module):
    """A head of every kind: scores, logits or cosines, and embeddings of length 1."""

    def __init__(self, outputs=3, cosines=False, image=(1, 2, 2)):
        super().__init__()
        self.body, self.score = nn.Linear(math.prod(image), 5), nn.Linear(5, 1)
        self.proxies, self.cosines = nn.Parameter(torch.randn(outputs, 5)), cosines

    def forward(self, images, given):
        features = torch.tanh(2 * self.body(images.flatten(1)))
        embedding = nn.functional.normalize(features)
        logits = embedding @ nn.functional.normalize(self.proxies).T if self.cosines else features @ self.proxies.T
        return self.score(features).squeeze(1), {"logits": logits, "embedding": embedding}


def turn(side, outputs=3, cosines=False):
    torch.manual_seed(4)
    return play(side, Classifier(outputs, cosines).double(), label=REAL, drawn_label=FAKE)


@torch.no_grad()
def judged(step):
    """Logits and embeddings of real and of fake samples, each with the labels, as lists."""
    images = {"real": step.batch["image"], "fake": step.generator(step.latent)}
    labels = {"real": step.batch["label"], "fake": step.given["label"]}
    extras = {what: step.discriminator(each, {})[1] for what, each in images.items()}
    return {
        what: (extras[what]["logits"].tolist(), extras[what]["embedding"].tolist(), labels[what].tolist())
        for what in images
    }


def mean(numbers):
    numbers = list(numbers)
    return math.fsum(numbers) / len(numbers)


def entropy(logits, _, labels, temperature=1.0):
    def of_one(row, label):
        row = [each / temperature for each in row]
        return math.log(math.fsum(map(math.exp, row))) - row[label]

    return mean(map(of_one, logits, labels))


def data_to_data(logits, embedding, labels, t=0.5, m_p=0.98, m_n=0.02):
    def of_one(i):
        own = math.exp(min(logits[i][labels[i]] - m_p, 0) / t)
        others = [
            math.exp(max(sum(a * b for a, b in zip(embedding[i], embedding[j], strict=True)) - m_n, 0) / t)
            for j in range(len(labels))
            if labels[j] != labels[i]
        ]
        return -math.log(own / (own + math.fsum(others)))

    return mean(map(of_one, range(len(labels))))


def hinge(logits, _, labels):
    def of_one(row, label):
        return max(0, 1 - row[label] + max(each for k, each in enumerate(row) if k != label))

    return mean(map(of_one, logits, labels))


def hinge_as_fake(logits, embedding, labels):
    return hinge(logits, embedding, [3] * len(labels))


FORMULAS = [
    (Auxiliary(), "discriminator", {"real": entropy, "fake": entropy}, {}),
    (Auxiliary(fakes=False), "discriminator", {"real": entropy}, {}),
    (Auxiliary(), "generator", {"fake": entropy}, {}),
    (Auxiliary(temperature=0.3), "generator", {"fake": lambda *each: entropy(*each, 0.3)}, {"cosines": True}),
    (DataToData(), "discriminator", {"real": data_to_data}, {"cosines": True}),
    (DataToData(), "generator", {"fake": data_to_data}, {"cosines": True}),
    (DataToData(0.2, 0.5, -0.1), "generator", {"fake": lambda *e: data_to_data(*e, 0.2, 0.5, -0.1)}, {"cosines": True}),
    (MultiHinge(), "discriminator", {"real": hinge, "fake": hinge}, {}),
    (MultiHinge(), "generator", {"fake": hinge}, {}),
    (MultiHinge(fake_class=True), "discriminator", {"real": hinge, "fake": hinge_as_fake}, {"outputs": 4}),
    (MultiHinge(fake_class=True), "generator", {"fake": hinge}, {"outputs": 4}),
]


@pytest.mark.parametrize(("loss", "side", "formulas", "head"), FORMULAS)
def test_terms_and_gradients_are_those_of_the_papers(loss, side, formulas, head):
    step = turn(side, **head)
    loss.setup(step)
    terms = getattr(loss, side)(step)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {name: formula(*judged(step)[name]) for name, formula in formulas.items()}, rel=1e-12
    )
    sum(terms.values()).backward()

    def total():
        return sum(formula(*judged(step)[name]) for name, formula in formulas.items())

    for parameter in getattr(step, side).parameters():
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found, toys.central_differences(total, parameter), rtol=1e-5, atol=1e-8)


def test_samples_of_one_class_have_no_others_to_be_compared_with():
    step = play("discriminator", Classifier(cosines=True).double(), label=torch.zeros(6, dtype=int), drawn_label=FAKE)
    term = DataToData().discriminator(step)["real"]
    term.backward()
    assert term.item() == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in step.discriminator.parameters())


@pytest.mark.parametrize("loss", [Auxiliary(), DataToData(), MultiHinge()])
def test_a_game_without_classes_is_refused_in_a_sentence(loss):
    with pytest.raises(ValueError, match="it needs a discriminator that returns the extra 'logits'; this one returns"):
        loss.setup(play("discriminator", toys.TinyCritic().double()))
    with pytest.raises(ValueError, match="it needs data with labels"):
        loss.setup(play("discriminator", Classifier().double()))


class Labelled(toys.TinyGenerator):
    categorical, labels = {"label": 3}, "drawn"


def test_the_class_of_fake_samples_needs_a_logit_of_its_own():
    with pytest.raises(ganzoo.BadInput, match="fake_class needs 4 logits, of the 3 classes and of fake samples, but "):
        ganzoo.Engine(Labelled(), Classifier(outputs=3), [MultiHinge(fake_class=True)], device="cpu").run(
            [{"image": torch.randn(6, 1, 2, 2), "label": REAL}], 1
        )


@pytest.mark.parametrize("losses", [[Hinge(), Auxiliary()], [Hinge(), DataToData()], [MultiHinge(fake_class=True)]])
def test_the_engine_plays_them(losses):
    torch.manual_seed(0)
    engine = ganzoo.Engine(
        Labelled(), Classifier(outputs=4), losses, device="cpu", train={"precision": "fp32"}, optimizer={"lr": 0.01}
    )
    images = torch.randn(6, 1, 2, 2)
    first = engine.run([{"image": images, "label": REAL}], 1)
    for _ in range(30):
        last = engine.run([{"image": images, "label": REAL}], 5)
    name = f"discriminator/{type(losses[-1]).__name__}/real"
    assert last[name] < first[name] / 2
