"""What tests see of the user's environment: none of the settings, so that they are the same for everybody."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

SETTINGS = ("GANZOO_", "HF_", "HUGGING_FACE_", "TRANSFORMERS_", "TRACKIO_")

for name in list(os.environ):
    if name.startswith(SETTINGS) and name != "GANZOO_SCREENS":
        del os.environ[name]

# What is remembered of plugins is not the user's; matplotlib keeps its list of fonts, which takes long to make.
os.environ["MPLCONFIGDIR"] = str(Path("~/.cache/matplotlib").expanduser())
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="ganzoo-tests-")
os.environ["XDG_DATA_HOME"] = str(Path(os.environ["XDG_CACHE_HOME"], "data"))
os.environ["HF_HUB_DISABLE_XET"] = "1"  # the Hub of the tests has none
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
