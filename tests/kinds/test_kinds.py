"""The kinds that come with ganzoo: what their files hold, as other programs read it, and what they refuse."""

import csv
import wave

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

import ganzoo
from ganzoo.kinds.files import to_array
from ganzoo.kinds.lookup import find_kind
from ganzoo.pictures.grid import make_mark

MARK = make_mark("owner/model", 3)
SPECS = {
    "image": ((3, 6, 8), {}),
    "point": ((2,), {}),
    "sound": ((400,), {"rate": 8000}),
    "text": ((5, 4), {"alphabet": "abc "}),
    "table": ((2,), {"columns": ["age", "income|net"]}),
    "video": ((3, 4, 6, 8), {"rate": 10}),
    "other": ((2, 3), {}),
}
KINDS = {name: find_kind(ganzoo.Spec(name, shape), facts) for name, (shape, facts) in SPECS.items()}
FILES = [name for name, kind in KINDS.items() if kind.suffix]


def samples(name, n=3):
    """Samples of the public form."""
    shape, _ = SPECS[name]
    values = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))
    return values * 2 - 1 if name == "sound" else values


def written(name, folder):
    """The file of a kind's samples, and these samples: all that are written together, or the first."""
    kind, values = KINDS[name], samples(name)
    arrays = to_array(kind, values)
    path = folder / f"file{kind.suffix}"
    kind.write(path, arrays if kind.together else arrays[0], MARK)
    return path, values if kind.together else values[0]


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_can_be_read_and_fits_the_checks(tmp_path, name):
    path, values = written(name, tmp_path)
    found = torch.from_numpy(KINDS[name].read(path))
    if name == "text":
        assert torch.equal(found.argmax(-1), values.argmax(-1))
    else:
        steps = {"image": 1 / 255, "sound": 1 / 32768, "video": 0.35, "table": 1e-5}  # a GIF has 256 colours
        assert (found - values).abs().max() <= steps.get(name, 0)
    KINDS[name].check(found if KINDS[name].together else found[None])


@pytest.mark.parametrize("name", SPECS)
def test_an_array_file_of_samples_can_be_given_again(name):
    kind, values = KINDS[name], samples(name)
    array = to_array(kind, values)
    for given, count in ((array, 3), (array[0], 1)):
        found = torch.as_tensor(kind.from_array(given)).reshape(-1, *kind.spec.shape)
        kind.check(found)
        network = kind.to_public(kind.to_network(found))
        assert (to_array(kind, network) == array[:count]).all()


def deep_kind(channels):
    return find_kind(ganzoo.Spec("image", (channels, 6, 8)), {"pixel_values": [-1000, 3000]})


def test_samples_of_data_with_more_than_8_bits_are_files_of_16(tmp_path):
    kind, values = deep_kind(1), samples("image")[:, :1]
    arrays = to_array(kind, values)
    assert arrays.dtype == np.float32 and np.array_equal(arrays[..., 0], values[:, 0])
    kind.write(tmp_path / "1.png", arrays[0], MARK)
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.mode == "I;16" and (picture.info["Black"], picture.info["White"]) == ("-1000.0", "3000.0")
        assert np.abs(np.asarray(picture) - values[0, 0].numpy() * 65535).max() <= 0.51
    assert kind.draw(arrays).mode == "RGB"


def test_an_input_with_more_than_8_bits_is_scaled_as_the_data_were(tmp_path):
    Image.fromarray(np.linspace(-2000, 3000, 48).reshape(6, 8).astype(np.int32)).save(tmp_path / "1.tif")
    found = deep_kind(1).read(tmp_path / "1.tif")
    np.testing.assert_allclose(found[0], np.linspace(-0.25, 1, 48).clip(0).reshape(6, 8), atol=1e-3)


def test_colour_of_data_with_more_than_8_bits_has_8_in_a_picture_and_all_in_an_array(tmp_path):
    kind, values = deep_kind(3), samples("image")
    arrays = to_array(kind, values)
    kind.write(tmp_path / "1.png", arrays[0], MARK)
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.mode == "RGB"
    assert np.array_equal(arrays, values.permute(0, 2, 3, 1))


@pytest.mark.parametrize("values", ["nonsense", [1], [3, 2], [None, 1], 7, {}])
def test_what_a_strangers_config_says_of_values_does_no_harm(values):
    kind = find_kind(ganzoo.Spec("image", (1, 6, 8)), {"pixel_values": values})
    assert to_array(kind, samples("image")[:, :1]).dtype == np.uint8


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (4, "RGBA")])
def test_images_of_one_to_four_channels_are_pngs(tmp_path, channels, mode):
    kind = find_kind(ganzoo.Spec("image", (channels, 6, 8)), {})
    values = torch.rand(3, channels, 6, 8)
    kind.write(tmp_path / "1.png", to_array(kind, values)[0], MARK)
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.mode == mode
    assert np.abs(kind.read(tmp_path / "1.png") - values[0].numpy()).max() <= 1 / 255


def test_images_of_more_channels_are_arrays_and_say_why(tmp_path):
    kind = find_kind(ganzoo.Spec("image", (5, 6, 8)), {})
    assert (kind.suffix, kind.draw(to_array(kind, torch.rand(3, 5, 6, 8)))) == (".npy", None)
    assert kind.not_drawn == "a picture shows 1 to 4 channels, and these images have 5"
    assert kind.describe() == "6 x 8 images (height x width)"


@pytest.mark.parametrize("name", SPECS)
def test_networks_see_their_range_and_users_get_back_what_they_gave(name):
    kind, values = KINDS[name], samples(name)
    seen = kind.to_network(values)
    assert seen.dtype == torch.float32
    low, high = kind.range or (0, 1)
    assert low <= seen.min() < seen.max() <= high
    torch.testing.assert_close(kind.to_public(seen), values)


