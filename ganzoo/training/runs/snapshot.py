"""The whole state of a training as tensors and plain values: captured between two steps, and restored exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt
from torch import Tensor, nn

from ganzoo.engine.loop import Engine
from ganzoo.engine.player import Player
from ganzoo.engine.scheduled import unused_name
from ganzoo.engine.terms import TermLog, TermRows
from ganzoo.errors import BadInput
from ganzoo.recipe.names import bare_name

PER_RANK_PREFIXES = ("loss.", "rng.torch", "rng.cuda")
"""Prefixes of the tensors that are saved per rank: buffers of losses depend on the samples that a rank has seen."""


@dataclass
class State:
    """The state of a training after a step: tensors by name, and plain values."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Ledger(BaseModel):
    """The loss terms since the last line of the log; their values are tensors."""

    turn: int
    tallies: list[dict[Literal["names", "turns"], list[Any]]]


class Numbers(BaseModel):
    """The plain values that every state has, each of the type that restoring needs."""

    model_config = ConfigDict(strict=True)

    index: NonNegativeInt
    images: NonNegativeInt
    seed: int
    losses: list[str]
    optimizers: dict[str, str]
    turns: dict[str, int]
    scalers: dict[str, dict[str, Any]]
    ledger: Ledger
    measured: dict[str, float]
    facts: dict[str, Any]
    best: dict[str, float] | None = None
    unimproved: int = 0
    seconds: float = 0.0
    data: dict[str, Any] = {}
    trained: dict[str, list[str]] = {}


def capture(engine: Engine, **about: Any) -> State:
    """Return the state of a prepared engine; `about` are further plain values to save.

    All ranks must call it; the state of rank 0 then has the tensors of the others, too.
    """
    tensors = dict(collect_module_tensors(engine)) | collect_optimizer_tensors(engine)
    tensors |= {"rng.run": engine.rng.get_state(), "rng.torch": torch.get_rng_state()}
    if engine.hardware.device.type == "cuda":
        tensors["rng.cuda"] = torch.cuda.get_rng_state(engine.hardware.device)
    log = engine.terms_log
    tables = list(log.rows_by_names.values())
    tensors |= {f"tally.{number}": rows.values for number, rows in enumerate(tables)}
    numbers = {
        "index": engine.index,
        "images": engine.images,
        "seed": engine.train.seed,
        "losses": [use.name for use in engine.losses],
        "optimizers": name_optimizers(engine),
        "trained": name_trained(engine),
        "turns": {side: player.turns for side, player in engine.players.items()},
        "scalers": {side: player.scaler.state_dict() for side, player in engine.players.items()},
        "ledger": {"turn": log.turn, "tallies": [{"names": rows.names, "turns": rows.turns} for rows in tables]},
    }
    # safetensors supports neither channels-last nor tensors that share memory.
    saved = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    own = {name: tensor for name, tensor in saved.items() if name.startswith(PER_RANK_PREFIXES)}
    for rank, others in enumerate(engine.processes.gather(own)):
        saved |= {f"process.{rank}.{name}": tensor for name, tensor in others.items() if rank}
    return State(saved, numbers | about)


def restore(engine: Engine, state: State) -> None:
    """Put a prepared engine into a saved state. Raises `BadInput` if the two do not fit.

    If the recipe has another seed than the state, the random generators stay as that seed has set them. The buffers of
    a loss that the state does not have stay as they are.
    """
    try:
        put_back(engine, state)
    except BadInput:
        raise
    except (KeyError, IndexError, ValueError, TypeError, RuntimeError) as error:
        raise BadInput(f"the checkpoint does not fit this recipe: {type(error).__name__} {error}") from error


def put_back(engine: Engine, state: State) -> None:
    """Do the work of `restore`."""
    state = with_bare_losses(select_rank(state, engine.processes.rank))
    numbers, optimizers_now = state.numbers, name_optimizers(engine)
    if numbers["optimizers"] != optimizers_now:
        raise BadInput(f"a run keeps its optimizers: it has {numbers['optimizers']}, not {optimizers_now}")
    new = tuple(f"loss.{use.name}." for use in engine.losses if use.name not in numbers["losses"])
    for name, tensor in collect_module_tensors(engine).items():
        if not name.startswith(new):
            restore_tensor(tensor, name, state.tensors)
    if engine.train.seed == numbers["seed"]:
        restore_random_state(engine, state.tensors)
    engine.index, engine.images = numbers["index"], numbers["images"]
    for side, player in engine.players.items():
        player.turns = numbers["turns"][side]
        if numbers["scalers"][side]:  # empty unless the run was in fp16
            player.scaler.load_state_dict(numbers["scalers"][side])
        restore_optimizer(player, state)
    engine.terms_log = restore_terms(state, engine.hardware.device)


def name_optimizers(engine: Engine) -> dict[str, str]:
    """Return the name of each side's optimizer."""
    return {side: player.settings.name for side, player in engine.players.items()}


def name_trained(engine: Engine) -> dict[str, list[str]]:
    """Return the names of each side's trained parameters, in the order of their numbers."""
    return {side: player.names for side, player in engine.players.items()}


