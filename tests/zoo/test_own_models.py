"""Models whose generator no plugin brings: what builds them, what is never run for them, and how they are published."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import ganzoo
import own_code
from ganzoo._io import sha256
from ganzoo.errors import BadInput, Unavailable
from ganzoo.plugins.catalog import catalog
from ganzoo.plugins.kept import OFFERED, kept_file
from ganzoo.zoo.own import GENERATORS
from own_code import D, G

FILE = Path(own_code.__file__)
IMAGE = (1, 8, 8)
BATCHES = [{"image": torch.rand(8, *IMAGE) * 2 - 1}]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, of a user who has trained with nothing yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    shutil.copy(FILE, tmp_path / "nets.py")
    yield tmp_path
    OFFERED.clear()


def train(generator="nets.py:G", discriminator="nets.py:D"):
    settings = {"steps": 2, "batch": 8, "sample_every": 9}
    networks = {"generator": generator, "discriminator": discriminator}
    run = ganzoo.train("vanilla", BATCHES, device="cpu", quiet=True, train=settings, **networks)
    forget()
    return run


def forget():
    """Forget what Python code has given, as another process would."""
    GENERATORS.clear()


def elsewhere(monkeypatch, path):
    """Go to another account: one that has trained with nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(path / "other"))


def test_a_file_that_was_trained_with_here_need_not_be_given(here):
    run = train()
    (here / "nets.py").write_text("raise SystemExit('the file has changed')")
    shutil.rmtree(run.path / "code")
    assert run.sample(2).shape == (2, *IMAGE)
    assert ganzoo.load(run.model_folder).config["architecture"]["distribution"] == "nets.py"


def test_elsewhere_the_file_must_be_given_and_is_then_known(here, monkeypatch, typed):
    run = train()
    elsewhere(monkeypatch, here)
    copy = next((run.path / "code").iterdir())
    with pytest.raises(BadInput, match=rf"'G' of the file nets.py, .*give it if you trust it: --code {copy}, or "):
        ganzoo.load(run.path)
    code, _, said = typed("sample", run.path, "-n", 4)
    assert (code, said.count("\n")) == (2, 1)
    code, _, said = typed("sample", run.path, "-n", 4, "--code", copy)
    assert code == 0, said
    OFFERED.clear()
    assert typed("sample", run.path, "-n", 4)[0] == 0


def test_another_file_may_be_given_where_its_class_fits(here, monkeypatch, caplog):
    run = train()
    elsewhere(monkeypatch, here)
    (here / "nets.py").write_text(FILE.read_text() + "\n# another\n")
    assert ganzoo.load(run.path, generator="nets.py").sample(1).shape == (1, *IMAGE)
    forget()
    (here / "nets.py").write_text(FILE.read_text().replace("nn.Linear(8, width)", "nn.Linear(8, width, bias=False)"))
    with pytest.raises(Unavailable, match=r"do not fit the architecture: .*; made with 'G' of nets.py .*, given is /"):
        ganzoo.load(run.path, generator="nets.py")


@pytest.mark.parametrize("given", [G, G(IMAGE)], ids=["class", "object"])
def test_what_python_gave_is_known_until_python_ends(here, given):
    runs = []
    for width in (3, 5):
        generator = {"name": G, "width": width} if given is G else G(IMAGE, width)
        runs.append(ganzoo.train("vanilla", BATCHES, device="cpu", quiet=True, train={"steps": 1}, generator=generator))
    assert [ganzoo.load(run.path).generator.width for run in runs] == [3, 5]
    forget()
    with pytest.raises(BadInput, match=r"give it again, ganzoo.load\(..., generator=G\)"):
        ganzoo.load(runs[0].path)
    again = G if given is G else G(IMAGE, 3)
    assert ganzoo.load(runs[0].path, generator=again).generator.width == 3
    assert runs[0].sample(2).shape == (2, *IMAGE)


