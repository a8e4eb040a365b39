"""A plugin's requirement on ganzoo: what is plain is judged as packaging judges it, without importing it."""

import pytest
from packaging.requirements import Requirement

from ganzoo.plugins import loading

VERSIONS = ("0.1.0", "0.2.0", "0.10.1", "1.0", "2", "0.2.0rc1", "0.2.0.dev3", "1.0.post1", "1!0.2")
BOUNDS = ("0", "0.1", "0.1.0", "0.2", "0.2.0.0", "0.10", "1", "2.0", "0.2rc1", "1.*")


@pytest.mark.parametrize("version", VERSIONS)
def test_only_what_packaging_finds_met_is_plainly_met(version, monkeypatch):
    monkeypatch.setattr(loading, "__version__", version)
    texts = [f"ganzoo{sign}{bound}" for sign in (">=", "<", "==", "~=", "!=", ">", "<=") for bound in BOUNDS]
    texts = [text for text in texts if not text.endswith(".*") or text[6:8] in ("==", "!=")]
    texts += [f"ganzoo >= {low}, <{high}" for low in BOUNDS[:-1] for high in BOUNDS[:-1]]
    met = [text for text in texts if loading.is_plainly_met(text)]
    assert all(Requirement(text).specifier.contains(version, prereleases=True) for text in met)
    plain = version.replace(".", "").isdecimal()
    assert bool(met) == plain


@pytest.mark.parametrize(
    "text", ["ganzoo", "ganzoo>=0; extra == 'test'", "ganzoo[x]>=0", "ganzoo @ file:///x", "gan>=0"]
)
def test_all_else_is_for_a_real_parser(text, monkeypatch):
    monkeypatch.setattr(loading, "__version__", "0.1.0")
    assert not loading.is_plainly_met(text)