def select_rank(state: State, rank: int) -> State:
    """Return the state of one rank. A rank that the state does not have gets that of rank 0, without random state."""
    if rank == 0:
        return state
    prefix, tensors = f"process.{rank}.", state.tensors
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    shared = {name: tensor for name, tensor in tensors.items() if name not in ("rng.torch", "rng.cuda")}
    return State(shared | own, state.numbers)


def with_bare_losses(state: State) -> State:
    """Return a state with the bare names of its losses: it may be that of a run whose losses had full names."""
    names: list[str] = []
    tensors = dict(state.tensors)
    for saved in state.numbers["losses"]:
        names.append(unused_name(bare_name(saved), names))
        for key in [key for key in tensors if saved != names[-1] and key.startswith(f"loss.{saved}.")]:
            tensors[f"loss.{names[-1]}.{key.removeprefix(f'loss.{saved}.')}"] = tensors.pop(key)
    return State(tensors, {**state.numbers, "losses": names})


@torch.no_grad()
def restore_tensor(tensor: Tensor, name: str, saved: Mapping[str, Tensor]) -> None:
    """Copy the values saved under a name into a tensor. Raises `BadInput` if they are missing or do not fit."""
    if name not in saved or saved[name].shape != tensor.shape:
        raise BadInput(f"the checkpoint does not fit this recipe: '{name}' is missing there or has another shape")
    tensor.copy_(saved[name])


def restore_random_state(engine: Engine, tensors: Mapping[str, Tensor]) -> None:
    """Let every random generator continue from the saved state."""
    engine.rng.set_state(tensors["rng.run"])
    if "rng.torch" in tensors:
        torch.set_rng_state(tensors["rng.torch"])
    if "rng.cuda" in tensors and engine.hardware.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"], engine.hardware.device)


def restore_terms(state: State, device: torch.device) -> TermLog:
    """Return the loss terms since the last line of the log."""
    saved = state.numbers["ledger"]
    tables = [
        TermRows(rows["names"], [tuple(turn) for turn in rows["turns"]], [state.tensors[f"tally.{number}"].to(device)])
        for number, rows in enumerate(saved["tallies"])
    ]
    return TermLog(tables, saved["turn"])


def collect_module_tensors(engine: Engine) -> dict[str, Tensor]:
    """Return the tensors of both networks, the averaged generator and the losses' buffers, by name.

    Networks inside losses are frozen and not saved, and neither is a pretrained one anywhere.
    """
    networks = {"generator": engine.generator, "discriminator": engine.discriminator, "ema": engine.ema}
    tensors: dict[str, Tensor] = {}
    for name, module in networks.items():
        # A state dict lacks the buffers that are not persistent.
        own = module.state_dict() | changing_buffers(module)
        tensors |= {f"{name}.{key}": value for key, value in own.items()}
    for use in engine.losses:
        tensors |= {f"loss.{use.name}.{key}": buffer for key, buffer in changing_buffers(use.loss).items()}
    return tensors


def changing_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Return the buffers of a module by name, but for those of pretrained networks inside, which come with these."""
    fixed = tuple(f"{name}." for name, part in module.named_modules() if getattr(part, "pretrained", False))
    return {name: buffer for name, buffer in module.named_buffers() if not name.startswith(fixed)}


def collect_optimizer_tensors(engine: Engine) -> dict[str, Tensor]:
    """Return the state of the optimizers, by side, number of the parameter and word, such as "exp_avg"."""
    return {
        f"optimizer.{side}.{number}.{word}": value
        for side, player in engine.players.items()
        for number, parameter in enumerate(player.parameters)
        for word, value in player.optimizer.state.get(parameter, {}).items()
        if value is not None
    }


def restore_optimizer(player: Player, state: State) -> None:
    """Restore the state of a player's optimizer; a part that is no longer frozen begins anew."""
    prefix, optimizer, own = (
        f"optimizer.{player.side}.",
        player.optimizer,
        dict(zip(player.names, player.parameters, strict=True)),
    )
    names = state.numbers.get("trained", {}).get(player.side, player.names)
    saved: dict[nn.Parameter, dict[str, Tensor]] = {}
    for key, value in state.tensors.items():
        if key.startswith(prefix):
            number, word = key.removeprefix(prefix).split(".")
            parameter = own.get(names[int(number)])
            if parameter is not None:
                saved.setdefault(parameter, {})[word] = match_strides(value, parameter)
    if player.settings.momentum:  # the run may have been without momentum until now
        for parameter in player.parameters:
            saved.setdefault(parameter, {}).setdefault("momentum_buffer", torch.zeros_like(parameter))
    order = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    by_number = {number: saved[parameter] for number, parameter in enumerate(order) if parameter in saved}
    optimizer.load_state_dict({"state": by_number, "param_groups": optimizer.state_dict()["param_groups"]})


def match_strides(value: Tensor, parameter: Tensor) -> Tensor:
    """Return `value` in the strides of its parameter: with others, fused Adam silently computes wrong updates."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
