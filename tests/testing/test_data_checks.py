"""The checks of data sets and of kinds: what is sound passes, and what breaks a promise is named."""

import textwrap

import pytest

import ganzoo
from tinyplugin import failed

PLUGIN = """
    import ganzoo

    @ganzoo.hookimpl
    def register_data(register):
        register("sums", "tiny_data.sums:Sums")

    @ganzoo.hookimpl
    def register_kinds(register):
        register("sum", "tiny_data.sums:Sum")
"""
CODE = """
    import ganzoo
    import numpy as np


    class Sums(ganzoo.Dataset):
        kinds = {"sum": "sum"}
        classes = {"label": ["even", "odd"]}
        facts = {"base": 10}

        def __init__(self, count: int = 20, noisy: bool = False):
            self.count, self.noisy = count, noisy
            self.calls = 0

        def __len__(self):
            return self.count

        def sample(self, index, rng):
            self.calls += 1
            noise = rng.random(3) if self.noisy else np.zeros(3)
            values = (index + noise + [0, 1, 2]) / 30
            return {"sum": values.astype(np.float32), "label": index % 2}

        def source(self, index):
            return f"number {index}"


    class Sum(ganzoo.Kind):
        plural = "sums"
        suffix = ".txt"
        range = (-1.0, 1.0)
        public_range = (0.0, 1.0)

        def write(self, path, sample, mark):
            path.write_text(" ".join(map(str, sample)))

        def read(self, path):
            return np.array(path.read_text().split(), np.float32)
"""


def outcome_of(site, *changes, **options):
    site.install("tiny-data", textwrap.dedent(PLUGIN))
    code = textwrap.dedent(CODE)
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    (site.folder / "tiny_data" / "sums.py").write_text(code)
    found = ganzoo.testing.checks_of("tiny-data", **options)
    return {check.id: check.result() for check in found if check.kind in ("data", "kind")}


def test_sound_data_and_a_sound_kind_pass_every_check(site):
    outcome = outcome_of(site)
    assert failed(outcome) == {}
    assert {result for result, _ in outcome.values()} == {"ok"}
    assert len(outcome) == 6 + 5


SAMPLE = "(index + noise + [0, 1, 2]) / 30"
BROKEN = {
    "numbers of its own": (
        SAMPLE,
        "(np.random.rand(3) + index) / 30",
        "is another when it is read again: draw from the",
    ),
    "a memory": (
        SAMPLE,
        "(self.calls + noise + [0, 1, 2]) / 90",
        "a sample must depend on its index and the rng alone",
    ),
    "another shape": (SAMPLE, "np.zeros(3 + (index == 10))", "of sample 10 has the shape (4,), sample 0 has (3,)"),
    "out of range": (SAMPLE, SAMPLE.replace("30", "3"), "must lie in [0, 1]"),
    "an unknown class": ('"label": index % 2', '"label": 2 + index % 2', "label"),
    "an unknown kind": ('{"sum": "sum"}', '{"sum": "summ"}', "did you mean 'sum'?"),
    "a class of no key": ('classes = {"label"', 'classes = {"lable"', "lable"),
    "no name of a sample": ('return f"number {index}"', "return index", "must be text that names the sample, got 0"),
    "an option that fails": ("self.calls = 0", "self.calls = [0, 1][noisy + 1] if noisy else 0", "with noisy = True: "),
    "not to be pickled": ("self.calls = 0", "self.calls, self.key = 0, lambda: 0", "cannot be pickled"),
    "a plural that is missing": ('plural = "sums"', 'plural = ""', "`plural` must say what several samples are called"),
    "a suffix without a dot": ('suffix = ".txt"', 'suffix = "txt"', "`suffix` must begin with a dot, got 'txt'"),
    "nothing written": ('path.write_text(" ".join(map(str, sample)))', "path.touch()", "write() leaves nothing in"),
    "read in another shape": (
        "return np.array(path",
        "return np.zeros(2) if path else np.array(path",
        "must have the shape 3",
    ),
    "nothing refused": (
        "def write(",
        "def check(self, values):\n        pass\n\n    def write(",
        "check() takes samples of another",
    ),
    "another sample back": (
        "def write(",
        "def to_public(self, values):\n        return values\n\n    def write(",
        "must lie in [0, 1]",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_breaks_a_promise_is_named(site, broken):
    old, new, sentence = broken
    reasons = failed(outcome_of(site, (old, new)))
    assert any(sentence in reason for reason in reasons.values()), reasons


def test_options_that_no_recipe_gives_are_asked_for_and_can_be_given(site):
    required = ("count: int = 20", "count: int")
    outcome = outcome_of(site, required)
    assert failed(outcome) == {}
    reason = "it has options without a default (count), which no recipe gives: give checks(..., options={'sums': "
    assert all(result == "skipped" and said.startswith(reason) for result, said in outcome.values())
    given = ganzoo.testing.checks_of("tiny-data", options={"sums": {"count": 25}})
    assert {check.result() for check in given if check.kind in ("data", "kind")} == {("ok", "")}


def test_a_kind_that_writes_in_its_own_way_what_it_cannot_read_is_sound(site):
    """Such as a table with names of categories: nothing can be given as such a file."""
    derived = """

    class Sum(Sum):
        def to_array(self, values):
            return np.array([["low" if value < 0 else "high" for value in row] for row in values.tolist()])
"""
    last = "return np.array(path.read_text().split(), np.float32)\n"
    outcome = outcome_of(site, (last, last + textwrap.dedent(derived)))
    assert failed(outcome) == {}
    assert {result for result, _ in outcome.values()} == {"ok"}
