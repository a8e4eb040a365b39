"""The layout of NVIDIA's PyTorch versions of StyleGAN2: a pickle of whole modules, "G_ema", "D" and others, by name.

Each module is pickled with the source code of its class. That code is neither run nor looked at: a table of attributes
names the parameters and buffers of a module, and the modules inside of it.
"""

import re
from itertools import pairwise
from math import sqrt
from typing import Any

import ganzoo
from ganzoo_stylegan.importing.pickles import Call, Name
from ganzoo_stylegan.importing.state import State, Weights, make_import, try_discriminator
from ganzoo_stylegan.importing.tensors import Container

PERSISTENT = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
"""What such a pickle calls for each module, with a table of its class and its attributes."""
VERSION = 6
"""The version of that table, which has not changed since it was published."""
MAX_MODULES, MAX_DEPTH = 2_000, 8
"""A StyleGAN2 of 1024 pixels has some 70 modules on four levels."""
TENSORFLOW = "dnnlib.tflib"
LICENSE = "weights that NVIDIA has published are for non-commercial use: ask for the licence of the file you have"
Modules = dict[str, dict[Any, Any]]
"""The attributes of each module by the module's path, such as "synthesis.b4.conv1."."""


def is_layout(content: Any) -> bool:
    """Return whether a file has this layout."""
    return isinstance(content, dict) and "G_ema" in content


def is_tensorflow(content: Any) -> bool:
    """Return whether a file comes from the TensorFlow version: three networks in a row."""
    names = [each.function for each in content if isinstance(each, Call)] if isinstance(content, tuple | list) else []
    return any(isinstance(name, Name) and name.module.startswith(TENSORFLOW) for name in names)


def read(container: Container) -> ganzoo.Imported:
    """Read the generator, and the discriminator if it is there. Raises `ValueError` for networks of another kind."""
    content, notes = container.content, ["read from the layout of NVIDIA's StyleGAN2 in PyTorch", LICENSE]
    modules = list_modules(content["G_ema"])
    weights = read_generator(state_of(container, modules))
    limits = {each["conv_clamp"] for each in modules.values() if type(each.get("conv_clamp")) in (int, float)}
    if limits:
        notes.append(f"the original limits the features of layers to {max(limits):g}, which is not done here")
    judge = None
    if content.get("D") is not None:
        judge = try_discriminator(lambda: read_discriminator(state_of(container, list_modules(content["D"]))), notes)
    return make_import(weights, judge, notes)


def list_modules(value: Any) -> Modules:
    """Return the attributes of a module and of all modules inside of it. Raises `ValueError` for anything else."""
    found: Modules = {}
    waiting = [("", value)]
    while waiting:
        path, module = waiting.pop()
        found[path] = attributes(module)
        waiting += [(f"{path}{name}.", each) for name, each in found[path]["_modules"].items() if each is not None]
        if len(found) + len(waiting) > MAX_MODULES or path.count(".") > MAX_DEPTH:
            raise ValueError("it has far more modules than a StyleGAN2")
    return found


def attributes(module: Any) -> dict[Any, Any]:
    """Return the table of attributes of a pickled module. Raises `ValueError` where it has none."""
    state = module.state if isinstance(module, Call) else None
    if isinstance(module, Call) and module.function == PERSISTENT:
        about = plain(module.arguments[0]) if isinstance(module.arguments, tuple) and module.arguments else {}
        version = about.get("version")
        if version != VERSION:
            said = str(version)[:20] if isinstance(version, int | str) else "unknown"
            raise ValueError(f"a module is pickled in version {said}, read is {VERSION}")
        state = about.get("state")
    table = plain(state)
    if "_modules" not in table:
        raise ValueError("it has an object in the place of a module")
    return {**table, **{key: plain(table.get(key)) for key in ("_parameters", "_buffers", "_modules")}}


def plain(value: Any) -> dict[Any, Any]:
    """Return a copy of a dict, or of what an object that is a kind of dict holds; an empty one for anything else."""
    if isinstance(value, Call):
        return dict(value.items)
    return dict(value) if isinstance(value, dict) else {}


