"""Small files in two layouts of StyleGAN2. Each layout finds the weights of a layer by the names that it has there."""

import pickle
import sys
import types
from itertools import pairwise
from math import sqrt

import torch

from stylegan_formulas import DEPTH, SIDES, TAPS, mapping_layer, normalise

WIDTHS = (6, 6, 4)
W, Z = 5, 3


def draw(rng, *shape):
    return torch.randn(shape, generator=rng)


class Rosinality:
    """The names of rosinality's stylegan2-pytorch."""

    def __init__(self, state, judge):
        self.state, self.judge = state, judge

    @classmethod
    def make(cls, rng, classes=0):
        state = {"input.input": draw(rng, 1, WIDTHS[0], *SIDES[:1] * 2)}
        for number in range(DEPTH):
            state[f"style.{number + 1}.weight"] = draw(rng, W, Z if number == 0 else W) * 100
            state[f"style.{number + 1}.bias"] = draw(rng, W) * 100
        layers = [("conv1", WIDTHS[0], WIDTHS[0])]
        images = [("to_rgb1", WIDTHS[0])]
        for number, (before, after) in enumerate(pairwise(WIDTHS)):
            layers += [(f"convs.{2 * number}", before, after), (f"convs.{2 * number + 1}", after, after)]
            images += [(f"to_rgbs.{number}", after)]
            state[f"convs.{2 * number}.conv.blur.kernel"] = torch.outer(TAPS, TAPS).float() * 4
            state[f"to_rgbs.{number}.upsample.kernel"] = torch.outer(TAPS, TAPS).float() * 4
        for number, (name, before, after) in enumerate(layers):
            state |= {
                f"{name}.conv.weight": draw(rng, 1, after, before, 3, 3),
                f"{name}.conv.modulation.weight": draw(rng, before, W),
                f"{name}.conv.modulation.bias": 1 + draw(rng, before) / 3,
                f"{name}.noise.weight": draw(rng, 1) / 3,
                f"{name}.activate.bias": draw(rng, after) / 3,
                f"noises.noise_{number}": torch.zeros(1, 1, 4, 4),
            }
        for name, before in images:
            state |= {
                f"{name}.conv.weight": draw(rng, 1, 3, before, 1, 1),
                f"{name}.conv.modulation.weight": draw(rng, before, W),
                f"{name}.conv.modulation.bias": 1 + draw(rng, before) / 3,
                f"{name}.bias": draw(rng, 1, 3, 1, 1),
            }
        return cls(state, cls.make_judge(rng))

    @staticmethod
    def make_judge(rng):
        inward = WIDTHS[::-1]
        judge = {"convs.0.0.weight": draw(rng, inward[0], 3, 1, 1), "convs.0.1.bias": draw(rng, inward[0])}
        for number, (before, after) in enumerate(pairwise(inward), 1):
            name = f"convs.{number}"
            judge |= {
                f"{name}.conv1.0.weight": draw(rng, before, before, 3, 3),
                f"{name}.conv1.1.bias": draw(rng, before),
                f"{name}.conv2.0.kernel": torch.outer(TAPS, TAPS).float(),
                f"{name}.conv2.1.weight": draw(rng, after, before, 3, 3),
                f"{name}.conv2.2.bias": draw(rng, after),
                f"{name}.skip.0.kernel": torch.outer(TAPS, TAPS).float(),
                f"{name}.skip.1.weight": draw(rng, after, before, 1, 1),
            }
        last = WIDTHS[0]
        return judge | {
            "final_conv.0.weight": draw(rng, last, last + 1, 3, 3),
            "final_conv.1.bias": draw(rng, last),
            "final_linear.0.weight": draw(rng, last, last * 16),
            "final_linear.0.bias": draw(rng, last),
            "final_linear.1.weight": draw(rng, 1, last),
            "final_linear.1.bias": draw(rng, 1),
        }

    def write(self, path, mean=True, zipped=True, **more):
        table = {"g": {}, "g_ema": self.state, "d": self.judge, **more}
        table |= {"latent_avg": self.mean} if mean else {}
        torch.save(table, path, _use_new_zipfile_serialization=zipped)
        return path

    mean = torch.linspace(-1, 1, W)

    def constant(self):
        return self.state["input.input"][0]

    def mapping(self, number):
        return self.state[f"style.{number + 1}.weight"], self.state[f"style.{number + 1}.bias"]

    def label(self, label):
        return None

    def layer(self, number):
        name = "conv1" if number == 0 else f"convs.{number - 1}"
        weight, style, bias = self._modulated(name)
        return weight, style, bias, self.state[f"{name}.noise.weight"], self.state[f"{name}.activate.bias"]

    def to_image(self, number):
        name = "to_rgb1" if number == 0 else f"to_rgbs.{number - 1}"
        return *self._modulated(name), self.state[f"{name}.bias"].flatten()

    def _modulated(self, name):
        style = self.state[f"{name}.conv.modulation.weight"], self.state[f"{name}.conv.modulation.bias"]
        return self.state[f"{name}.conv.weight"][0], *style

    def judge_first(self):
        return self.judge["convs.0.0.weight"], self.judge["convs.0.1.bias"]

    def judge_block(self, number):
        name, of = f"convs.{number + 1}", self.judge
        first = of[f"{name}.conv1.0.weight"], of[f"{name}.conv1.1.bias"]
        return first, (of[f"{name}.conv2.1.weight"], of[f"{name}.conv2.2.bias"]), of[f"{name}.skip.1.weight"]

    def judge_last(self):
        of = self.judge
        return [
            (of["final_conv.0.weight"], of["final_conv.1.bias"]),
            *((of[f"final_linear.{number}.weight"], of[f"final_linear.{number}.bias"]) for number in (0, 1)),
        ]

    def judge_label(self, label):
        return None


