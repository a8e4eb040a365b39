"""Data sets of the Hub, through the genuine clients over HTTP, from a server on this machine."""

import io
import subprocess
import sys

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from PIL import Image

import hubserver

pytest.importorskip("datasets", reason="needs the extra hf")
COUNT = 12


def picture(number, mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, (20, 20), 20 * number if mode == "L" else (20 * number, 0, 0)).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with data sets in the forms that people upload: folders of images by class, and a table beside images."""
    server = hubserver.serve(str(tmp_path_factory.mktemp("hub")))
    api = HfApi(endpoint=server.url, token="hf_owner_write")
    files = {
        "pets": {f"train/{['cat', 'dog'][n % 2]}/{n}.png": picture(n) for n in range(COUNT)},
        "grey": {f"{n}.png": picture(n, "L") for n in range(COUNT)},
        "table": {f"train/{n}.png": picture(n) for n in range(COUNT)},
        "texts": {"data.csv": b"word,number\na,1\nb,2\n"},
    }
    rows = [f"{n}.png,{['long', 'short'][n % 2]},{n / 2}" for n in range(COUNT)]
    files["table"]["train/metadata.csv"] = "\n".join(["file_name,hair,age", *rows]).encode()
    for name, contents in files.items():
        api.create_repo(f"owner/{name}")
        api.create_commit(
            f"owner/{name}", [CommitOperationAdd(*each) for each in contents.items()], commit_message="new"
        )
    return server


@pytest.fixture
def ask(hub, tmp_path):
    """Open data in a process of its own: both clients read their environment once."""

    def open_in_process(code, **environment):
        import os

        lines = ["import ganzoo, torch", "from ganzoo.data.sources import open_data", *code.splitlines()]
        home = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "GANZOO_DATA": str(tmp_path / "data")}
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)],
            env={**os.environ, **home, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.splitlines(), done.stderr

    return open_in_process


def test_classes_of_a_data_set_of_the_hub_are_labels(ask):
    said, err = ask(
        "data = open_data('hf:owner/pets', size=16)\n"
        "print(data.name, data.count, data.classes, tuple(data.image), len(data.fingerprint))\n"
        "batch = next(data.batches(12, 0))\n"
        "order = ((batch['image'][:, 0, 0, 0] + 1) * 127.5 / 20).round().long()\n"
        "print((order % 2 == batch['label']).all().item(), sorted(order.tolist()) == list(range(12)))\n"
        "print(open_data('hf:owner/grey', size=16).image)\n"
        "print(open_data('hf:owner/pets@main', size=16, holdout=0.3).count < 12)"
    )
    assert said == ["hf:owner/pets 12 ['cat', 'dog'] (3, 16, 16) 40", "True True", "(1, 16, 16)", "True"], err


def test_columns_beside_the_images_are_labels_and_amounts(ask):
    said, err = ask(
        "data = open_data('hf:owner/table', size=16, label=['hair', 'age'])\n"
        "print(data.facts['conditions'], data.classes_of('hair'))\n"
        "batch = next(data.batches(12, 0))\n"
        "order = ((batch['image'][:, 0, 0, 0] + 1) * 127.5 / 20).round()\n"
        "print(torch.equal(batch['age'], order / 2), torch.equal(batch['hair'], order.long() % 2))\n"
        "print(open_data('hf:owner/table', size=16).classes)"
    )
    assert said == ["{'hair': 2, 'age': [0.0, 5.5]} ['long', 'short']", "True True", "[]"], err


REFUSED = {
    "no such data set": ("hf:owner/nothing", "", "there is no data set 'owner/nothing' on the Hub that you may read"),
    "no owner": ("hf:pets", "", "is written hf:owner/name or hf:owner/name@revision, got 'hf:pets'"),
    "no name": ("hf", "", "is written hf:owner/name or hf:owner/name@revision, got 'hf:'"),
    "no such split": ("hf:owner/pets", "split='test'", 'pets: Unknown split "test".* (data.config, data.split)'),
    "no images": ("hf:owner/texts", "", "hf:owner/texts has no column of images; it has word, number"),
    "no such column": ("hf:owner/table", "label='hare'", "has no column 'hare' for data.label; did you mean 'hair'"),
    "no labels": ("hf:owner/table", "label='image'", "the column 'image' holds no labels"),
}


def test_what_does_not_fit_is_refused_in_a_sentence(ask):
    tries = "\n".join(
        f"try: open_data({name!r}{', ' * bool(options)}{options})\n"
        f"except ganzoo.BadInput as error: print({key!r}, '|', error)"
        for key, (name, options, _) in REFUSED.items()
    )
    said, err = ask(tries)
    found = dict(line.split(" | ", 1) for line in said)
    assert found.keys() == REFUSED.keys(), err
    for key, (_, _, words) in REFUSED.items():
        for part in words.split(".*"):
            assert part in found[key]


TRY = (
    "try: open_data('hf:owner/pets')\n"
    "except ganzoo.Unavailable as error: print('unavailable', error)\n"
    "except ganzoo.BadInput as error: print('bad', error)"
)


@pytest.mark.slow
def test_without_the_hub_a_sentence_says_so(ask):
    (said,), err = ask(TRY, HF_ENDPOINT="http://127.0.0.1:9")
    assert said.startswith("unavailable hf:owner/pets cannot be downloaded or read"), err


def test_without_the_package_a_sentence_says_so(ask):
    (said,), _ = ask("import sys\nsys.modules['datasets'] = None\n" + TRY)
    assert said.startswith("bad hf:owner/pets needs the package datasets")


def test_what_was_downloaded_is_used_offline(ask):
    count = "print(open_data('hf:owner/pets', size=16).count)"
    assert ask(count)[0] == ["12"]
    said, err = ask(count, HF_HUB_OFFLINE="1")
    assert said == ["12"], err
