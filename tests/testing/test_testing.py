"""The conformance kit: what passes it, what it skips, and how pytest and the command line show it."""

import json
import re
import sys

import pytest
import torch

import ganzoo
from ganzoo.cli.main import main
from ganzoo.plugins.catalog import catalog
from ganzoo.zoo.bundle import bundle
from tinyplugin import IMAGE, add, failed, install, results

PIXELS = "torch.tanh(self.last(hidden)).unflatten(1, self.image)"
FORWARD = "def forward(self, given):"


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_REGISTRY", str(tmp_path / "no-registry.toml"))


def endings(outcome):
    return {result for result, _ in outcome.values()}


def test_the_sound_plugin_passes_every_check(site):
    outcome = results("plugin", "architecture", "loss", "recipe", name=install(site))
    assert failed(outcome) == {}
    assert len(outcome) == 1 + 14 + 3 * 11 + 1
    skipped = [key for key, (result, _) in outcome.items() if result == "skipped"]
    assert skipped == ["gentle-view-lets-gradient-through", "moving-view-lets-gradient-through"]


def test_every_check_has_a_name_of_its_own(site):
    found = ganzoo.testing.checks_of(install(site))
    ids = [check.id for check in found]
    assert len(set(ids)) == len(ids)
    assert {
        "plugin-tiny-gan-imports-no-torch",
        "architecture-tiny-same-seed-same-latents",
        "architecture-tiny-scores-are-raw",
        "loss-gentle-terms-are-finite-scalars",
        "recipe-tiny-trains-and-samples",
    } <= set(ids)
    assert all(re.fullmatch(r"[\w.-]+", each) for each in ids)


