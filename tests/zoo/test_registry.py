"""Models by name: registries of ganzoo, of plugins and of the user, and what a reference means."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo._io import sha256
from ganzoo.cli.wording import describe
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.entries import NEEDED_FILES
from ganzoo.zoo import references
from ganzoo.zoo.config import CheckedConfig
from ganzoo.zoo.model import load
from ganzoo.zoo.publishing.bundle import bundle, without_paths
from ganzoo.zoo.publishing.entry import check_name_free
from ganzoo.zoo.registry import Registry
from ganzoo.zoo.resolve import resolve_model

PACKAGE = Path(ganzoo.__file__).parent
COMMIT = "0123456789abcdef" * 2 + "01234567"
PIN = '{ sha256 = "' + "0" * 64 + '", size = 7 }'
ABOUT = 'architecture = "a"\ndistribution = "d"\ndata = "dots"\nlicense = "mit"\n'
FILES = f'files."config.json" = {PIN}\nfiles."model.safetensors" = {PIN}\n'


def resolve_folder(source, offline=False, everything=False):
    return resolve_model(references.parse(source), offline, everything).folder


def entry(name, source=f"hub:owner/dots@{COMMIT}", rest=FILES):
    return f'[{name}]\nsource = "{source}"\n{ABOUT}{rest}'


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The user's registry, not yet there."""
    path = tmp_path / "settings" / "registry.toml"
    path.parent.mkdir()
    monkeypatch.setenv("GANZOO_REGISTRY", str(path))
    return path


@pytest.fixture(scope="module")
def some_model():
    """A model that comes with ganzoo, and whose training takes images without labels."""
    return Registry().find("ganzoo:dcgan-mnist")


def test_what_comes_with_ganzoo_is_as_pinned_small_and_makes_images(mine):
    bundled = [entry for entry in Registry().entries if entry.origin == "ganzoo" and entry.folder]
    assert bundled
    for each in bundled:
        folder = resolve_folder(each.name, offline=True)
        assert folder == PACKAGE / "pretrained" / each.name
        assert {path.name: sha256(path.read_bytes()) for path in folder.iterdir()} == {
            name: pin["sha256"] for name, pin in each.files.items()
        }
        assert {*NEEDED_FILES, "README.md", "recipe.toml", "samples.png"} <= each.files.keys()
        images = load(each.name, "cpu").sample(4)
        assert images.shape[1:] == tuple(json.loads((folder / "config.json").read_text())["data"]["shape"])
        assert images.std() > 0.1


def test_the_schema_of_a_config_that_ships_is_what_is_checked():
    assert json.loads((PACKAGE / "zoo/config.schema.json").read_text()) == CheckedConfig.model_json_schema()


def test_a_user_adds_models_of_their_own(mine, some_model, tmp_path):
    shutil.copytree(some_model.folder, mine.parent / "copied")
    pins = "".join(
        f'files."{n}" = {{ sha256 = "{p["sha256"]}", size = {p["size"]} }}\n' for n, p in some_model.files.items()
    )
    mine.write_text(entry("copied", "copied", pins))
    assert resolve_folder("copied") == mine.parent / "copied"
    assert resolve_folder("user:copied") == mine.parent / "copied"
    (mine.parent / "copied" / "README.md").write_text("changed")
    assert resolve_folder("copied") == mine.parent / "copied"  # images need no README
    with pytest.raises(ganzoo.Unavailable, match=r"README\.md is not the file that the registry pins as 'copied'"):
        resolve_folder("copied", everything=True)
    (mine.parent / "copied" / "config.json").write_text("{}")
    with pytest.raises(ganzoo.Unavailable, match=r"config\.json is not the file that the registry pins as 'copied'"):
        resolve_folder("copied")


def test_one_name_twice_stays_reachable_in_full(mine, some_model):
    mine.write_text(entry(some_model.name))
    with pytest.raises(ganzoo.BadInput) as refusal:
        Registry().find(some_model.name)
    assert f"'ganzoo:{some_model.name}' and 'user:{some_model.name}'" in str(refusal.value)
    assert Registry().find(f"ganzoo:{some_model.name}").origin == "ganzoo"
    assert Registry().find(f"user:{some_model.name}").commit == COMMIT