class Nvidia:
    """The names of NVIDIA's PyTorch versions."""

    def __init__(self, state, judge):
        self.state, self.judge = state, judge

    @classmethod
    def make(cls, rng, classes=0):
        state = {"synthesis.b4.const": draw(rng, WIDTHS[0], 4, 4), "mapping.w_avg": draw(rng, W)}
        state |= cls.make_mapping(rng, Z, W, classes)
        for place, (side, after) in enumerate(zip(SIDES, WIDTHS, strict=True)):
            before = WIDTHS[max(place - 1, 0)]
            convolutions = [("conv0", before)] * (place > 0) + [("conv1", after)]
            for name, inputs in convolutions:
                path = f"synthesis.b{side}.{name}"
                state |= {
                    f"{path}.weight": draw(rng, after, inputs, 3, 3),
                    f"{path}.bias": draw(rng, after) / 3,
                    f"{path}.noise_strength": draw(rng)[()] / 3,
                    f"{path}.noise_const": torch.zeros(side, side),
                    f"{path}.resample_filter": torch.outer(TAPS, TAPS).float(),
                    f"{path}.affine.weight": draw(rng, inputs, W),
                    f"{path}.affine.bias": 1 + draw(rng, inputs) / 3,
                }
            path = f"synthesis.b{side}.torgb"
            state |= {
                f"{path}.weight": draw(rng, 3, after, 1, 1),
                f"{path}.bias": draw(rng, 3),
                f"{path}.affine.weight": draw(rng, after, W),
                f"{path}.affine.bias": 1 + draw(rng, after) / 3,
                f"synthesis.b{side}.resample_filter": torch.outer(TAPS, TAPS).float(),
            }
        return cls(state, cls.make_judge(rng, classes))

    @staticmethod
    def make_mapping(rng, inputs, size, classes):
        state, inputs = {}, inputs + size * bool(classes)
        if classes:
            state |= {"mapping.embed.weight": draw(rng, size, classes), "mapping.embed.bias": draw(rng, size)}
        for number in range(DEPTH):
            state[f"mapping.fc{number}.weight"] = draw(rng, size, inputs if number == 0 else size) * 100
            state[f"mapping.fc{number}.bias"] = draw(rng, size) * 100
        return state

    @classmethod
    def make_judge(cls, rng, classes):
        last, outer = WIDTHS[0], SIDES[-1]
        judge = cls.make_mapping(rng, 0, last, classes) if classes else {}
        judge |= {f"b{outer}.fromrgb.weight": draw(rng, WIDTHS[-1], 3, 1, 1)}
        judge |= {f"b{outer}.fromrgb.bias": draw(rng, WIDTHS[-1])}
        for place in range(len(SIDES) - 1, 0, -1):
            name, before, after = f"b{SIDES[place]}", WIDTHS[place], WIDTHS[place - 1]
            judge |= {
                f"{name}.conv0.weight": draw(rng, before, before, 3, 3),
                f"{name}.conv0.bias": draw(rng, before),
                f"{name}.conv1.weight": draw(rng, after, before, 3, 3),
                f"{name}.conv1.bias": draw(rng, after),
                f"{name}.conv1.resample_filter": torch.outer(TAPS, TAPS).float(),
                f"{name}.skip.weight": draw(rng, after, before, 1, 1),
            }
        return judge | {
            "b4.conv.weight": draw(rng, last, last + 1, 3, 3),
            "b4.conv.bias": draw(rng, last),
            "b4.fc.weight": draw(rng, last, last * 16),
            "b4.fc.bias": draw(rng, last),
            "b4.out.weight": draw(rng, last if classes else 1, last),
            "b4.out.bias": draw(rng, last if classes else 1),
        }

    @property
    def mean(self):
        return self.state["mapping.w_avg"]

    def write(self, path, version=6, generator="G_ema", **more):
        """Pickle modules as those programs do; their own modules are only there meanwhile."""
        made = {name: types.ModuleType(name) for name in ("torch_utils", "torch_utils.persistence")}
        home = made["torch_utils.persistence"]

        def _reconstruct_persistent_obj(meta):
            raise AssertionError("the code of a file was run")

        _reconstruct_persistent_obj.__module__ = home.__name__
        _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
        home._reconstruct_persistent_obj = _reconstruct_persistent_obj
        sys.modules.update(made)
        try:
            table = {generator: Persistent(self.state, version), "D": Persistent(self.judge, version), **more}
            path.write_bytes(pickle.dumps(table))
        finally:
            for name in made:
                del sys.modules[name]
        return path

    def constant(self):
        return self.state["synthesis.b4.const"]

    def mapping(self, number):
        return self.state[f"mapping.fc{number}.weight"], self.state[f"mapping.fc{number}.bias"]

    def label(self, label):
        return self._embed(self.state, label)

    def judge_label(self, label):
        if "mapping.embed.weight" not in self.judge:
            return None
        vector = normalise(self._embed(self.judge, label))
        for number in range(DEPTH):
            vector = mapping_layer(
                vector, self.judge[f"mapping.fc{number}.weight"], self.judge[f"mapping.fc{number}.bias"]
            )
        return vector

    @staticmethod
    def _embed(state, label):
        if "mapping.embed.weight" not in state:
            return None
        weight, bias = state["mapping.embed.weight"].double(), state["mapping.embed.bias"].double()
        one_hot = torch.zeros(weight.shape[1], dtype=torch.float64)
        one_hot[label] = 1
        return (weight / sqrt(weight.shape[1])) @ one_hot + bias

    def layer(self, number):
        names = [f"b{side}.{name}" for side in SIDES for name in ("conv0", "conv1")][1:]
        path, of = f"synthesis.{names[number]}", self.state
        style = of[f"{path}.affine.weight"], of[f"{path}.affine.bias"]
        return of[f"{path}.weight"], *style, of[f"{path}.noise_strength"], of[f"{path}.bias"]

    def to_image(self, number):
        path, of = f"synthesis.b{SIDES[number]}.torgb", self.state
        return of[f"{path}.weight"], of[f"{path}.affine.weight"], of[f"{path}.affine.bias"], of[f"{path}.bias"]

    def judge_first(self):
        return self.judge[f"b{SIDES[-1]}.fromrgb.weight"], self.judge[f"b{SIDES[-1]}.fromrgb.bias"]

    def judge_block(self, number):
        name, of = f"b{SIDES[::-1][number]}", self.judge
        both = [(of[f"{name}.{each}.weight"], of[f"{name}.{each}.bias"]) for each in ("conv0", "conv1")]
        return *both, of[f"{name}.skip.weight"]

    def judge_last(self):
        return [(self.judge[f"b4.{name}.weight"], self.judge[f"b4.{name}.bias"]) for name in ("conv", "fc", "out")]


class Persistent:
    """A module that is pickled with the source of its class, as a table of attributes."""

    def __init__(self, state, version):
        self.version, inner = version, {}
        own = {name: value for name, value in state.items() if "." not in name}
        for name, value in state.items():
            if "." in name:
                head, _, rest = name.partition(".")
                inner.setdefault(head, {})[rest] = value
        is_buffer = ("resample_filter", "noise_const", "w_avg")
        self.attributes = {
            "training": False,
            "_parameters": {k: torch.nn.Parameter(v) for k, v in own.items() if not k.endswith(is_buffer)},
            "_buffers": {k: v for k, v in own.items() if k.endswith(is_buffer)},
            "_modules": {name: Persistent(part, version) for name, part in inner.items()},
            "conv_clamp": 256,
        }

    def __reduce__(self):
        function = sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj
        source = "raise AssertionError('the code of a file was run')"
        meta = {"type": "class", "version": self.version, "module_src": source, "class_name": "Generator"}
        return function, ({**meta, "state": self.attributes},), None
