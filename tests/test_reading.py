"""JSON and TOML of strangers: a table of plain values, or one sentence that names the file."""

import os
from pathlib import Path

import pytest

from ganzoo import BadInput
from ganzoo._io import exists, read_bytes
from ganzoo._reading import MAX_BYTES, MAX_DEPTH, read_document, read_json, read_toml
from ganzoo.recipe.overrides import parse_value

DEEP, MANY_DIGITS = "nested more than 32 levels deep", "an integer in it has more than 40 digits"
READERS = {"json": [read_json], "toml": [read_toml, read_document]}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("language", "content", "sentence"),
    [
        *(("json", '{"a": ' + nested(levels) + "}", DEEP) for levels in (MAX_DEPTH + 1, 500, 2_000, 500_000)),
        *(("toml", f"a = {nested(levels)}", DEEP) for levels in (MAX_DEPTH + 1, 500, 2_000, 500_000)),
        ("json", '{"a":' * 5_000 + "1" + "}" * 5_000, DEEP),
        ("toml", "a = " + "{a = " * 5_000 + "1" + "}" * 5_000, DEEP),
        ("toml", ".".join("a" * 900_000) + " = 1", DEEP),
        ("toml", "[" + " . ".join(["'a'"] * 100_000) + "]", DEEP),
        *(("json", f'{{"a": {sign}{"9" * digits}}}', MANY_DIGITS) for sign in ("", "-") for digits in (41, 5_000)),
        *(("toml", f"a = [{number}]", MANY_DIGITS) for number in ("9" * 41, "-" + "9" * 5_000, "0x" + "f" * 9_000)),
        ("json", b"\xff{}", "it is not UTF-8"),
        ("json", '{"a": 1}'.encode("utf-16"), "it is not UTF-8"),
        ("json", r'{"a": "\ud800"}', "it is not UTF-8"),
        ("toml", b"a = '\xe9'", "it is not UTF-8"),
        *(("json", text, "it must be a table") for text in ("[1]", "1", "null", '"words"')),
        ("json", '{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' is there twice"),
        ("toml", "a = 1\na = 2", "Cannot overwrite a value"),
        ("json", "", "Expecting value"),
        ("json", "{} {}", "Extra data"),
        ("json", b" " * (MAX_BYTES + 1), "it is too large, more than 2,000,000 bytes"),
        ("toml", b"#" * (MAX_BYTES + 1), "it is too large, more than 2,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_the_name_of_the_file(tmp_path, language, content, sentence):
    path = tmp_path / f"file.{language}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in READERS[language]:
        with pytest.raises(BadInput, match=sentence) as refusal:
            read(path)
        assert str(path) in str(refusal.value) and "\n" not in str(refusal.value) and len(str(refusal.value)) < 300


def test_what_is_sound_is_read(tmp_path):
    (tmp_path / "a.json").write_bytes(
        b"\xef\xbb\xbf" + b'{"a": ' + nested(MAX_DEPTH - 1).encode() + b', "b": "\\ud83d\\ude00"}'
    )
    assert read_json(tmp_path / "a.json")["b"] == "\U0001f600"
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + f"# kept\na.b.c = {2**128}".encode())
    assert read_toml(tmp_path / "a.toml") == read_document(tmp_path / "a.toml").unwrap()
    assert read_toml(tmp_path / "a.toml")["a"] == {"b": {"c": 2**128}}
    assert "# kept" in read_document(tmp_path / "a.toml").as_string()


def test_only_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")  # which would be waited for
    for path, sentence in (("pipe.json", "it is not a file"), ("", "Is a directory"), ("none", "No such file")):
        with pytest.raises(BadInput, match=f"cannot read {tmp_path / path}: .*{sentence}"):
            read_bytes(tmp_path / path)
    for look in (read_bytes, exists):
        with pytest.raises(BadInput, match=r"cannot read PosixPath\('a.x00b'\): embedded null byte"):
            look(Path("a\0b"))


@pytest.mark.parametrize("text", [nested(2_000), "9" * 5_000, "[0x" + "f" * 100 + "]", ".".join("a" * 99) + "=1"])
def test_an_option_too_deep_or_too_large_is_refused(text):
    with pytest.raises(BadInput, match=r"the value .* cannot be read: .*(levels deep|more than 40 digits)"):
        parse_value(text)


def test_an_option_that_is_not_toml_is_text():
    assert [parse_value(text) for text in ("linear", "~/a.b", "[1", "1e-4", "1\nb = 2")] == [
        "linear",
        "~/a.b",
        "[1",
        1e-4,
        "1\nb = 2",
    ]