def test_a_plugin_ships_models_inside_its_package(mine, site, some_model, tmp_path):
    site.install("ganzoo-shipped", "")
    package = tmp_path / "site" / "ganzoo_shipped"
    text = bundle(some_model.folder, package / "pretrained" / "shipped", "mit")
    (package / "registry.toml").write_text(text)
    catalog.cache_clear()
    assert Registry().find("shipped").full_name == "ganzoo-shipped:shipped"
    assert load("shipped", "cpu").sample(2).equal(load(some_model.name, "cpu").sample(2))
    assert [plugin.status for plugin in catalog().plugins if plugin.distribution == "ganzoo-shipped"] == ["ok"]
    for name in ("shipped", "ganzoo-shipped:shipped"):
        assert describe(name).startswith("model 'shipped' of ganzoo-shipped\n")
        assert '"architecture"' in describe(name)


def test_a_plugin_with_a_broken_registry_is_a_row_with_its_reason(mine, site, tmp_path):
    site.install("ganzoo-shipped", "")
    (tmp_path / "site" / "ganzoo_shipped" / "registry.toml").write_text(entry("shipped", "hub:owner/dots@main"))
    catalog.cache_clear()
    (plugin,) = [plugin for plugin in catalog().plugins if plugin.distribution == "ganzoo-shipped"]
    assert plugin.status == "failed"
    assert "model 'shipped': source must be hub:owner/name@ and the 40 hex digits" in plugin.reason
    assert Registry().find("shipped") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[dots", "is not valid TOML"),
        ("dots = 3", "model 'dots' lacks architecture, data, distribution, files, license, source"),
        (entry("dots") + "sorce = 1\n", "model 'dots' has an unknown key 'sorce'; did you mean 'source'"),
        (entry("Dots"), "model 'Dots': this is not a valid name: use lower-case letters and digits"),
        (entry("dots", "hub:owner/dots"), "source must be hub:owner/name@ and the 40 hex digits of a commit"),
        (entry("dots", f"hub:owner/dots@{COMMIT[:-1]}"), "the 40 hex digits of a commit"),
        (entry("dots", rest=f'files."config.json" = {PIN}\n'), "files must be config.json and model.safetensors"),
        (entry("dots", rest=FILES + f'files."../../evil" = {PIN}\n'), "files must be config.json"),
        (entry("dots", rest=FILES + f'files."evil.py" = {PIN}\n'), "files must be config.json"),
        (entry("dots", rest=FILES + 'files."README.md" = 3\n'), "files.'README.md' must be { sha256"),
        (entry("dots").replace("0" * 64, "0" * 63), "must be { sha256 = <64 hex digits>"),
        (entry("dots", rest=FILES + "scores = 3\n"), "scores must be a table"),
        (entry("dots", rest=FILES + "summary = 3\n"), "summary must be a string"),
    ],
)
def test_what_is_wrong_in_a_registry_is_passed_over_with_a_warning_and_refused_by_name(
    mine, caplog, some_model, text, sentence
):
    mine.write_text(f"{text}\n{entry('sound')}")
    assert Registry().find(some_model.name) == some_model
    assert (Registry().find("sound") is None) == text.startswith("[dots\n") or text == "[dots"
    (warning,) = (record.getMessage() for record in caplog.records)
    assert warning.startswith(f"passed over: {mine}")
    assert sentence in warning
    with pytest.raises(ganzoo.BadInput) as refusal:
        references.parse("Dots" if "[Dots]" in text else "dots")
    assert str(mine) in str(refusal.value)
    assert sentence in str(refusal.value)


def test_a_name_goes_before_a_folder_of_that_name(mine, some_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / some_model.name).mkdir()
    assert references.parse(some_model.name) == some_model
    assert references.parse(f"./{some_model.name}") == Path(some_model.name)
    assert references.parse(Path(some_model.name)) == Path(some_model.name)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hub:owner/dots", references.OnHub("owner/dots")),
        ("hub:owner/dots@v1.0", references.OnHub("owner/dots", "v1.0")),
        (f"hub:o-w.n_er/dots@{COMMIT}", references.OnHub("o-w.n_er/dots", COMMIT)),
        ("hub:owner/dots@refs/pr/1", references.OnHub("owner/dots", "refs/pr/1")),
    ],
)
def test_what_a_reference_to_the_hub_means(mine, text, meant):
    assert references.parse(text) == meant


