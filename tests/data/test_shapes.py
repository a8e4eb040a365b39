"""Images that are not square, have an opacity, or more than 8 bits: which pixels become which."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from ganzoo import BadInput
from ganzoo.data.sources import open_data
from pictures import pixels_of, save
from samples import some

WIDE = (40, 100)
"""Height and width of the pictures."""


def picture(folder, *shape, name="1.png"):
    """Write noise as a picture and return it."""
    pixels = some(*shape).numpy()
    save(folder / name, pixels)
    return Image.fromarray(pixels)


def read(folder, **options):
    """The pixels of the first image of a folder (height, width, channels), and the data."""
    found = open_data(folder, **options)
    return pixels_of(found)[0].permute(1, 2, 0).squeeze(2).numpy(), found


PLAINLY = {
    "crop": lambda image, size: ImageOps.fit(image, size, Image.Resampling.BILINEAR),
    "pad": lambda image, size: ImageOps.pad(image, size, Image.Resampling.BILINEAR, color="white"),
    "stretch": lambda image, size: image.resize(size, Image.Resampling.BILINEAR),
}


@pytest.mark.parametrize(
    ("fit", "note"),
    [
        ("crop", "cut 1 image to {}: up to {} % of one ('1.png'); data.fit='pad' or 'stretch' keeps all of it"),
        ("pad", "padded 1 image to {}, white around them (data.fit): up to {} % of one ('1.png')"),
        ("stretch", "stretched 1 image to {} (data.fit): one by up to {times} ('1.png')"),
    ],
)
@pytest.mark.parametrize(
    ("size", "target", "share", "times"),
    [(16, "a square", 60, 2.5), ([16, 24], "the proportions of 16 x 24 (height x width)", 40, 1.67)],
)
def test_pictures_of_other_proportions_are_cut_padded_or_stretched(tmp_path, fit, note, size, target, share, times):
    image = picture(tmp_path, *WIDE, 3)
    pixels, found = read(tmp_path, size=size, fit=fit)
    height, width = size if isinstance(size, list) else (size, size)
    assert found.image == (3, height, width)
    assert np.array_equal(pixels, np.asarray(PLAINLY[fit](image, (width, height))))
    assert found.notes[1] == note.format(target, share, times=times)


def test_pictures_of_the_right_proportions_are_only_resized(tmp_path):
    image = picture(tmp_path, *WIDE, 3)
    pixels, found = read(tmp_path, size=[20, 50])
    assert np.array_equal(pixels, np.asarray(image.resize((50, 20), Image.Resampling.BILINEAR)))
    assert found.notes == ["resized 1 to 20 x 50 (height x width) (data.size says to what)"]


def test_a_picture_that_lies_on_its_side_counts_as_upright(tmp_path):
    image = Image.fromarray(some(*WIDE, 3).numpy())
    image.getexif()[0x0112] = 6
    image.save(tmp_path / "1.png", exif=image.getexif())
    pixels, found = read(tmp_path, size=[100, 40])
    assert np.array_equal(pixels, np.rot90(np.asarray(image), -1)) and found.notes == []


@pytest.mark.parametrize(("channels", "mode"), [(2, "LA"), (4, "RGBA")])
@pytest.mark.parametrize("stored", ["L", "LA", "RGB", "RGBA", "P", "CMYK"])
def test_opacity_is_kept_where_it_is_asked_for(tmp_path, channels, mode, stored):
    image = Image.fromarray(some(9, 12, 4).numpy(), "RGBA").convert(stored)
    image.save(tmp_path / "1.tif")
    pixels, found = read(tmp_path, size=[9, 12], channels=channels)
    with Image.open(tmp_path / "1.tif") as again:
        assert np.array_equal(pixels, np.asarray(again.convert("RGBA").convert(mode)))
    assert found.image == (channels, 9, 12) and not any("keeps transparency" in note for note in found.notes)


def test_what_is_transparent_lends_no_colour_to_what_is_not(tmp_path):
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, :4] = 200, 10, 10, 255
    pixels[:, 4:] = 0, 255, 0, 0
    save(tmp_path / "1.png", pixels)
    found, _ = read(tmp_path, size=4, channels=4)
    visible = found[found[..., 3] > 0]
    assert np.abs(visible[:, :3] - [200, 10, 10]).max() <= 5  # of few levels, where little is visible


def test_pictures_with_opacity_are_padded_with_nothing(tmp_path):
    picture(tmp_path, 8, 4, 3)
    pixels, found = read(tmp_path, size=8, channels=4, fit="pad")
    assert not pixels[:, :2].any() and not pixels[:, 6:].any() and (pixels[:, 2:6, 3] == 255).all()
    assert found.notes[-1].startswith("padded 1 image to a square, transparent around them")


def test_a_transparent_folder_is_told_how_to_stay_so(tmp_path):
    picture(tmp_path, 8, 8, 4)
    assert open_data(tmp_path, size=8).notes == [
        "converted 1 images to RGB (1 with transparency); data.channels=4 keeps transparency"
    ]


def deep(folder, values, name="1.tif"):
    Image.fromarray(values).save(folder / name)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("workers", [None, 0])
def test_deep_pictures_are_not_rounded_to_eight_bits(tmp_path, monkeypatch, kind, workers):
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", 0 if workers == 0 else 5000)
    values = np.linspace(0, 4000, 8 * 12).reshape(8, 12).astype(kind)
    deep(tmp_path, values)
    found = open_data(tmp_path, size=[8, 12], range=[0, 4000], workers=workers)
    image = found.first(1, 0)["image"][0, 0]
    np.testing.assert_allclose(image.numpy(), values / 2000 - 1, atol=1e-6)
    assert found.range == (0, 4000) and len(image.unique()) == values.size


def test_deep_pictures_are_resized_without_rounding(tmp_path):
    values = np.repeat(np.array([[0, 1000]], dtype=np.uint16), 4, axis=0).repeat(2, axis=1)
    deep(tmp_path, values)
    found = open_data(tmp_path, size=[4, 1], range=[0, 1000], fit="stretch")
    np.testing.assert_allclose(found.first(1, 0)["image"].numpy(), 0, atol=1e-6)


def test_eight_bits_beside_deep_pictures_keep_their_levels(tmp_path):
    deep(tmp_path, np.full((8, 8), 500, dtype=np.uint16))
    save(tmp_path / "2.png", np.full((8, 8), 51))
    found = open_data(tmp_path, size=8, range=[0, 1000])
    levels = sorted(image.mean().item() for image in found.first(2, 0)["image"])
    assert levels == pytest.approx([2 * 51 / 255 - 1, 0], abs=1e-6)


def test_deep_pictures_take_any_number_of_channels_and_a_margin(tmp_path):
    deep(tmp_path, np.full((8, 4), 500, dtype=np.uint16))
    for channels, ground in {1: [1], 2: [-1, -1], 3: [1, 1, 1], 4: [-1, -1, -1, -1]}.items():
        inside = [0.0] * (channels - (channels in (2, 4))) + [1.0] * (channels in (2, 4))
        image = open_data(tmp_path, size=8, range=[0, 1000], channels=channels, fit="pad").first(1, 0)["image"][0]
        assert image[:, 0, 0].tolist() == ground and image[:, 0, 4].tolist() == pytest.approx(inside, abs=1e-6)


def test_a_range_changes_nothing_where_no_image_is_deep(tmp_path):
    picture(tmp_path, 8, 8)
    plain, ranged = open_data(tmp_path, size=8), open_data(tmp_path, size=8, range=[0, 1000])
    assert torch.equal(plain.first(1, 0)["image"], ranged.first(1, 0)["image"]) and ranged.images.dtype == torch.uint8


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("channels", "size"), [(1, [14, 28]), (3, [28, 14]), (4, [20, 56]), (2, 16)])
def test_data_sets_by_name_take_any_shape(fit, channels, size):
    found = open_data("mnist-10k", size=size, channels=channels, fit=fit)
    height, width = size if isinstance(size, list) else (size, size)
    assert found.image == (channels, height, width) and len(found) == 10_000


def test_a_padded_data_set_is_itself_inside_its_margin():
    plain = open_data("mnist-10k").images
    padded = open_data("mnist-10k", size=[28, 40], fit="pad", background="black").images
    assert torch.equal(padded[..., 6:34], plain) and not padded[..., :6].any() and not padded[..., 34:].any()


def test_a_cut_data_set_is_the_middle_of_itself():
    plain, cut = open_data("mnist-10k"), open_data("mnist-10k", size=[28, 14])
    assert torch.equal(cut.images, plain.images[..., 7:21])
    assert cut.notes == ["resized the images from 28 x 28 to 28 x 14, cut (data.fit)"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"size": [8, 0]},
            r"size is the height and width .*, one number or \[height, width\], at least 1, got \[8, 0\]",
        ),
        ({"channels": 5}, r"channels is 1 \(grey\) or 2 \(grey with opacity\) or 3 .* got 5; more come from .*"),
        ({"size": "32x48"}, r"size is .*, got '32x48'; did you mean \[32, 48\]\?"),
        ({"size": [10**6, 10**6]}, "size is at most 67 million pixels, got 1000000 x 1000000"),
        ({"fit": "contain"}, "fit is crop or pad or stretch, got 'contain'"),
    ],
)
def test_other_words_are_refused(options, sentence):
    with pytest.raises(BadInput, match=f"^{sentence}$"):
        open_data("mnist-10k", **options)