def state_of(container: Container, modules: Modules) -> State:
    """Return the parameters and buffers of all modules by their paths."""
    named = [
        (f"{path}{name}", value)
        for path, table in modules.items()
        for name, value in {**table["_parameters"], **table["_buffers"]}.items()
    ]
    found = {name: container.tensor(value) for name, value in named}
    return State({name: value for name, value in found.items() if value is not None})


def read_generator(source: State) -> Weights:
    """Return the weights of a generator by this plugin's names.

    The noise of each layer is drawn here, and not one that is kept.
    """
    sides = find_sides(source, "synthesis.")
    source.drop(".noise_const")
    source.check_filters(".resample_filter")
    weights = {"synthesis.constant": source.take(f"synthesis.b{sides[0]}.const", 3)[None], **read_mapping(source)}
    layers = [f"synthesis.b{side}.{name}" for side in sides for name in ("conv0", "conv1")][1:]
    for number, name in enumerate(layers):
        own = f"synthesis.layers.{number}"
        weights |= read_styled(source, name, own)
        weights[f"{own}.noise_strength"] = source.take_number(f"{name}.noise_strength")
    for number, side in enumerate(sides):
        weights |= read_styled(source, f"synthesis.b{side}.torgb", f"synthesis.to_images.{number}")
    classes = len(weights["mapping.embed.weight"]) if "mapping.embed.weight" in weights else 0
    mean = source.take("mapping.w_avg", 1)
    weights["w_mean"] = mean.repeat(classes, 1) if classes else mean  # the original has one for all classes
    source.check_empty()
    return weights


def find_sides(source: State, path: str) -> list[int]:
    """Return the sides of the maps, the smallest first, from the names of blocks: b4, b8, b16 and so on.

    Raises `ValueError` where there are none, or one is not twice the one before.
    """
    if any(name.startswith(f"{path}input.") for name in source.tensors):
        raise ValueError("it is a StyleGAN3, whose layers are others")
    found = [re.match(rf"{re.escape(path)}b(\d{{1,5}})\.", name) for name in source.tensors]
    sides = sorted({int(each[1]) for each in found if each})
    if not sides:
        raise ValueError(f"'{path}b4' is missing")
    for before, after in pairwise(sides):
        if after != 2 * before:
            raise ValueError(f"its maps have sides of {', '.join(map(str, sides))} pixels: each must be twice the last")
    return sides


def read_mapping(source: State) -> Weights:
    """Return the weights of a mapping. A label's vector is what the original computes from a row of zeros and a one."""
    weights: Weights = {}
    if "mapping.embed.weight" in source:
        weight, bias = source.take("mapping.embed.weight", 2), source.take("mapping.embed.bias", 1)
        weights["mapping.embed.weight"] = (weight / sqrt(weight.shape[1]) + bias[:, None]).T.contiguous()
    for number in range(max(1, source.count("mapping.fc{}.weight"))):
        weights |= read_plain(source, f"mapping.fc{number}", f"mapping.layers.{number}", 2)
    return weights


def read_styled(source: State, name: str, own: str) -> Weights:
    """Return the weights of a convolution with a style."""
    return read_plain(source, name, own, 4) | read_plain(source, f"{name}.affine", f"{own}.style", 2)


def read_plain(source: State, name: str, own: str, axes: int) -> Weights:
    """Return weight and bias of a layer."""
    return {f"{own}.weight": source.take(f"{name}.weight", axes), f"{own}.bias": source.take(f"{name}.bias", 1)}


def read_discriminator(source: State) -> Weights:
    """Return the weights of a discriminator by this plugin's names."""
    last, *sides = find_sides(source, "")
    source.check_filters(".resample_filter")
    weights = read_plain(source, f"b{max(sides, default=last)}.fromrgb", "from_image", 4)
    weights |= read_mapping(source) if "mapping.embed.weight" in source else {}
    for number, side in enumerate(reversed(sides)):
        for name in ("conv0", "conv1"):
            weights |= read_plain(source, f"b{side}.{name}", f"blocks.{number}.{name}", 4)
        weights[f"blocks.{number}.skip.weight"] = source.take(f"b{side}.skip.weight", 4)
    for name, own, axes in (("conv", "last", 4), ("fc", "hidden", 2), ("out", "score", 2)):
        weights |= read_plain(source, f"b{last}.{name}", own, axes)
    source.check_empty()
    return weights