def evil(folder):
    """Write Python files that leave a trace where a model could have them run; return the traces."""
    code = f"open({str(folder / 'trace')!r}, 'w')\n" + FILE.read_text()
    for path in (folder / "evil.py", folder / "model" / "evil.py", folder / "code" / "evil-0.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    return code.encode()


@pytest.mark.parametrize("claim", ["distribution", "file", "object", "path"])
def test_no_file_of_a_stranger_is_run(here, monkeypatch, typed, claim):
    run = train()
    elsewhere(monkeypatch, here)
    content = evil(run.path)
    shutil.copy(run.path / "evil.py", here / "evil.py")
    config = json.loads((run.model_folder / "config.json").read_text())
    config["architecture"] |= {"distribution": "./evil.py" if claim == "path" else "evil.py", "sha256": sha256(content)}
    config["architecture"]["given_as"] = claim if claim in ("file", "object") else None
    (run.model_folder / "config.json").write_text(json.dumps(config))
    recipe = (run.path / "recipe.toml").read_text().replace(str(here / "nets.py"), str(here / "evil.py"))
    for path in (run.path / "recipe.toml", run.model_folder / "recipe.toml"):
        path.write_text(recipe)
    for source in (run.path, run.model_folder):
        with pytest.raises(BadInput):
            ganzoo.load(source)
        for words in (["info"], ["evaluate"], ["publish"], ["compare"]):
            typed(*words, source, *{"publish": ["me/x"], "compare": ["--out", "x.png"]}.get(words[0], []))
    assert not (run.path / "trace").exists()


def test_a_kept_file_that_was_changed_is_not_run(here):
    run = train()
    kept = kept_file(sha256(FILE.read_bytes()))
    kept.write_text("raise SystemExit('changed')")
    with pytest.raises(BadInput, match="give it if you trust it"):
        ganzoo.load(run.path)


def test_where_nothing_can_be_kept_the_training_goes_on_and_the_file_must_be_given(here, monkeypatch):
    (here / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "file"))
    run = train()
    with pytest.raises(BadInput, match="give it if you trust it"):
        run.sample(1)


def test_publishing_needs_a_plugin_of_the_same_code(here, site, typed):
    run = train()
    code, _, said = typed("publish", run.path, "me/x", "--license", "mit", "--dry-run")
    assert code == 2
    assert f"make a plugin of it with 'ganzoo new NAME --from {run.path}', install that, and publish again" in said
    site.install("ganzoo-nets", PLUGIN)
    shutil.copy(FILE, site.folder / "ganzoo_nets" / "nets.py")
    catalog.cache_clear()
    assert ganzoo.load(run.path).config["architecture"]["distribution"] == "ganzoo-nets"
    assert typed("bundle", run.path, here / "pretrained" / "mine", "--license", "mit")[0] == 0
    made = here / "pretrained" / "mine"
    assert json.loads((made / "config.json").read_text())["architecture"] == {
        "name": "nets",
        "distribution": "ganzoo-nets",
        "version": "1.0",
        "options": {"width": 4},
    }
    assert 'name = "ganzoo-nets:nets"' in (made / "recipe.toml").read_text()
    assert "nets.py" not in (made / "recipe.toml").read_text()


PLUGIN = """
    import ganzoo

    @ganzoo.hookimpl
    def register_architectures(register):
        register("nets", generator="ganzoo_nets.nets:G", discriminator="ganzoo_nets.nets:D")
"""


def test_a_recipe_is_published_without_the_path_of_a_file(here, typed):
    settings = {"steps": 1, "batch": 8}
    run = ganzoo.train("vanilla", BATCHES, device="cpu", quiet=True, train=settings, losses=["nets.py:Mine"])
    assert typed("bundle", run.path, here / "pretrained" / "mine", "--license", "mit")[0] == 0
    recipe = (here / "pretrained" / "mine" / "recipe.toml").read_text()
    assert 'name = "nets.py:Mine"' in recipe
    assert str(here) not in recipe


def test_publishing_what_python_gave_says_to_put_it_into_a_file(here):
    from ganzoo.zoo.publishing.bundle import bundle

    run = train(G, D)
    with pytest.raises(BadInput, match=r"the class 'G' of Python code; put it into a file, make a plugin of that with"):
        bundle(run.path, here / "mine", "mit")
