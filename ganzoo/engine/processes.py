"""The processes that train together, each on its own part of every batch; most often there is only one."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganzoo import errors
from ganzoo._faults import is_out_of_memory
from ganzoo.errors import BadInput, Diverged, Error, Failed, Interrupted, PeerLost, Unavailable

BUCKET = 2**23
"""Numbers that are sent together: 32 MB in float32."""


class Processes:
    """The members of torch.distributed's default group, or this process alone where there is none.

    `rank` is the number of this one, from 0, of `count`. Every method that waits for the others raises `PeerLost` where
    one of them has ended. All must call the same methods in the same order.
    """

    def __init__(self) -> None:
        there = dist.is_available() and dist.is_initialized()
        self.rank, self.count = (dist.get_rank(), dist.get_world_size()) if there else (0, 1)
        if there and dist.get_backend() == "nccl":
            raise BadInput("processes must also speak without a GPU: init_process_group('cpu:gloo,cuda:nccl')")

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """The device of this process where the user says `name`: of several GPUs each process takes its own.

        Raises `BadInput` where that cannot be.
        """
        if self.count == 1:
            return name
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name not in ("cpu", "cuda"):
            raise BadInput(f"several processes train on 'cpu' or 'cuda', where each takes its own GPU, not '{name}'")
        if name == "cpu":
            return name
        local, there = int(os.environ.get("LOCAL_RANK", self.rank)), torch.cuda.device_count()
        if local >= there:
            way = "start fewer" if there else "--device cpu takes none"
            raise BadInput(f"process {self.rank} needs GPU {local} of its machine, which has {there}; {way}")
        torch.cuda.set_device(local)  # else every process also takes memory of the first GPU
        return f"cuda:{local}"

    def shard(self, whole: Tensor, parts: int = 1) -> Tensor:
        """This process's rows of what is meant for the whole batch: an equal share of each of the batch's `parts`.

        Raises `BadInput` where there is no equal share.
        """
        if self.count == 1:
            return whole
        self.check_shares(len(whole), parts, f"a batch of {len(whole)} (a DataLoader's last one? see drop_last=True)")
        return whole.unflatten(0, (parts, self.count, -1))[:, self.rank].flatten(0, 1)

    def check_shares(self, length: int, parts: int, what: str) -> None:
        """Raise `BadInput` where `what`, so many samples, does not give each process as many of each of its parts."""
        fits = parts * self.count
        if length % fits:
            among = f"{self.count} processes" + f" with train.accumulate={parts}" * (parts > 1)
            raise BadInput(f"{what} cannot be divided equally among {among}; a multiple of {fits} can")

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes into each of these tensors, whatever their strides.

        Those on the CPU, if they come first, arrive before any on a GPU is sent: there a death would go unnoticed.
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
        """Put the first process's values into each of these tensors."""
        if self.count == 1:
            return
        for flat, bucket in flatten_into_buckets(list(tensors)):
            with peer_errors():
                dist.broadcast(flat.view(torch.uint8), 0)  # as bytes, for it does not know all types
            unflatten(flat, bucket)

    def all_max(self, number: int) -> int:
        """The greatest of the numbers that the processes give."""
        if self.count == 1:
            return number
        found = torch.tensor(number)
        with peer_errors():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def broadcast_object(self, value: Any) -> Any:
        """The first process's value, whatever the others give."""
        return self.all_gather(value if self.first else None)[0]

    def all_gather(self, value: Any) -> list[Any]:
        """What each process gives, by rank."""
        given = [value] * self.count
        if self.count > 1:
            with peer_errors():
                dist.all_gather_object(given, value)
        return given

    def gather(self, value: Any) -> list[Any]:
        """What each process gives, by rank; empty but for the first process."""
        if self.count == 1:
            return [value]
        given = [None] * self.count if self.first else None
        with peer_errors():
            dist.gather_object(value, given)
        return given or []

    @contextmanager
    def raise_on_all_ranks(self) -> Iterator[None]:
        """If any rank raises here, all raise; only rank 0 reports.

        Nothing inside may wait for the other processes: one that has failed would not come.
        """
        mine: Exception | None = None
        try:
            yield
        except Exception as error:
            if self.count == 1:
                raise
            mine = error
        faults = [fault and (rank, *fault) for rank, fault in enumerate(self.all_gather(mine and describe_error(mine)))]
        if not (found := next(filter(None, faults), None)):
            return
        if mine and not isinstance(mine, Error):
            raise mine
        raise error_from_rank(*found, reported_by_me=self.first) from mine


def describe_error(error: Exception) -> tuple[str, str]:
    """What the other processes are to raise: the name of a class of ours, and its sentence."""
    for kind in (BadInput, Diverged, Unavailable, Interrupted, Failed, Error):
        if isinstance(error, kind):
            return kind.__name__, str(error)
    if is_out_of_memory(error):
        return "BadInput", f"out of memory: {error}"
    return "Failed", f"{type(error).__name__}: {error}"


def error_from_rank(rank: int, kind: str, text: str, reported_by_me: bool | None = None) -> Error:
    """The error that a process has `describe_error`, as the others raise it."""
    return getattr(errors, kind)(f"process {rank}: {text}" if rank else text, reported_by_me=reported_by_me)


@contextmanager
def peer_errors() -> Iterator[None]:
    """Raise `PeerLost` where another process cannot be heard any more."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        said = re.sub(r"^\[\S+\] ", "", str(error).strip())  # without the place in gloo's source
        reason = said.partition("\n")[0].partition(". ")[0]
        raise PeerLost(f"another process of this training has ended or cannot be reached ({reason})") from error


def flatten_into_buckets(tensors: Sequence[Tensor]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """The numbers of all tensors in few flat ones, each with the tensors that it holds, of one type and device."""
    kinds: dict[Any, list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for alike in kinds.values():
        bucket, size = list[Tensor](), 0
        for tensor in alike:
            if bucket and size + tensor.numel() > BUCKET:
                yield torch.cat([each.reshape(-1) for each in bucket]), bucket
                bucket, size = [], 0
            bucket.append(tensor)
            size += tensor.numel()
        yield torch.cat([each.reshape(-1) for each in bucket]), bucket


def unflatten(flat: Tensor, bucket: Sequence[Tensor]) -> None:
    """Copy the numbers of a flat tensor back to where they came from, in the strides that are there."""
    for tensor, numbers in zip(bucket, flat.split([tensor.numel() for tensor in bucket]), strict=True):
        tensor.copy_(numbers.view(tensor.shape))
