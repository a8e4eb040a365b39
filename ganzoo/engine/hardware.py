"""Everything about hardware: device, precision, memory format and compilation, all inside `Hardware.call`."""

import copy
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from ganzoo._faults import reason, worker_died
from ganzoo.contract import Batch, Generator
from ganzoo.errors import BadInput, Error, suggest

T = TypeVar("T")
Network = TypeVar("Network", bound=nn.Module)

logger = logging.getLogger(__name__)

SYNONYMS = {"gpu": "cuda", "nvidia": "cuda", "metal": "mps", "apple": "mps"}
"""What people call a device otherwise."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
MIN_SPEEDUP = 1.15
"""Precision "auto" takes bf16 if it is at least this many times as fast as fp32."""
REHEARSALS = 4
"""Rehearsals per precision when two are compared; the fastest counts, as the first ones warm up."""


class Hardware:
    """The device on which networks run, and how: precision, memory format, compilation.

    `device` is auto, cpu, cuda, cuda:N or mps; `precision` is auto, fp32, bf16 or fp16, and `rehearse` replaces auto.
    Raises `BadInput` for a device that is not there, a precision that it cannot compute in, and `compile` without a
    compiler.
    """

    def __init__(
        self, device: str = "auto", precision: str = "auto", channels_last: bool = True, compile: bool = False
    ) -> None:
        self.device = find_device(device)
        self.precision = check_precision(precision, self.device)
        self.channels_last, self.compile = channels_last, compile
        if compile and not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))):
            raise BadInput("train.compile needs a C++ compiler (g++ or clang++), and none is there")
        # Beside the networks, never in their place: state dicts and double backward need the plain ones.
        self._compiled: dict[int, Callable[..., Any]] = {}
        self._image_networks: set[int] = set()

    def place(self, network: Network) -> Network:
        """Move a network to the device, in place; where weights have four dimensions it gets channels last."""
        network = network.to(self.device)
        if self.channels_last and any(parameter.dim() == 4 for parameter in network.parameters()):
            self._image_networks |= {id(module) for module in network.modules()}  # losses call its parts, too
            for tensor in (*network.parameters(), *network.buffers()):
                if tensor.dim() == 4:  # `network.to` would refuse those of five dimensions
                    tensor.data = tensor.data.to(memory_format=torch.channels_last)
        return network

    def check_sync_batch_norm(self, *networks: nn.Module) -> None:
        """Raise `BadInput` if torch cannot synchronise the batch norms of these networks over processes."""
        kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        for module in (each for network in networks for each in network.modules()):
            if isinstance(module, kinds) and type(module) not in kinds:
                raise BadInput(
                    f"train.sync_batch_norm works with torch's own batch norms only, not with {type(module).__name__}"
                )
        if self.device.type != "cuda":
            raise BadInput("train.sync_batch_norm needs GPUs; without it each process normalises its part of a batch")

    def sync_batch_norm(self, network: nn.Module) -> None:
        """Let the batch norms inside a network normalise the samples of all processes together, in place."""
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]  # torch has no types here

    def put(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return a batch or a latent on the device, without waiting for the copy."""
        return {key: self._put(value) for key, value in batch.items()}

    def call(self, network: Callable[..., T], *inputs: Any, twice: bool = False) -> T:
        """Return `network(*inputs)` with its tensors in float32 or wider.

        `twice=True` is for results that are differentiated twice: the plain network outside autocast, as half precision
        overflows there and `torch.compile` refuses double backward.
        """
        if id(network) in self._image_networks:
            inputs = map_tensors(_channels_last, inputs)
        with self._autocast("fp32" if twice else self.precision):
            return map_tensors(_at_least_float32, (network if twice else self._function(network))(*inputs))

    @contextmanager
    def one_forward(self) -> Iterator[None]:
        """Let calls inside share autocast's half-precision copies of trained weights; do not update weights inside.

        Torch keeps the copies until the outermost autocast ends. The one opened here is disabled, so that a loss
        computes in float32.
        """
        with torch.autocast(self.device.type, enabled=False):
            try:
                yield
            finally:
                torch.clear_autocast_cache()  # the caller may have an autocast of its own around the training

    def scaler(self) -> torch.amp.GradScaler:
        """Return a gradient scaler for one optimizer; it scales in fp16 only."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")

    def rehearse(
        self, play: Callable[[Generator, nn.Module], None], generator: Generator, discriminator: nn.Module
    ) -> None:
        """Run `play`, forward and backward, on copies of the networks: what cannot work fails before training.

        Precision "auto" becomes fp32 or bf16, whichever is faster here. The copies and their gradients are discarded.
        """
        copies = self.place(copy.deepcopy(generator)), self.place(copy.deepcopy(discriminator))
        rehearsal = partial(play, *copies)
        with self.preserve_random_state(), torch.enable_grad():
            if self.precision == "auto" and has_bf16_units(self.device):
                seconds = self._seconds("fp32", rehearsal, REHEARSALS)
                is_faster = seconds > MIN_SPEEDUP * self._seconds_in_bf16(rehearsal)
                self.precision = "bf16" if is_faster else "fp32"
            else:
                self._seconds("fp32" if self.precision == "auto" else self.precision, rehearsal, 1)
        self._image_networks -= {id(module) for network in copies for module in network.modules()}

    def _seconds_in_bf16(self, play: Callable[[], None]) -> float:
        """Return `_seconds` in bf16; infinity where what works in fp32 does not, such as an operation without bf16."""
        try:
            return self._seconds("bf16", play, REHEARSALS)
        except (Error, RuntimeError) as error:
            if worker_died(error):
                raise
            logger.info("training in fp32, since bf16 does not work here: %s", reason(error).partition("\n")[0])
            return math.inf

    def _seconds(self, precision: str, play: Callable[[], None], times: int) -> float:
        """Set the precision and return the shortest time of `play` in it, uncompiled."""
        self.precision, best = precision, float("inf")
        compile, self.compile = self.compile, False
        try:
            for _ in range(times):
                start = time.perf_counter()
                play()
                self.wait()
                best = min(best, time.perf_counter() - start)
        finally:
            self.compile = compile
        return best

    def preserve_random_state(self) -> AbstractContextManager[None]:
        """Restore afterwards the state of torch's global random generators, of the CPU and of this device."""
        return torch.random.fork_rng([self.device] if self.device.type == "cuda" else [])

    def wait(self) -> None:
        """Wait until the device has finished all its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def _function(self, network: Callable[..., T]) -> Callable[..., T]:
        if not self.compile or not isinstance(network, nn.Module):  # a method of a network is another object each time
            return network
        if id(network) not in self._compiled:
            self._compiled[id(network)] = torch.compile(network)
        return self._compiled[id(network)]

    def _autocast(self, precision: str) -> AbstractContextManager[None]:
        half = precision in ("bf16", "fp16")
        return torch.autocast(self.device.type, DTYPES[precision] if half else None, enabled=half)

    def _put(self, value: Tensor) -> Tensor:
        # What is not a tensor, such as a list of captions in a batch from Python code, stays as it is.
        if not isinstance(value, Tensor) or value.device == self.device:
            return value
        pinned = value.pin_memory() if self.device.type == "cuda" and not value.is_cuda else value
        return pinned.to(self.device, non_blocking=True)


def find_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is CUDA, else Apple's MPS, else the CPU. Raises `BadInput`."""
    present = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
    if name == "auto":
        return torch.device(max(present, key=["cpu", "mps", "cuda"].index))
    kind, colon, number = name.partition(":")
    count = {"cpu": 1, "mps": 1, "cuda": torch.cuda.device_count()}
    if kind not in count:
        meant = SYNONYMS.get(kind.lower(), kind)
        has = f"this machine has {' and '.join(present)}"
        raise BadInput(f"unknown device '{name}'; {suggest(meant, ['auto', *count])} ({has})")
    if kind not in present or (colon and (not number.isdigit() or int(number) >= count[kind])):
        raise BadInput(f"this machine has no device '{name}'; it has {' and '.join(present)}")
    return torch.device(name)


