"""The conformance kit's checks of importers."""

import pytest

import importing
from tinyplugin import failed, results

CAREFUL = ("refuses-other-files-in-a-sentence", "runs-nothing-of-a-file")
LOADS = 'table = json.loads(path.read_text(errors="replace") or "x")'


def check(site, *changes, **options):
    """The outcome of the checks of an importer, with some of its text replaced."""
    importing.install(site)
    path = site.folder / "tiny_import" / "files.py"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    found = results("importer", name="tiny-import", **options)
    return {key.removeprefix("mini-json-"): value for key, value in found.items() if key.startswith("mini-json-")}


def test_a_sound_importer_passes(site, tmp_path):
    outcome = check(site, options={"mini-json": {"file": importing.write(tmp_path / "faces.json")}})
    names = ("is-a-function", *CAREFUL, "imports-the-file-of-its-author")
    assert outcome == dict.fromkeys(names, ("ok", ""))


def test_without_a_file_nothing_is_imported(site):
    result, reason = check(site)["imports-the-file-of-its-author"]
    assert result == "skipped" and "give checks(..., options={'mini-json': {'file': path}})" in reason


@pytest.mark.parametrize(
    ("new", "failing", "sentence"),
    [
        (
            "import pickle; table = pickle.loads(path.read_bytes() or b'x')",
            CAREFUL,
            "runs a function that trap.pkl names",
        ),
        ("table = torch.load(path, weights_only=False)", CAREFUL, "runs a function that trap.pkl names"),
        ("table = {}['generator']", CAREFUL, "empty.bin must be refused with a ValueError of one sentence"),
        ("table = {'generator': {}, 'image': [1, 2, 2]}", CAREFUL, "it takes empty.bin, which is not a file"),
    ],
)
def test_an_importer_that_trusts_files_fails(site, new, failing, sentence):
    outcome = failed(check(site, (LOADS, new)))
    assert set(outcome) <= set(failing)
    assert any(sentence in reason for reason in outcome.values()), outcome


def test_what_is_no_function_fails(site):
    assert check(site, ("def read(path)", "def other(path)"))["is-a-function"][0] == "failed"
