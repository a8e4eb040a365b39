"""A Hub on the loopback interface, whoever owns repositories on it, and a command that knows it."""

import matplotlib
import pytest
from huggingface_hub import HfApi

import ganzoo
import hubserver
from repositories import make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model") / "dots", 8)


@pytest.fixture
def hub(tmp_path):
    server = hubserver.serve(str(tmp_path / "hub"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def owner(hub):
    """The client of the owner, for what a test finds on the Hub."""
    return HfApi(endpoint=hub.url, token="hf_owner_write")


@pytest.fixture
def zoo(command, hub, tmp_path):
    """`ganzoo` with an empty cache of its own, logged in to that Hub as its owner."""
    for key in [key for key in command.environment if key.startswith("HF_")]:
        del command.environment[key]
    command.environment |= {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "cache"),
        "XDG_CACHE_HOME": str(tmp_path / "user"),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # to make a list of all fonts takes seconds
        "HF_TOKEN": "hf_owner_write",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "GANZOO_REGISTRY": str(tmp_path / "settings" / "registry.toml"),
    }
    return command


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe = {"architecture": "vanilla", "loss": ["minimax"], "train": {"steps": 2, "batch": 8, "precision": "fp32"}}
    return ganzoo.train(recipe, out=tmp_path_factory.mktemp("runs") / "run", device="cpu", quiet=True)