SOUND = {
    "tied weights": [
        ("self.act = ", "self.second = nn.Linear(12, 12)\n        self.third = nn.Linear(12, 12)\n"
                        "        self.third.weight = self.second.weight\n        self.act = "),
        (PIXELS, "torch.tanh(self.last(self.third(self.second(hidden)))).unflatten(1, self.image)"),
    ],
    "a gate that starts at zero": [
        ("self.act = ", "self.gate = nn.Parameter(torch.zeros(()))\n        self.act = "),
        ("self.norm =", "self.side = nn.Linear(12, 12)\n        self.norm ="),
        (PIXELS, "torch.tanh(self.last(hidden + self.gate * self.side(hidden))).unflatten(1, self.image)"),
    ],
    "noise from torch in forward": [
        (PIXELS, "torch.tanh(self.last(hidden + torch.randn_like(hidden))).unflatten(1, self.image)"),
    ],
    "a frozen parameter": [
        ("self.act = ", "self.scale = nn.Parameter(torch.ones(()), requires_grad=False)\n        self.act = "),
    ],
    "a label for every sample": [
        (FORWARD, 'needs, categorical = ("label",), {"label": 4}\n\n    ' + FORWARD),
        ("def __init__(self, image, activation", "def __init__(self, image, classes, activation"),
        ("self.act = ", "self.label = nn.Embedding(classes, 12)\n        self.act = "),
        (PIXELS, 'torch.tanh(self.last(hidden + self.label(given["label"]))).unflatten(1, self.image)'),
    ],
    "classes that are optional": [
        ("def __init__(self, image, activation", "def __init__(self, image, classes: int | None = None, activation"),
        ("self.act = ", "self.categorical = {'label': classes} if classes else {}\n"
                        "        self.label = nn.Embedding(classes or 1, 12)\n        self.act = "),
        (PIXELS, "torch.tanh(self.last(hidden + self.label(given.get('label', torch.zeros(len(hidden), dtype=int)))))"
                 ".unflatten(1, self.image)"),
    ],
    "a label that has to be given": [
        (FORWARD, 'needs = ("label",)\n\n    ' + FORWARD),
        ("self.act = ", "self.label = nn.Embedding(4, 12)\n        self.act = "),
        (PIXELS, 'torch.tanh(self.last(hidden + self.label(given["label"]))).unflatten(1, self.image)'),
    ],
    "a latent that is a setting, and one that is a choice": [
        (FORWARD, "def latent(self, n, rng):\n        on = torch.randint(2, (n, 1), generator=rng).float()\n"
                  "        return {**super().latent(n, rng), 'strength': torch.ones(n), 'on': on}\n\n    " + FORWARD),
        (PIXELS, "torch.tanh(given['strength'][:, None] * self.last(hidden + given['on'])).unflatten(1, self.image)"),
    ],
    "a map of scores": [("return self.last(hidden)", "return self.last(hidden)[..., None].expand(-1, 1, 3)")],
    "spectral normalisation": [
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, 1, bias=bias)\n"
         "        for layer in (self.first, self.last):\n            nn.utils.parametrizations.spectral_norm(layer)"),
    ],
    "spectral and instance normalisation without a bias": [
        ("bias: bool = True", "bias: bool = False"),
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, 1, bias=bias)\n"
         "        self.first.register_parameter('bias', None)\n"
         "        for layer in (self.first, self.last):\n            nn.utils.parametrizations.spectral_norm(layer)"),
        ("return self.last(hidden)", "return self.last(nn.functional.instance_norm(hidden[:, None])[:, 0])"),
    ],
    "an energy, which is never negative": [
        ("self.last = nn.Linear(12, 1, bias=bias)", "self.last = nn.Linear(12, prod(image), bias=bias)"),
        ("return self.last(hidden)", "return (self.last(hidden) - images.flatten(1)).square().mean(1)"),
    ],
    "dropout in the discriminator": [
        ("return self.last(hidden)", "return self.last(nn.functional.dropout(hidden, 0.3, self.training))"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND)
def test_what_is_unusual_but_sound_passes(site, changes):
    install(site, *(("networks.py", old, new) for old, new in changes))
    outcome = results("architecture")
    assert failed(outcome) == {}
    assert endings(outcome) == {"ok"}


SOURCE = [
    ("networks.py", FORWARD, 'needs = ("source",)\n\n    ' + FORWARD),
    ("networks.py", "self.last = nn.Linear(12, prod(image))", "self.last = nn.Linear(12 + prod(image), prod(image))"),
    ("networks.py", PIXELS, PIXELS.replace("(hidden)", '(torch.cat([hidden, given["source"].flatten(1)], 1))')),
]


def source(n, rng):
    return {"source": torch.rand(n, *IMAGE, generator=rng)}


def test_without_batches_of_their_kind_architectures_are_looked_at_as_far_as_possible(site):
    install(site, *SOURCE)
    outcome = results("architecture")
    assert failed(outcome) == {}
    assert outcome["tiny-builds-with-every-option"] == ("ok", "")
    assert outcome["tiny-same-seed-same-latents"] == ("ok", "")
    assert outcome["tiny-scores-are-raw"] == (
        "skipped",
        "needs 'source' in its batches: give checks(..., batch=function(n, rng) -> dict)",
    )


def test_with_batches_of_their_kind_every_check_is_made(site):
    install(site, *SOURCE)
    assert endings(results("architecture", batch=source)) == {"ok"}


def test_a_generator_of_several_kinds_of_image_passes(site):
    install(
        site,
        ("networks.py", FORWARD, 'makes = ("image", "mask")\n\n    ' + FORWARD),
        ("networks.py", f"return {PIXELS}", f"image = {PIXELS}\n        return {{'image': image, 'mask': 3 * image}}"),
        ("networks.py", "self.first(images.flatten(1))", 'self.first((images["image"] + images["mask"]).flatten(1))'),
    )
    outcome = results("architecture", batch=lambda n, rng: {"mask": source(n, rng)["source"]})
    assert failed(outcome) == {}
    assert endings(outcome) == {"ok"}


CODE = [
    ("networks.py", "return self.last(hidden)", 'return self.last(hidden), {"code": self.code(hidden)}'),
    ("networks.py", "self.last = nn.Linear(12, 1, bias=bias)",
     "self.last = nn.Linear(12, 1, bias=bias)\n        self.code = nn.Linear(12, 5)"),
]  # fmt: skip
INFORMATION = (
    "losses.py",
    'return {"fool": -step.fake_scores.mean()}',
    'return {"code": (step.fake_extras["code"] - step.given["z"]).square().mean()}\n\n'
    "    def setup(self, step):\n        if 'code' not in step.fake_extras:\n"
    "            raise ValueError('it needs a discriminator that guesses the code')",
)


def test_a_loss_that_refuses_the_kits_game_is_played_with_its_own_plugins_architectures(site):
    install(site, *CODE, INFORMATION)
    outcome = results("architecture", "loss")
    assert failed(outcome) == {}
    assert outcome["gentle-state-survives-save-and-restore"] == ("ok", "")


def test_a_loss_that_refuses_all_of_these_is_played_with_any_other_architecture_here(site):
    install(site, INFORMATION)
    site.install("broken-gan", "import nowhere_to_be_found")
    install(site, *CODE, name="other-gan")
    outcome = results("loss")
    assert failed(outcome) == {}
    assert outcome["gentle-builds-with-every-option"] == ("ok", "")
    assert outcome["gentle-state-survives-save-and-restore"] == ("ok", "")


def test_a_loss_that_refuses_every_game_is_skipped_with_every_refusal(site):
    install(site, INFORMATION)
    outcome = {key: result for key, result in results("loss").items() if key.startswith("gentle")}
    built, *_ = outcome.values()
    assert built[0] == "skipped"
    sentence = "it refuses every game: loss 'tiny-gan:gentle': it needs a discriminator that guesses the code"
    assert built[1] == f"{sentence} (in the kit's own game, tiny-gan:tiny), and no other architecture here suits it"
    assert {reason for result, reason in outcome.values() if result == "skipped"} == {built[1]}
    assert [key for key, (result, _) in outcome.items() if result != "skipped"] == ["gentle-has-nothing-to-train"]


def test_an_option_that_setup_refuses_in_this_game_is_no_fault(site):
    refusal = (
        "def setup(self, step):\n        if self.cost is relu:\n            raise ValueError('it needs extras')\n\n"
    )
    install(site, ("losses.py", "def generator(self, step)", f"{refusal}    def generator(self, step)"))
    assert failed(results("loss")) == {}


@pytest.mark.parametrize("turns", [("discriminator", "generator"), ("generator",)])
def test_a_loss_that_only_logs_on_a_turn_says_so(site, turns):
    changes = {
        "discriminator": (
            'return {"real": self',
            'return {"right": step.real_scores.gt(0).float().mean()}\n        {"real": self',
        ),
        "generator": ("-step.fake_scores.mean()", "-step.fake_scores.detach().mean()"),
    }
    install(site, *(("losses.py", *changes[turn]) for turn in turns))
    outcome = results("loss")
    assert failed(outcome) == {}
    assert outcome["gentle-gradient-reaches-its-own-side-only"] == (
        "skipped",
        f"its terms on the {' and the '.join(turns)}'s turn have no gradient and are only logged",
    )


def test_a_frozen_network_in_a_loss_is_fine(site):
    network = "self.eye = torch.nn.Linear(1, 1).eval()\n        self.cost = {"
    install(site, ("losses.py", "self.cost = {", network))
    assert failed(results("loss")) == {}


def test_an_architecture_that_refuses_every_size_fails_once_with_the_refusal(site):
    install(site, ("networks.py", "self.image = image", "raise ValueError('only squares of 7')"))
    outcome = results("architecture", image=None)
    assert failed(outcome) == {
        "tiny-builds-with-every-option": "architecture 'tiny': only squares of 7; tried images of 1 x 28 x 28, "
        "1 x 32 x 32, 3 x 64 x 64, 3 x 32 x 32, 3 x 128 x 128, 3 x 256 x 256: give another by "
        "checks(..., image=(c, h, w)) or check --image c,h,w"
    }
    assert endings(outcome) == {"failed", "skipped"}


def takes(condition):
    """A change by which the architecture refuses all other shapes."""
    refusal = f"if not ({condition}):\n            raise ValueError('not this shape')\n        self.image = image"
    return ("networks.py", "self.image = image", refusal)


@pytest.mark.parametrize("condition", ["image[1] >= 64", "image == (3, 32, 32)", "image[1] >= 128"])
def test_sizes_are_tried_in_turn(site, condition):
    install(site, takes(condition))
    assert endings(results("architecture", image=None)) == {"ok"}


def test_what_is_broken_in_any_shape_is_told_without_advice_on_shapes(site):
    install(site, ("networks.py", "self.image = image", "raise KeyError('size')"))
    outcome = results("architecture", image=None)
    assert failed(outcome) == {"tiny-builds-with-every-option": "architecture 'tiny' failed: KeyError: 'size'"}


@pytest.mark.parametrize("data", ['"cifar10"', '{ name = "nowhere/pictures", size = 16, channels = 1 }'])
def test_a_recipe_for_other_data_trains_on_random_images_of_its_size(site, data, monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "none"))
    install(site, ("recipes/tiny.toml", "loss =", f"data = {data}\nloss ="))
    assert results("recipe") == {"tiny-trains-and-samples": ("ok", "")}
    assert not (tmp_path / "none").exists()