def test_bundling_refuses_names_and_folders_that_would_not_do(mine, some_model, tmp_path):
    with pytest.raises(ganzoo.BadInput, match="'My Model' is not a name for a model"):
        bundle(some_model.folder, tmp_path / "My Model", "mit")
    with pytest.raises(ganzoo.BadInput, match="exists already"):
        bundle(some_model.folder, tmp_path, "mit")


@pytest.mark.parametrize(
    ("name", "told"), [("/home/me/birds", "birds"), ("~/me/birds", "birds"), ("mnist-10k", "mnist-10k")]
)
@pytest.mark.parametrize(
    ("init", "kept"),
    [("/home/me/runs/a", None), ("../a", None), ("dcgan-mnist", "dcgan-mnist"), ("hub:o/n", "hub:o/n")],
)
def test_a_published_recipe_tells_nothing_of_the_machine(mine, tmp_path, name, told, init, kept):
    text = f'# by me\n[architecture]\nname = "dcgan"\n[[loss]]\nname = "hinge"\n[data]\nname = "{name}"\n'
    path = tmp_path / "recipe.toml"
    path.write_text(text + f'root = "/home/me"\n[train]\ninit = "{init}"\n')
    published = without_paths(path).decode()
    assert "home" not in published
    assert "# by me" not in published
    recipe = tomllib.loads(published)
    assert (recipe["data"]["name"], recipe["train"].get("init")) == (told, kept)


def linked(path):
    path.unlink(missing_ok=True)
    path.symlink_to(path.with_name("config.json"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: linked(f / "scores.json"), "is a link"),
        (lambda f: (f / "scores.json").write_text("{"), r"scores\.json is not valid JSON"),
        (lambda f: (f / "scores.json").write_text("[1]"), "it must be a table"),
        (lambda f: (f / "scores.json").write_text('{"fd": NaN}'), r"is not a file of scores: 'fd' is nan"),
        (lambda f: (f / "scores.json").write_text('{"fd": {"generated": 1, "real": "x"}}'), "'fd' is {"),
        (lambda f: (f / "scores.json").write_text('{"fd": null}'), "'fd' is None"),
        (lambda f: (f / "scores.json").write_text('{"protocol": {"seed": [null]}}'), "'protocol' is {"),
        (lambda f: (f / "recipe.toml").write_text("[train"), r"recipe\.toml"),
    ],
)
def test_a_folder_that_is_not_sound_is_not_published(mine, some_model, tmp_path, change, sentence):
    folder = shutil.copytree(some_model.folder, tmp_path / "copied")
    change(folder)
    with pytest.raises(ganzoo.BadInput, match=sentence):
        bundle(folder, tmp_path / "made", "mit")
    assert not (tmp_path / "made").exists()


def test_odd_scores_of_a_stranger_are_left_out_of_listings(command, mine):
    scores = "fd = { generated = nan, ratio = inf }, cas = true, coverage = { generated = 0.5 }"
    mine.write_text(entry("dots", rest=f"scores = {{ {scores} }}\n{FILES}"))
    done = command("list", "models", "--json", GANZOO_REGISTRY=str(mine))
    assert next(row for row in json.loads(done.stdout) if row["name"] == "dots")["scores"] == {
        "fd": {"generated": None, "ratio": None},
        "cas": True,
        "coverage": {"generated": 0.5},
    }
    assert "coverage 0.5" in command("list", "models", GANZOO_REGISTRY=str(mine)).stdout
    assert "coverage: generated 0.5" in command("info", "dots", GANZOO_REGISTRY=str(mine)).stdout


def test_models_are_listed_and_told_of(command, mine, some_model):
    rows = json.loads(command("list", "models", "--json").stdout)
    row = next(row for row in rows if row["name"] == some_model.name)
    assert (row["architecture"], row["data"], row["here"]) == (some_model.architecture, some_model.data, True)
    assert some_model.name in command("list").stdout
    told = command("info", some_model.name).stdout
    assert some_model.files["model.safetensors"]["sha256"] in told
    mine.write_text(entry("dots"))
    told = command("info", "dots", GANZOO_REGISTRY=str(mine)).stdout
    assert "not on this machine yet: ganzoo pull dots" in told
    rows = json.loads(command("list", "models", "--json", GANZOO_REGISTRY=str(mine)).stdout)
    assert next(row for row in rows if row["name"] == "dots")["here"] is False


