"""Plugins of many families, as real wheels, go through every command."""

import json

import pytest

from foreign import NAMES, PLAYED, resolved

QUICK = ("pairs", "tones")
"""Pictures with inputs, and sounds; the others are much like these."""
PARAMETERS = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_family_goes_through_every_command(name, play, somebody, files):
    family = PLAYED[name]
    folder, came = play(name)
    rows = json.loads(came["check"][1])
    assert [row for row in rows if row["result"] == "failed"] == []
    for command in ("train", "resume", "info", "sample", "array", "publish"):
        assert came[command][0] == 0, (command, came[command][2])
    assert came["difference"] == ""
    assert list((folder / "whole").glob("samples/*")), "no pictures or sample files of the training"
    assert count(folder / family.samples, family.suffix) == (1 if family.together else 3 * family.outputs)
    assert (folder / "samples.npz").is_file()
    code, _, said = came["evaluate"]
    assert code == 0 or (code == 2 and said.splitlines()[-1].startswith("error: ")), said
    inputs = [word for key, at in family.inputs.items() for word in ("--input", f"{key}={resolved(at, files)}")]
    there = somebody("reader")
    done = there("sample", f"hub:owner/{name}", "-n", 2, f"--out={family.samples}", *inputs)
    assert done.returncode == 0, done.stderr
    assert count(there.folder / family.samples, family.suffix) == (1 if family.together else 2 * family.outputs)


def count(place, suffix):
    """How many files with that ending there are."""
    return len([file for file in (place, *place.rglob("*")) if file.is_file() and file.suffix == suffix])