def test_a_recipe_for_batches_of_python_code_is_skipped_unless_they_are_given(site):
    install(site, *SOURCE, ("recipes/tiny.toml", "loss =", 'data = "batches"\nloss ='))
    ((result, reason),) = results("recipe").values()
    assert (result, reason[:51]) == ("skipped", "it learns from batches that Python code gives: give")
    images = lambda n, rng: {"image": source(n, rng)["source"], **source(n, rng)}  # noqa: E731
    assert results("recipe", batch=images) == {"tiny-trains-and-samples": ("ok", "")}


@pytest.fixture
def shipped(site, tmp_path):
    """The sound plugin with a model in its package."""
    install(site)
    run = ganzoo.train("tiny", out=tmp_path / "run", device="cpu", train={"steps": 2}, quiet=True)
    package = site.folder / "tiny_gan"
    text = bundle(str(run.path), package / "pretrained" / "small", "mit")
    add(site, {"registry.toml": text})
    catalog.cache_clear()
    return package


def test_a_model_in_the_package_is_loaded_and_sampled(shipped):
    assert results("model") == {"small-loads-and-samples": ("ok", "")}


def test_a_damaged_model_in_the_package_is_caught(shipped):
    (shipped / "pretrained" / "small" / "model.safetensors").write_bytes(b"damaged")
    (reason,) = failed(results("model")).values()
    assert "model.safetensors is not the file that the registry pins as 'small'" in reason


