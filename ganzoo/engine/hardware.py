"""Everything about hardware: device, precision, memory format and compilation, all inside `Hardware.call`."""

import copy
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import BadInput, suggest

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
WORTH_IT = 1.15
"""bf16 must be this much faster than fp32 before `auto` takes it."""


class Hardware:
    """Where and how the networks run.

    `device` is auto, cpu, cuda, cuda:N or mps; `precision` auto, fp32, bf16 or fp16 (auto is settled by `rehearse`).
    Raises `BadInput` for a device that is not there or that cannot do the precision.
    """

    def __init__(
        self, device: str = "auto", precision: str = "auto", channels_last: bool = True, compile: bool = False
    ) -> None:
        self.device = find_device(device)
        self.precision = check_precision(precision, self.device)
        self.channels_last, self.compile = channels_last, compile
        if compile and not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))):
            raise BadInput("train.compile needs a C++ compiler (g++ or clang++), and none is there")
        # Beside the modules, never in their place: state dict keys and double backward need the plain ones.
        self._compiled: dict[int, Callable[..., Any]] = {}
        self._image_networks: set[int] = set()

    def place(self, module: nn.Module) -> nn.Module:
        """Move a network here; one with two-dimensional convolutions is laid out with channels last."""
        if self.channels_last and any(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in module.modules()):
            self._image_networks.add(id(module))
            return module.to(self.device, memory_format=torch.channels_last)
        return module.to(self.device)

    def check_sync_batch_norm(self, *networks: nn.Module) -> None:
        """Raise `BadInput` where torch has no batch norm over several processes."""
        kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        for module in (each for network in networks for each in network.modules()):
            if isinstance(module, kinds) and type(module) not in kinds:
                raise BadInput(f"train.sync_batch_norm knows torch's own batch norms only, not {type(module).__name__}")
        if self.device.type != "cuda":
            raise BadInput(
                "train.sync_batch_norm needs GPUs, since torch has it for nothing else; without it each process "
                "normalises its own part of a batch"
            )

    def sync_batch_norm(self, module: nn.Module) -> None:
        """Have the batch norms inside a network look at the samples of all processes."""
        nn.SyncBatchNorm.convert_sync_batchnorm(module)

    def put(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """A batch or a latent on this device, without waiting for the copy."""
        return {key: self._put(value) for key, value in batch.items()}

    def call(self, module: nn.Module, *inputs: Any, twice: bool = False) -> Any:
        """Run a network; its tensors leave as float32 or wider.

        `twice=True`, for what will be differentiated twice, takes the plain module outside autocast:
        half precision overflows there and `torch.compile` refuses double backward.
        """
        if id(module) in self._image_networks:
            inputs = map_tensors(_channels_last, inputs)
        with self._autocast(self.precision if not twice else "fp32"):
            return map_tensors(_at_least_float32, (module if twice else self._function(module))(*inputs))

    @contextmanager
    def one_forward(self) -> Iterator[None]:
        """Calls inside share the half-precision copies of the weights that are trained, which may not change meanwhile.

        torch keeps the copies until the outermost autocast ends; this one is off, as a loss computes in float32.
        """
        with torch.autocast(self.device.type, enabled=False):
            try:
                yield
            finally:
                torch.clear_autocast_cache()  # somebody may have opened one around the training

    def scaler(self) -> torch.amp.GradScaler:
        """A gradient scaler for one optimizer; it does something in fp16 only."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    def rehearse(self, play: Callable[..., None], networks: Sequence[nn.Module]) -> None:
        """Run `play`, forward and backward, on copies of the `networks`: what cannot work fails before training.

        Precision "auto" thereby becomes fp32 or bf16, whichever is faster. The copies' gradients are thrown away.
        """
        copies = [self.place(copy.deepcopy(network)) for network in networks]
        with self.random_state_kept(), torch.enable_grad():
            if self.precision == "auto" and has_bf16_units(self.device):
                seconds = {name: self._seconds(name, play, copies) for name in ("fp32", "bf16")}
                self.precision = "bf16" if seconds["fp32"] > WORTH_IT * seconds["bf16"] else "fp32"
            else:
                self._seconds("fp32" if self.precision == "auto" else self.precision, play, copies, times=1)
        self._image_networks -= {id(network) for network in copies}

    def _seconds(
        self, precision: str, play: Callable[..., None], networks: Sequence[nn.Module], times: int = 4
    ) -> float:
        self.precision, best = precision, float("inf")
        compile, self.compile = self.compile, False
        for _ in range(times):
            start = time.perf_counter()
            play(*networks)
            self.wait()
            best = min(best, time.perf_counter() - start)
        self.compile = compile
        return best

    def random_state_kept(self) -> AbstractContextManager[None]:
        """Whatever is drawn from torch's global generators inside leaves them as they were."""
        return torch.random.fork_rng([self.device] if self.device.type == "cuda" else [])

    def wait(self) -> None:
        """Until the device has done all that was asked of it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def _function(self, module: nn.Module) -> Callable[..., Any]:
        if not self.compile:
            return module
        if id(module) not in self._compiled:
            self._compiled[id(module)] = torch.compile(module)
        return self._compiled[id(module)]

    def _autocast(self, precision: str) -> AbstractContextManager[None]:
        half = precision in ("bf16", "fp16")
        return torch.autocast(self.device.type, DTYPES[precision] if half else None, enabled=half)

    def _put(self, value: Any) -> Any:
        if not isinstance(value, Tensor) or value.device == self.device:
            return value
        pinned = value.pin_memory() if self.device.type == "cuda" and not value.is_cuda else value
        return pinned.to(self.device, non_blocking=True)


def find_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA, else Apple's MPS, else the CPU."""
    there = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
    if name == "auto":
        return torch.device(max(there, key=["cpu", "mps", "cuda"].index))
    kind, colon, number = name.partition(":")
    count = {"cpu": 1, "mps": 1, "cuda": torch.cuda.device_count()}
    if kind not in count:
        raise BadInput(f"unknown device '{name}'; {suggest(name, ['auto', *count])}")
    if kind not in there or (colon and (not number.isdigit() or int(number) >= count[kind])):
        raise BadInput(f"this machine has no device '{name}'; it has {' and '.join(there)}")
    return torch.device(name)


def check_precision(name: str, device: torch.device) -> str:
    """`name` itself, or `BadInput` where it is unknown or this device cannot compute in it."""
    if name not in ("auto", *DTYPES):
        raise BadInput(f"unknown precision '{name}'; {suggest(name, ['auto', *DTYPES])}")
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise BadInput("this GPU cannot compute in bf16; use --precision fp16 or fp32")
    return name


def has_bf16_units(device: torch.device) -> bool:
    """Whether bf16 matrix products run in hardware here."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    units = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(units.get("amx_bf16") or units.get("avx512_bf16"))


def map_tensors(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """`value` with `function` applied to every tensor inside its dicts, tuples and lists."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        # The same kind of dict: a Batch keeps its clear sentence about a missing key inside a network too.
        return type(value)({key: map_tensors(function, item) for key, item in value.items()})
    if isinstance(value, tuple | list):
        return type(value)(map_tensors(function, item) for item in value)
    return value


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def _at_least_float32(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
