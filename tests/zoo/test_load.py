"""Loading takes only what is sound, and says in one sentence what is not."""

import hashlib
import json

import pytest
import torch

import ganzoo
from ganzoo.zoo.model import load
from model_folders import changed, reweighted, weights_of


def test_a_model_folder_loads_alone_and_draws_the_same(run, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    for name in ("config.json", "model.safetensors"):
        (copy / name).write_bytes((run.model_folder / name).read_bytes())
    assert torch.equal(load(copy).sample(5), run.sample(5))


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (lambda c: c.update(format=99), ganzoo.BadInput, "has format 99, this ganzoo"),
        (lambda c: c["architecture"].update(distribution="ganzoo-else"), ganzoo.BadInput, "'vanilla' of ganzoo-else"),
        (lambda c: c["architecture"]["options"].update(widht=3), ganzoo.BadInput, "unknown key 'architecture.widht'"),
        (lambda c: c["architecture"]["options"].update(widths=[7]), ganzoo.Unavailable, "do not fit the architecture"),
        (lambda c: c["weights"].update(sha256="0" * 64), ganzoo.Unavailable, "is damaged"),
        (lambda c: [1], ganzoo.BadInput, "config.json is not valid JSON: it must be a table"),
        (lambda c: {"format": 1}, ganzoo.BadInput, "architecture: Field required"),
        (lambda c: c.pop("format") and None, ganzoo.BadInput, "format: Field required"),
        (lambda c: c["architecture"].update(options=[1]), ganzoo.BadInput, r"architecture\.options: "),
        (lambda c: c["architecture"].update(name=None), ganzoo.BadInput, r"architecture\.name: "),
        (lambda c: c["architecture"].update(name="a\x1b[2J"), ganzoo.BadInput, r"architecture\.name: "),
        (lambda c: c["data"].update(shape=None), ganzoo.BadInput, "data: .*images need a shape, of length 3"),
        (lambda c: c["data"].update(shape=[1, -4, 4]), ganzoo.BadInput, r"data\.shape\.1: "),
        (lambda c: c["data"].update(classes=10), ganzoo.BadInput, r"data\.classes: "),
        (lambda c: c.update(weights=[]), ganzoo.BadInput, "weights: "),
        (lambda c: c["weights"].update(file=3), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="../model.safetensors"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="/etc/passwd"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="a/b"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file=".."), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="other.safetensors"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(file="pytorch_model.bin"), ganzoo.BadInput, r"weights\.file: "),
        (lambda c: c["weights"].update(sha256="0" * 63), ganzoo.BadInput, r"weights\.sha256: "),
        (lambda c: c["weights"].update(size=7), ganzoo.Unavailable, "incomplete: config.json says 7 bytes"),
        (lambda c: c.update(junk="x" * 1_000_001), ganzoo.BadInput, "it is too large, more than 1,000,000 bytes"),
    ],
)
def test_a_model_that_is_not_sound_is_refused(run, tmp_path, change, kind, sentence):
    with pytest.raises(kind, match=sentence) as refusal:
        load(changed(run, tmp_path / "changed", change))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'"words"'])
def test_a_config_that_is_no_table_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ganzoo.BadInput, match=r"config\.json is not valid JSON: "):
        load(tmp_path)


def test_weights_with_the_right_hash_must_still_be_weights(run, tmp_path):
    content = b"not weights at all"
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, tmp_path / "changed", lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ganzoo.Unavailable, match="is not a safetensors file"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: {name: w[name] for name in w if name != min(w)}, "' is missing"),
        (lambda w: w.update(more=torch.zeros(1)), "'more' is too much"),
        (lambda w: w.update({min(w): torch.zeros(3, 3, 3)}), r"has the shape \(3, 3, 3\), not \("),
        (lambda w: w.update({min(w): w[min(w)].double()}), "is torch.float64, not torch.float32"),
        (lambda w: w.update({min(w): w[min(w)].int()}), "is torch.int32, not torch.float32"),
        (lambda w: w.update({min(w): w[min(w)] * torch.nan}), "has a number that is not finite"),
        (lambda w: w.update({min(w): w[min(w)] - torch.inf}), "has a number that is not finite"),
    ],
)
def test_weights_must_fit_in_name_shape_and_type(run, tmp_path, change, sentence):
    with pytest.raises(ganzoo.Unavailable, match=sentence):
        load(reweighted(run, tmp_path / "changed", change))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_kept_in_half_precision_are_loaded_into_float32(run, tmp_path, dtype):
    kept = weights_of(run)
    halved = {name: kept[name].to(dtype) if kept[name].is_floating_point() else kept[name] for name in kept}
    loaded = load(reweighted(run, tmp_path / "changed", lambda w: halved)).generator.state_dict()
    for name, tensor in kept.items():
        assert torch.equal(loaded[name], halved[name].to(tensor.dtype))


@pytest.mark.parametrize("header", [b"\xff" * 8, (2**40).to_bytes(8, "little"), (3).to_bytes(8, "little") + b"{}x"])
def test_a_safetensors_header_that_lies_is_refused(run, tmp_path, header):
    content = header + (run.model_folder / "model.safetensors").read_bytes()[8:]
    pinned = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    folder = changed(run, tmp_path / "changed", lambda c: c["weights"].update(pinned))
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ganzoo.Unavailable, match="is not a safetensors file"):
        load(folder)


def test_weights_that_do_not_fit_are_explained_by_versions(run, tmp_path):
    def other_version(config):
        config["architecture"].update(version="0.0.7")
        config["architecture"]["options"].update(widths=[7])

    with pytest.raises(ganzoo.Unavailable) as refusal:
        load(changed(run, tmp_path / "changed", other_version))
    installed = json.loads((run.model_folder / "config.json").read_text())["architecture"]["version"]
    assert "do not fit the architecture: " in str(refusal.value)
    assert str(refusal.value).endswith(f"; made with ganzoo-vanilla 0.0.7, installed is {installed}")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ganzoo.BadInput, match="there is no run or model"):
        load(tmp_path / "nothing")
    with pytest.raises(ganzoo.BadInput, match=r"it has no config\.json"):
        load(tmp_path)


def test_loading_draws_nothing_from_torchs_random_generator(run):
    state = torch.get_rng_state()
    ganzoo.load(run.path)
    assert torch.equal(torch.get_rng_state(), state)