def test_a_model_on_the_hub_is_skipped(shipped):
    registry = shipped / "registry.toml"
    registry.write_text(re.sub('source = ".*"', f'source = "hub:owner/name@{"0" * 40}"', registry.read_text()))
    catalog.cache_clear()
    assert results("model") == {"small-loads-and-samples": ("skipped", "it is on the Hub, and checks use no network")}


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("tiny-gam", "no plugin 'tiny-gam' is installed; did you mean 'tiny-gan'"),
        ("broken-gan", "failed: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ],
)
def test_a_plugin_that_does_not_work_is_one_failing_check(site, name, sentence):
    install(site)
    site.install("broken-gan", "import nowhere_to_be_found")
    (check,) = ganzoo.testing.checks_of(name)
    result, reason = check.result()
    assert (check.id, result) == (f"plugin-{name}-works", "failed")
    assert reason.startswith(sentence)


def test_looking_for_torch_imports_nothing_of_the_current_folder(site, monkeypatch, tmp_path):
    (tmp_path / "pluggy.py").write_text("raise SystemExit('this is the wrong pluggy')")
    monkeypatch.chdir(tmp_path)
    install(site)
    assert results("plugin") == {"tiny-gan-imports-no-torch": ("ok", "")}


def test_a_check_leaves_torchs_random_numbers_alone(site):
    install(site)
    before = torch.get_rng_state()
    results("recipe")
    assert before.equal(torch.get_rng_state())


