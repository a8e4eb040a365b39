"""Folders of images: which files are read and to what pixels, and what is refused."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from ganzoo import BadInput
from ganzoo.data.images import ImageFiles
from ganzoo.data.listing import list_folder
from ganzoo.data.sources import open_data
from ganzoo.pictures.formats import FORMATS
from pictures import flat, pixels_of, save
from samples import some


def test_a_folder_is_read_in_order_at_any_depth_without_hidden_files(tmp_path):
    for i, name in enumerate(["a/x/1.png", "a/2.JPEG", "b.PNG", "c.webp", "d.gif", "e.tiff", "f.bmp"]):
        flat(tmp_path / name, 30 * i)
    for name in [".hidden.png", ".cache/1.png", "a/.x.png"]:
        flat(tmp_path / name, 255)
    (tmp_path / "notes.txt").write_text("no image")
    found = open_data(tmp_path, size=8)
    # "a/2" comes before "a/x/1".
    assert pixels_of(found).float().mean((1, 2, 3)).round().tolist() == [30, 0, 60, 90, 120, 150, 180]
    assert found.facts == {"image": (3, 8, 8)} and found.name == tmp_path.name


def test_top_level_sub_folders_are_classes(tmp_path):
    for name in ["dogs/1.png", "cats/deep/2.png", "cats/1.png"]:
        flat(tmp_path / name, 1)
    found = open_data(tmp_path)
    assert found.classes == ["cats", "dogs"] and found.labels.tolist() == [0, 0, 1]
    assert found.facts == {"image": (3, 64, 64), "classes": 2}
    assert found.notes[0] == "2 classes by sub-folder: cats, dogs"


@pytest.mark.parametrize("names", [["a/1.png", "a/2.png"], ["a/1.png", "b/2.png", "3.png"]])
def test_one_sub_folder_or_an_image_beside_them_means_no_labels(tmp_path, names):
    for name in names:
        flat(tmp_path / name, 1)
    found = open_data(tmp_path, size=8)
    assert found.facts == {"image": (3, 8, 8)} and found.classes == [] and found.labels is None
    assert any("1 of 3 images lie beside" in note for note in found.notes) == ("3.png" in names)


def test_links_are_followed_but_not_in_circles(tmp_path):
    flat(tmp_path / "data/a/1.png", 1)
    flat(tmp_path / "elsewhere/2.png", 2)
    (tmp_path / "data/a/up").symlink_to(tmp_path / "data")
    (tmp_path / "data/b").symlink_to(tmp_path / "elsewhere")
    assert list_folder(tmp_path / "data").names == ["a/1.png", "b/2.png"]


def test_names_that_are_no_unicode_are_kept(tmp_path):
    names = ["ä/ß.png", "b\udcff.png", "c.png"]
    files = ImageFiles(tmp_path, names)
    assert [files.path(i) for i in range(3)] == [str(tmp_path / name) for name in names]


def test_images_are_cut_to_the_centre_and_resized(tmp_path):
    pixels = some(40, 100, 3).numpy()
    save(tmp_path / "wide.png", pixels)
    expected = Image.fromarray(pixels[:, 30:70]).resize((16, 16), Image.Resampling.BILINEAR)
    found = pixels_of(open_data(tmp_path, size=16))[0].permute(1, 2, 0).numpy()
    # At the border the filter reaches over the cut, where the expected one ends.
    assert np.abs(found - np.asarray(expected).astype(int))[:, 1:-1].max() <= 1


def test_images_that_fit_stay_as_they_are(tmp_path):
    pixels = some(8, 8, 3).numpy()
    save(tmp_path / "1.png", pixels)
    found = open_data(tmp_path, size=8)
    assert np.array_equal(pixels_of(found)[0].permute(1, 2, 0).numpy(), pixels) and found.notes == []


def test_small_images_are_enlarged(tmp_path):
    flat(tmp_path / "1.png", 7, (3, 5))
    assert pixels_of(open_data(tmp_path)).unique().tolist() == [7]


def test_large_photographs_are_close_to_a_full_decode(tmp_path):
    wave = 128 + 100 * np.sin(np.arange(256) * 2 * np.pi / 16)
    save(tmp_path / "1.jpg", np.broadcast_to(wave[:, None, None], (256, 256, 3)), quality=95)
    expected = Image.open(tmp_path / "1.jpg").resize((64, 64), Image.Resampling.BILINEAR)
    found = pixels_of(open_data(tmp_path, size=64))[0].permute(1, 2, 0).numpy()
    assert np.abs(found - np.asarray(expected).astype(int))[2:-2].max() <= 10


def test_exif_orientation_is_applied(tmp_path):
    pixels = some(8, 8, 3).numpy()
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = 6  # turn by 90 degrees clockwise to show
    image.save(tmp_path / "1.png", exif=image.getexif())
    found = pixels_of(open_data(tmp_path, size=8))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(found, np.rot90(pixels, -1))


def test_transparency_is_white(tmp_path):
    pixels = some(8, 8, 4).numpy()
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 255
    save(tmp_path / "1.png", pixels)
    found = pixels_of(open_data(tmp_path, size=8))[0].permute(1, 2, 0).numpy()
    alpha = pixels[..., 3:] / 255
    assert np.abs(found - (pixels[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1
    assert found[0, 0].tolist() == [255, 255, 255] and np.array_equal(found[0, 1], pixels[0, 1, :3])


def test_sixteen_bits_are_scaled_to_their_range(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "1.png")
    Image.fromarray(values.astype(np.int32)).save(tmp_path / "2.tif")
    found = open_data(tmp_path, size=8)
    np.testing.assert_allclose(pixels_of(found)[:, 0].numpy(), np.stack([values / 257] * 2), atol=1e-4)
    whole = "in 2 images with more than 8 bits 0 is shown as black, 65535 as white (data.range)"
    assert found.notes == [whole, "converted 2 images to grey (1 16-bit, 1 32-bit)"]


def test_images_that_are_all_grey_stay_grey(tmp_path):
    save(tmp_path / "1.png", some(8, 8).numpy())
    Image.new("1", (8, 8), 1).save(tmp_path / "2.png")
    Image.new("LA", (8, 8), (100, 0)).save(tmp_path / "3.png")
    found = open_data(tmp_path, size=8)
    assert found.facts["image"] == (1, 8, 8) and pixels_of(found)[1:].unique().tolist() == [255]
    assert found.notes == [
        "converted 2 images to grey (1 black and white, 1 with transparency); data.channels=2 keeps transparency"
    ]


def test_channels_overrule_what_the_images_are(tmp_path):
    save(tmp_path / "1.png", some(8, 8).numpy())
    assert open_data(tmp_path, size=8, channels=3).facts["image"] == (3, 8, 8)
    flat(tmp_path / "2.png", 9)
    found = open_data(tmp_path, size=8, channels=1)
    assert found.facts["image"] == (1, 8, 8) and pixels_of(found)[1].unique().tolist() == [9]
    assert found.notes == ["converted 1 images to grey (1 colour)"]


def test_what_was_converted_is_said_once(tmp_path):
    flat(tmp_path / "0.png", 0)
    flat(tmp_path / "1.png", 0, (8, 9))
    for i in range(3):
        Image.new("P", (8, 8)).save(tmp_path / f"p{i}.png")
    Image.new("RGBA", (16, 16)).save(tmp_path / "t.png")
    Image.new("CMYK", (8, 8)).save(tmp_path / "c.jpg")
    converted = "converted 5 images to RGB (3 palette, 1 CMYK, 1 with transparency)"
    assert open_data(tmp_path, size=8).notes == [
        f"{converted} and resized 2 to 8 x 8 (data.size says to what); data.channels=4 keeps transparency",
        "cut 1 image to a square: up to 11 % of one ('1.png'); data.fit='pad' or 'stretch' keeps all of it",
    ]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    frames[0].save(tmp_path / "1.gif", save_all=True, append_images=frames[1:])
    assert pixels_of(open_data(tmp_path, size=8))[0, :, 0, 0].tolist() == [200, 0, 0]


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "deep").mkdir()
    with pytest.raises(BadInput, match=r"no image below .*; read are PNG, "):
        open_data(tmp_path)


@pytest.mark.parametrize("limit", [0, 5000])
def test_a_folder_where_no_image_can_be_read_is_refused(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("ganzoo.data.folders.MAX_IMAGES_IN_MEMORY", limit)
    (tmp_path / "1.png").write_text("hello")
    (tmp_path / "2.png").write_text("hello")
    with pytest.raises(BadInput, match=r"no file below .* can be read"):
        open_data(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    flat(tmp_path / "1.png", 0)
    with pytest.raises(BadInput, match=r"1\.png' is a file; data is a folder or ZIP file of images, or the name"):
        open_data(tmp_path / "1.png")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="no data set or folder 'mnst'; did you mean 'mnist'"):
        open_data("mnst")


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"size": 2.5}, {"size": "64"}, {"size": [8]}, {"channels": 0}, {"channels": 5}]
)
def test_sizes_and_channels_have_a_range(options):
    with pytest.raises(BadInput, match=f"^{next(iter(options))} is"):
        open_data("mnist-10k", **options)


def test_the_number_of_classes_must_agree(tmp_path):
    assert open_data("mnist-10k", classes=10).facts["classes"] == 10
    with pytest.raises(BadInput, match="mnist-10k has 10 classes, so classes cannot be 7"):
        open_data("mnist-10k", classes=7)
    flat(tmp_path / "1.png", 0)
    with pytest.raises(BadInput, match="has no labels"):
        open_data(tmp_path, classes=2)


def plainly(path, channels, size):
    """The pixels of an image of 8 bits, by Pillow's own steps on whole pictures."""
    with Image.open(path) as image:
        image.draft(image.mode, (2 * size, 2 * size))
        whole = ImageOps.exif_transpose(image)
    if whole.has_transparency_data:
        whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole.convert("RGBA"))
    fitted = ImageOps.fit(whole.convert("L" if channels == 1 else "RGB"), (size, size), Image.Resampling.BILINEAR)
    return np.asarray(fitted).reshape(size, size, channels)