# Training on from a pretrained generator.

QUICK = {"train.steps": 1, "train.batch": 8, "train.precision": "fp32", "optimizer.lr": 1e-12}
QUICK |= {"data.name": "mnist-10k"}  # which needs no download


def test_training_begins_with_a_pretrained_generator_in_its_size(mine, some_model, tmp_path):
    recipe = some_model.folder / "recipe.toml"
    options = QUICK | {"train.init": some_model.name}
    run = ganzoo.train(recipe, out=tmp_path / "run", device="cpu", **options)
    wanted = list(load(some_model.name, "cpu").generator.parameters())
    assert all(map(torch.allclose, run.model.generator.parameters(), wanted))
    assert run.recipe.train.init == some_model.name
    assert run.model.config["training"]["init"] == some_model.name
    plain = ganzoo.train(recipe, out=tmp_path / "plain", device="cpu", **options | {"train.init": None})
    assert not any(map(torch.allclose, plain.model.generator.parameters(), wanted))


def test_a_generator_of_another_make_is_no_beginning(mine, some_model, tmp_path):
    with pytest.raises(ganzoo.BadInput, match=f"training cannot begin with '{some_model.name}', which is "):
        ganzoo.train("vanilla", out=tmp_path / "run", device="cpu", **QUICK | {"train.init": some_model.name})
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_its_beginning(mine, some_model, tmp_path):
    recipe = some_model.folder / "recipe.toml"
    ganzoo.train(recipe, out=tmp_path / "run", device="cpu", **QUICK | {"train.init": some_model.name})
    with pytest.raises(
        ganzoo.BadInput, match=r"a run keeps the generator it began with: 'train\.init' is 'dcgan-mnist'"
    ):
        ganzoo.train(out=tmp_path / "run", resume=True, device="cpu", **{"train.init": "elsewhere", "train.steps": 2})
    assert ganzoo.train(out=tmp_path / "run", resume=True, device="cpu", **{"train.steps": 2}).metrics[-1]["step"] == 2


def test_batches_from_python_may_begin_with_a_pretrained_generator(mine, some_model, tmp_path):
    recipe = some_model.folder / "recipe.toml"
    batches = [{"image": torch.zeros(8, 1, 28, 28)}]
    run = ganzoo.train(recipe, batches, tmp_path / "run", "cpu", **QUICK | {"train.init": some_model.name})
    assert run.metrics[-1]["step"] == 1


def test_what_is_spelt_as_a_path_needs_no_registry(mine, some_model, tmp_path):
    mine.write_text("[broken")
    assert resolve_folder(str(some_model.folder)) == some_model.folder
    assert resolve_folder(some_model.name) == some_model.folder
    with pytest.raises(ganzoo.BadInput, match=r"no registered model, run or folder 'other'.*is not valid TOML"):
        resolve_folder("other")


@pytest.mark.parametrize("text", ["[dots", f"{entry('dots')}odd = 1\n"])
def test_what_is_wrong_in_the_users_registry_disables_no_command_and_is_not_overwritten(
    command, mine, some_model, text
):
    mine.write_text(text)
    for words in (["list"], ["list", "models"], ["info", some_model.name], ["sample", some_model.name, "-n", "1"]):
        done = command(*words, GANZOO_REGISTRY=str(mine))
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(f"passed over: {mine}") == 1
    with pytest.raises(ganzoo.BadInput, match=str(mine)):
        check_name_free("dots", "owner/dots")
    assert mine.read_text() == text


def test_a_config_that_asks_for_too_much_is_refused_before_there_is_memory_for_it(mine, some_model, tmp_path):
    folder = shutil.copytree(some_model.folder, tmp_path / "copied")
    for width in (20_000, 10**9, 10**18):
        config = json.loads((some_model.folder / "config.json").read_text())
        config["architecture"]["options"] |= {"width": width, "max_width": width}
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(ganzoo.Unavailable, match="do not fit the architecture"):
            load(folder, "cpu")