def check_precision(name: str, device: torch.device) -> str:
    """Return the name itself. Raises `BadInput` if it is unknown or this device cannot compute in it."""
    if name not in ("auto", *DTYPES):
        raise BadInput(f"unknown precision '{name}'; {suggest(name, ['auto', *DTYPES])}")
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise BadInput("this GPU cannot compute in bf16; use --precision fp16 or fp32")
    return name


def has_bf16_units(device: torch.device) -> bool:
    """Return whether this device multiplies bf16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    units = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(units.get("amx_bf16") or units.get("avx512_bf16"))


def map_tensors(function: Callable[[Tensor], Tensor], value: T) -> T:
    """Return `value` with `function` applied to every tensor inside its dicts, tuples and lists."""
    mapped: Any = value
    if isinstance(value, Tensor):
        mapped = function(value)
    elif isinstance(value, dict):
        # A Batch names its keys when a network asks for a missing one.
        kind = Batch if isinstance(value, Batch) else dict
        mapped = kind({key: map_tensors(function, item) for key, item in value.items()})
    elif isinstance(value, tuple | list):
        items = [map_tensors(function, item) for item in value]
        mapped = type(value)(*items) if hasattr(value, "_fields") else type(value)(items)  # a named tuple takes each
    return cast("T", mapped)


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def _at_least_float32(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