MODES = {"JPEG": "L RGB CMYK", "PNG": "L RGB LA RGBA P 1", "WEBP": "RGB RGBA", "BMP": "L RGB P 1"}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind in MODES for mode in MODES[kind].split()])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_eight_bits_keep_their_pixels_to_the_last_bit(tmp_path, kind, mode, channels):
    path = tmp_path / f"1.{kind.lower()}"
    Image.fromarray(some(700, 601, 4).numpy(), "RGBA").convert(mode).save(path)
    found = pixels_of(open_data(tmp_path, size=37, channels=channels))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(found, plainly(path, channels, 37))


def test_all_sixteen_bits_are_kept(tmp_path):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(values).save(tmp_path / "1.png")
    found = open_data(tmp_path, size=256).first(1, 0)["image"][0, 0].double().numpy()
    assert np.array_equal(((found + 1) * 32767.5).round(), values)


def test_the_names_that_an_image_library_gives_formats_are_known_to_it(tmp_path):
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize("values", [[1, 0], [0, 0], [0], [0, float("nan")], [0, float("inf")], "ab", [0, 1, 2], 7])
def test_a_range_is_two_numbers_the_lower_first(tmp_path, values):
    flat(tmp_path / "1.png", 0)
    with pytest.raises(BadInput, match=r"^range is the values that become black and white, low and high, got "):
        open_data(tmp_path, range=values)
    with pytest.raises(BadInput, match=r"data\.range does not go with mnist-10k; allowed: background, "):
        open_data("mnist-10k", range=[0, 1])


@pytest.mark.parametrize("options", [{"workers": -1}, {"workers": 1.5}, {"broken": "no"}, {"background": "green"}])
def test_other_options_have_allowed_values(tmp_path, options):
    with pytest.raises(BadInput, match=f"^{next(iter(options))} is "):
        open_data(tmp_path, **options)
