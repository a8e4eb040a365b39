"""The processes that train together, each on its own part of every batch. Most often there is only one."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

if dist.is_available():
    # Its functions have the default group as an argument's default. Imported when there is a group, as torch.compile's
    # package does, they would keep it, and gloo's threads with it, which sometimes abort a process at its end.
    import torch.distributed.nn.functional

from ganzoo._faults import is_out_of_memory
from ganzoo.errors import BadInput, Diverged, Error, Failed, Interrupted, PeerLost, Unavailable

T = TypeVar("T")

BUCKET_SIZE = 2**23
"""Numbers that are sent in one message: 32 MB in float32."""
SHARED_ERRORS: dict[str, type[Error]] = {
    kind.__name__: kind for kind in (BadInput, Diverged, Unavailable, Interrupted, Failed, Error)
}
"""Classes of errors that one process can raise for another, by name; those derived from others come first."""


class Processes:
    """The members of torch.distributed's default group, or this process alone if there is no group.

    This process has number `rank`, from 0, of `count`. All processes must call the same methods in the same order.
    Every method that waits for the others raises `PeerLost` if one of them has ended.
    """

    def __init__(self) -> None:
        connected = dist.is_available() and dist.is_initialized()
        self.rank, self.count = (dist.get_rank(), dist.get_world_size()) if connected else (0, 1)
        if connected and dist.get_backend() == "nccl":
            raise BadInput("processes also exchange data on the CPU: call init_process_group('cpu:gloo,cuda:nccl')")

    @property
    def first(self) -> bool:
        """Whether this is rank 0, the process that writes files and messages."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """Return the device of this process, given the one that the user asked for: each takes a GPU of its own.

        Raises `BadInput` if there are too few GPUs, or several processes cannot train on that device.
        """
        if self.count == 1:
            return name
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name not in ("cpu", "cuda"):
            raise BadInput(f"several processes train on 'cpu' or 'cuda', where each takes its own GPU, not '{name}'")
        if name == "cpu":
            return name
        local, present = int(os.environ.get("LOCAL_RANK", self.rank)), torch.cuda.device_count()
        if local >= present:
            advice = "start fewer" if present else "--device cpu takes none"
            raise BadInput(f"process {self.rank} needs GPU {local} of its machine, which has {present}; {advice}")
        torch.cuda.set_device(local)  # else every process also takes memory of the first GPU
        return f"cuda:{local}"

    def shard(self, whole: Tensor, parts: int = 1) -> Tensor:
        """Return this process's rows of a tensor for the whole batch: an equal share of each of its `parts`.

        Raises `BadInput` if the rows cannot be divided equally.
        """
        if self.count == 1:
            return whole
        self.check_shares(len(whole), parts, f"a batch of {len(whole)} (a DataLoader's last one? see drop_last=True)")
        return torch.unflatten(whole, 0, (parts, self.count, -1))[:, self.rank].flatten(0, 1)

    def check_shares(self, length: int, parts: int, what: str) -> None:
        """Raise `BadInput` if `what`, with `length` samples in `parts`, cannot be divided equally among processes."""
        divisor = parts * self.count
        if length % divisor:
            among = f"{self.count} processes" + f" with train.accumulate={parts}" * (parts > 1)
            raise BadInput(f"{what} cannot be divided equally among {among}; a multiple of {divisor} can")

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace the values of each tensor with their mean over all processes, whatever its strides.

        Tensors on the CPU, if they come first, arrive before any on a GPU is sent: the exchange between GPUs would not
        notice a process that has died.
        """
        sent, on_gpu = list(flatten_into_buckets(tensors)), any(tensor.is_cuda for tensor in tensors)
        with peer_errors():
            works = [dist.all_reduce(flat, async_op=not (on_gpu and flat.is_cpu)) for flat, _ in sent]
            for work in filter(None, works):
                work.wait()
        for flat, bucket in sent:
            unflatten(flat.div_(self.count), bucket)

    @torch.no_grad()
    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Replace the values of each tensor with those of rank 0."""
        if self.count == 1:
            return
        for flat, bucket in flatten_into_buckets(list(tensors)):
            with peer_errors():
                dist.broadcast(flat.view(torch.uint8), 0)  # as bytes, since it does not support all types
            unflatten(flat, bucket)

    def all_max(self, number: int) -> int:
        """Return the largest of the processes' numbers."""
        if self.count == 1:
            return number
        found = torch.tensor(number)
        with peer_errors():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def broadcast_object(self, value: T) -> T:
        """Return rank 0's value."""
        return cast("T", self.all_gather(value if self.first else None)[0])

    def all_gather(self, value: T) -> list[T]:
        """Return the values of all processes, by rank."""
        values = [value] * self.count
        if self.count > 1:
            with peer_errors():
                dist.all_gather_object(values, value)
        return values

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes, by rank, in rank 0; an empty list in the others."""
        if self.count == 1:
            return [value]
        values = [value] * self.count if self.first else []
        with peer_errors():
            dist.gather_object(value, values or None)
        return values

    @contextmanager
    def raise_on_all_ranks(self) -> Iterator[None]:
        """If any rank raises here, all raise; only rank 0 reports.

        Nothing inside may wait for other processes: a process that has failed would never join in.
        """
        if self.count == 1:
            yield
            return
        mine: Exception | None = None
        try:
            yield
        except Exception as error:
            mine = error
        for rank, described in enumerate(self.all_gather(describe_error(mine) if mine else None)):
            if described:
                if mine and not isinstance(mine, Error):
                    raise mine
                raise error_from_rank(rank, *described, reported_by_me=self.first) from mine


def describe_error(error: Exception) -> tuple[str, str]:
    """Return class name and message of the error that the other processes raise in place of this one."""
    for name, kind in SHARED_ERRORS.items():
        if isinstance(error, kind):
            return name, str(error)
    if is_out_of_memory(error):
        return "BadInput", f"out of memory: {error}"
    return "Failed", f"{type(error).__name__}: {error}"


def error_from_rank(rank: int, kind: str, text: str, reported_by_me: bool | None = None) -> Error:
    """Return the error to raise for one that process `rank` described with `describe_error`."""
    return SHARED_ERRORS[kind](f"process {rank}: {text}" if rank else text, reported_by_me=reported_by_me)


@contextmanager
def peer_errors() -> Iterator[None]:
    """Turn the errors of torch.distributed into `PeerLost`."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        text = re.sub(r"^\[\S+\] ", "", str(error).strip())  # without the line of gloo's source
        reason = text.partition("\n")[0].partition(". ")[0]
        raise PeerLost(f"another process of this training has ended or cannot be reached ({reason})") from error


def flatten_into_buckets(tensors: Sequence[Tensor]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Yield few flat tensors with the numbers of all `tensors`, each with those it holds, of one type and device."""
    kinds: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for alike in kinds.values():
        bucket, size = list[Tensor](), 0
        for tensor in alike:
            if bucket and size + tensor.numel() > BUCKET_SIZE:
                yield torch.cat([each.reshape(-1) for each in bucket]), bucket
                bucket, size = [], 0
            bucket.append(tensor)
            size += tensor.numel()
        yield torch.cat([each.reshape(-1) for each in bucket]), bucket


def unflatten(flat: Tensor, bucket: Sequence[Tensor]) -> None:
    """Copy the numbers of a flat tensor back into the tensors of its bucket, whose strides stay."""
    for tensor, numbers in zip(bucket, torch.split(flat, [tensor.numel() for tensor in bucket]), strict=True):
        tensor.copy_(numbers.view(tensor.shape))