def test_without_pytest_one_sentence_says_so(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(ganzoo.BadInput, match="needs pytest: pip install pytest; or run 'ganzoo check'"):
        ganzoo.testing.checks(install(site))


def test_the_kit_is_there_when_it_is_asked_for(command):
    code = "import sys, ganzoo; print('testing' in dir(ganzoo), {'torch', 'pytest', 'ganzoo.testing'} & {*sys.modules})"
    assert command.python("-c", code).stdout == "True set()\n"


def test_pytest_collects_one_test_for_each_check_and_skips_and_fails_as_they_do(site, command):
    install(site, ("losses.py", ".mean()}\n\n    def generator", ".mean() / 0}\n\n    def generator"))
    line = f'test_plugin = ganzoo.testing.checks("tiny-gan", image={IMAGE})\n'
    (command.folder / "test_tiny.py").write_text(f"import ganzoo\n\n{line}")
    ended = command.python("-m", "pytest", "-v", "-p", "no:cacheprovider", "test_tiny.py", PYTHONPATH=str(site.folder))
    found = re.findall(r"test_tiny\.py::test_plugin\[(\S+)\] (PASSED|FAILED|SKIPPED)", ended.stdout)
    own = results("plugin", "architecture", "loss", "recipe")
    words = {"ok": "PASSED", "failed": "FAILED", "skipped": "SKIPPED"}
    ids = [check.id for check in ganzoo.testing.checks_of("tiny-gan")]
    assert found == list(zip(ids, (words[result] for result, _ in own.values()), strict=True))
    assert "the term 'fake' of the discriminator's turn is inf, not a finite number" in ended.stdout


def test_the_command_shows_a_table_and_exits_with_2_where_a_check_fails(site, command):
    install(site, ("networks.py", "return self.last(hidden)", "return torch.sigmoid(self.last(hidden))"))
    ended = command("check", "tiny_gan", PYTHONPATH=str(site.folder))
    assert ended.returncode == 2, ended.stderr
    lines = [re.split(r"\s{2,}", line.strip()) for line in ended.stdout.splitlines()]
    assert ["architecture tiny", "plays in float32", "ok"] in lines
    assert ["loss gentle", "view lets gradient through", "skipped", "it has no view of its own"] in lines
    broken, _, counts = lines[-3:]
    assert broken[:3] == ["architecture tiny", "scores are raw", "failed"]
    assert broken[3].startswith("scores never leave [-1, 1]: leave the final sigmoid (or tanh) away")
    assert re.fullmatch(r"tiny-gan: \d+ ok, \d+ skipped, 1 failed", counts[0])


def test_a_reason_that_many_checks_give_stands_there_once(site, command):
    install(site, ("networks.py", "return self.last(hidden)", "return self.lost(hidden)"))
    shown = command("check", "tiny_gan", PYTHONPATH=str(site.folder)).stdout
    assert shown.count("'lost'") == 2, "once of the architecture, and in other words of the recipe"
    assert shown.count("(as above)") > 5


def test_each_check_of_a_loss_can_be_made_alone(site):
    install(site)
    for number in range(len(ganzoo.testing.checks_of("tiny-gan"))):
        ending, reason = ganzoo.testing.checks_of("tiny-gan")[number].result()
        assert ending in ("ok", "skipped"), reason


def run_here(capsys, *words):
    """What a command prints, and its exit code."""
    with pytest.raises(SystemExit) as end:
        main(words)
    return capsys.readouterr().out, end.value.code


def test_the_command_gives_json_alone_and_exits_with_0_where_all_is_well(site, capsys):
    install(site, ("networks.py", FORWARD, FORWARD + "\n        print('disturbing')"))
    printed, code = run_here(capsys, "check", "tiny-gan", "--json")
    rows = json.loads(printed)
    assert code == 0
    assert {row["result"] for row in rows} == {"ok", "skipped"}
    assert rows[0] == {
        "plugin": "tiny-gan",
        "thing": "plugin tiny-gan",
        "check": "imports no torch",
        "result": "ok",
        "reason": "",
    }


def test_the_command_can_be_told_the_shape_of_the_images(site, capsys):
    install(site, takes("image == (1, 5, 9)"))
    printed, _ = run_here(capsys, "check", "tiny-gan", "--image", "1,5,9", "--json")
    assert {row["result"] for row in json.loads(printed) if row["thing"] == "architecture tiny"} == {"ok"}


@pytest.mark.parametrize("image", ["32", "3,32", "3x32x32", "3,32,0", "3,32,-1", "3,32,32,", "a,b,c", ""])
def test_the_command_refuses_what_is_no_shape(site, capsys, image):
    with pytest.raises(SystemExit) as end:
        main(["check", install(site), "--image", image])
    sentence = f"error: --image is channels, height and width, such as 3,32,32; got '{image}'\n"
    assert (end.value.code, capsys.readouterr().err) == (2, sentence)


def test_the_command_without_a_name_looks_at_every_plugin(site, monkeypatch, capsys):
    monkeypatch.setenv("GANZOO_DISABLE_PLUGINS", ",".join(plugin.distribution for plugin in catalog().plugins))
    catalog.cache_clear()
    site.install("broken-gan", "import nowhere_to_be_found")
    site.install("empty-handed", "")
    printed, code = run_here(capsys, "check", "--json")
    rows = {row["plugin"]: row for row in json.loads(printed)}
    assert code == 2
    assert "No module named 'nowhere_to_be_found'" in rows["broken-gan"]["reason"]
    assert "it registers nothing" in rows["empty-handed"]["reason"]


def test_an_unknown_plugin_is_refused_with_the_nearest_name(site, command):
    install(site)
    ended = command("check", "tiny-gam", PYTHONPATH=str(site.folder))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: no plugin 'tiny-gam' is installed; did you mean 'tiny-gan'?\n"