def test_a_player_hears_the_sound_and_finds_the_mark(tmp_path):
    path, values = written("sound", tmp_path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 8000, 400)
        heard = np.frombuffer(file.readframes(400), "<i2")
    assert np.abs(heard - values.numpy() * 32768).max() <= 0.5 + 1e-3
    content = path.read_bytes()
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert b"LIST" in content and b"INFOICMT" in content and b"Synthetic: true; Model: owner/model; Seed: 3" in content


@pytest.mark.parametrize(("width", "kind"), [(1, "u1"), (2, "<i2"), (4, "<i4")])
def test_sounds_of_other_widths_and_of_two_channels_are_read(tmp_path, width, kind):
    tone = np.sin(np.linspace(0, 50, 300))
    levels = {1: 128 + tone * 127, 2: tone * 32767, 4: tone * (2**31 - 1)}[width]
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, width, 8000, 0, "NONE", ""))
        file.writeframes(np.stack([levels, levels], 1).astype(kind).tobytes())
    found = KINDS["sound"].read(tmp_path / "a.wav")
    assert found.shape == (400,)
    assert np.abs(found[:300] - tone).max() < 0.02
    assert not found[300:].any()


def test_a_spreadsheet_reads_the_rows(tmp_path):
    path, values = written("table", tmp_path)
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["age", "income|net"]
    assert np.allclose(np.array(rows, float), values.numpy(), atol=1e-5)


def test_texts_are_lines(tmp_path):
    path, values = written("text", tmp_path)
    letters = ["".join("abc "[number] for number in row).rstrip() for row in values.argmax(-1).tolist()]
    assert path.read_text().splitlines() == letters


def test_a_video_moves_and_carries_the_mark(tmp_path):
    path, _ = written("video", tmp_path)
    with Image.open(path) as film:
        assert (film.n_frames, film.size, film.info["duration"], film.info["loop"]) == (4, (8, 6), 100, 0)
        assert b"Synthetic: true" in film.info["comment"]
        assert len({frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(film)}) == 4


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.not_drawn])
def test_pictures_show_samples(name):
    kind = KINDS[name]
    picture = kind.draw(to_array(kind, samples(name)), 0, (), "a title")
    assert picture is not None and len(picture.convert("RGB").getcolors(2**24)) > 1


def test_cards_show_players_tables_and_films():
    cards = {name: KINDS[name].card({"samples/a": to_array(KINDS[name], samples(name))[:2]}) for name in SPECS}
    assert cards["sound"] == '<audio controls src="samples/a"></audio>'
    assert cards["video"] == "![samples/a](samples/a)"
    assert cards["table"].startswith("| age | income&#124;net |\n| --- | --- |\n| 0.")
    assert cards["text"].startswith("    ") and cards["text"].endswith("[samples/a](samples/a)")
    assert cards["other"] == "- [samples/a](samples/a)"


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("image", torch.full((1, 3, 6, 8), -1.0), r"must lie in \[0, 1\], got -1 to -1"),
        ("image", torch.zeros(1, 3, 6, 8, dtype=torch.int64), "must hold uint8 or numbers in .*, got int64"),
        ("image", torch.zeros(1, 1, 6, 8), "must have the shape 3 x 6 x 8, got 1 x 6 x 8"),
        ("sound", torch.full((1, 400), 3.0), r"must lie in \[-1, 1\], got 3 to 3"),
        ("table", torch.tensor([[0.0, torch.nan]]), "has a value that is not a finite number"),
    ],
)
def test_what_does_not_fit_is_refused(name, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        KINDS[name].check(values)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_whole_numbers_of_images_reach_from_black_to_white(dtype):
    values = torch.tensor([0, torch.iinfo(dtype).max]).to(dtype).view(2, 1, 1, 1)
    kind = find_kind(ganzoo.Spec("image", (1, 1, 1)))
    kind.check(values)
    assert kind.to_network(values).flatten().tolist() == pytest.approx([-1, 1])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"no such file \xff\x00" * 9, b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_file_of_something_else_is_refused_in_words(tmp_path, name, content):
    path = tmp_path / f"file{KINDS[name].suffix}"
    path.write_bytes(content)
    if name == "text" and not content:
        assert len(KINDS[name].read(path)) == 0  # a text may have no line
        return
    with pytest.raises(ValueError, match=r"^(is not|has) "):
        KINDS[name].read(path)


@pytest.mark.parametrize(
    ("spec", "facts", "sentence"),
    [
        (ganzoo.Spec("text", (5, 4)), {}, "the kind 'text' of ganzoo: the data lack the fact 'alphabet' with the 4 "),
        (ganzoo.Spec("text", (5, 4)), {"alphabet": "ab"}, "the data lack the fact 'alphabet' with the 4 letters"),
        (ganzoo.Spec("table", (2,)), {"columns": ["a"]}, "the fact 'columns' names 1 columns, and a row has 2"),
        (ganzoo.Spec("sound", (1, 2, 3)), {}, r"sounds have the shape \(samples,\) or \(channels, samples\), not"),
        (ganzoo.Spec("sound", (9,)), {"rate": 0}, "the fact 'rate' is the number of samples per second, not 0"),
        (ganzoo.Spec("video", (9,)), {}, "videos have the shape"),
        (ganzoo.Spec("sonud", (9,)), {}, "unknown kind 'sonud'; did you mean 'sound'"),
    ],
)
def test_data_without_what_a_kind_needs_are_refused(spec, facts, sentence):
    with pytest.raises(ganzoo.BadInput, match=sentence):
        find_kind(spec, facts)
