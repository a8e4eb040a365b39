"""One environment with the wheels of all families, files that they learn from, and a Hub on the loopback interface."""

import json
import os
from pathlib import Path

import matplotlib
import pytest

import foreign
import hubserver

SUPPORT = Path(foreign.__file__).parent


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """`ganzoo` in an environment with all families."""
    return foreign.install(tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The files that the families learn from."""
    folder = tmp_path_factory.mktemp("files")
    foreign.write_data(folder)
    return folder


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    server = hubserver.serve(str(tmp_path_factory.mktemp("hub")))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def somebody(installed, hub, tmp_path):
    """`ganzoo` of somebody with an empty cache, logged in to the Hub, in an empty folder."""

    def begin(name):
        folder = tmp_path / name
        (folder / "work").mkdir(parents=True)
        command = foreign.Command(folder / "work", installed.executable)
        kept = {key: value for key, value in command.environment.items() if not key.startswith("HF_")}
        path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH", "")]))
        command.environment = kept | {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "hub"),
            "XDG_CACHE_HOME": str(folder / "user"),
            "MPLCONFIGDIR": matplotlib.get_cachedir(),
            "HF_TOKEN": "hf_owner_write",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "PYTHONPATH": path,
        }
        return command

    return begin


@pytest.fixture
def play(somebody, files):
    """Plays a family through every command; what came of each."""

    def begin(name):
        command = somebody("author")
        done = command.python(SUPPORT / "play_family.py", name, files)
        assert done.returncode == 0, done.stderr
        return command.folder, json.loads((command.folder / "played.json").read_text())

    return begin
