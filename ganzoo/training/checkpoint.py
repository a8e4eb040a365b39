"""Checkpoints: everything that a training is made of, as safetensors and JSON, saved whole and restored exactly."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from ganzoo._io import read_bytes, replace_folder, sha256, to_json, write_bytes, write_json
from ganzoo.engine.loop import Engine
from ganzoo.engine.player import Player
from ganzoo.engine.terms import TermLog, TermRows
from ganzoo.errors import BadInput

FORMAT = 3
"""Lower ones are of before the first release and lack what resuming reads."""
KEPT = 2
"""Older checkpoints are removed, but for the best."""
OWN = ("loss.", "rng.torch", "rng.cuda")
"""What begins so is each process's own, since the losses keep of the samples that they have seen."""


@dataclass
class State:
    """A training at one moment: named tensors and plain numbers."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def capture(engine: Engine, **about: Any) -> State:
    """The state of an engine that has been set up; `about` are further plain values to be kept.

    Of several processes all must call it; what only the others know is in the first one's state.
    """
    tensors = dict(modules(engine)) | optimizers(engine)
    tensors |= {"rng.run": engine.rng.get_state(), "rng.torch": torch.get_rng_state()}
    if engine.hardware.device.type == "cuda":
        tensors["rng.cuda"] = torch.cuda.get_rng_state(engine.hardware.device)
    tallies = list(engine.terms_log.rows_by_names.values())
    tensors |= {f"tally.{number}": tally.values for number, tally in enumerate(tallies)}
    numbers = {
        "index": engine.index,
        "images": engine.images,
        "seed": engine.train.seed,
        "losses": [use.name for use in engine.losses],
        "optimizers": {name: side.settings.name for name, side in engine.players.items()},
        "turns": {name: side.turns for name, side in engine.players.items()},
        "scalers": {name: side.scaler.state_dict() for name, side in engine.players.items()},
        "ledger": {"turn": engine.terms_log.turn, "tallies": [{"names": t.names, "turns": t.turns} for t in tallies]},
    }
    # safetensors knows neither channels-last nor tensors that share memory.
    kept = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    own = {name: tensor for name, tensor in kept.items() if name.startswith(OWN)}
    for rank, others in enumerate(engine.processes.gather(own)):
        kept |= {f"process.{rank}.{name}": tensor for name, tensor in others.items() if rank}
    return State(kept, numbers | about)


def restore(engine: Engine, state: State) -> None:
    """Put an engine that has been set up back to a state. Raises `BadInput` where the two do not fit.

    Another seed than the state's counts from here on. A loss that is new starts as it was set up.
    """
    state = of_process(state, engine.processes.rank)
    numbers, optimizers_now = state.numbers, {name: side.settings.name for name, side in engine.players.items()}
    if numbers["optimizers"] != optimizers_now:
        raise BadInput(f"a run keeps its optimizers: it has {numbers['optimizers']}, not {optimizers_now}")
    new = tuple(f"loss.{use.name}." for use in engine.losses if use.name not in numbers["losses"])
    for name, tensor in modules(engine).items():
        if not name.startswith(new):
            restore_tensor(tensor, name, state.tensors)
    if engine.train.seed == numbers["seed"]:
        restore_random_state(engine, state.tensors)
    engine.index, engine.images = numbers["index"], numbers["images"]
    for name, side in engine.players.items():
        side.turns = numbers["turns"][name]
        if numbers["scalers"][name]:  # empty unless the run was in fp16
            side.scaler.load_state_dict(numbers["scalers"][name])
        restore_optimizer(side, name, state.tensors)
    engine.terms_log = restore_terms(state, engine.hardware.device)


def of_process(state: State, rank: int) -> State:
    """The state as one process had it. One that is new has the first one's, but for the random numbers yet to come."""
    if rank == 0:
        return state
    mine, tensors = f"process.{rank}.", state.tensors
    own = {name.removeprefix(mine): tensor for name, tensor in tensors.items() if name.startswith(mine)}
    shared = {name: tensor for name, tensor in tensors.items() if name not in ("rng.torch", "rng.cuda")}
    return State(shared | own, state.numbers)


@torch.no_grad()
def restore_tensor(tensor: Tensor, name: str, kept: Mapping[str, Tensor]) -> None:
    """Copy what was kept under a name into its place. Raises `BadInput` where it is not there or does not fit."""
    if name not in kept or kept[name].shape != tensor.shape:
        raise BadInput(f"the checkpoint does not fit this recipe: '{name}' is missing there or has another shape")
    tensor.copy_(kept[name])


def restore_random_state(engine: Engine, tensors: Mapping[str, Tensor]) -> None:
    """Have every random generator go on where it was."""
    engine.rng.set_state(tensors["rng.run"])
    if "rng.torch" in tensors:
        torch.set_rng_state(tensors["rng.torch"])
    if "rng.cuda" in tensors and engine.hardware.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"], engine.hardware.device)


def restore_terms(state: State, device: torch.device) -> TermLog:
    """The values since the last line of the log."""
    kept = state.numbers["ledger"]
    tallies = [
        TermRows(
            tally["names"], [tuple(turn) for turn in tally["turns"]], [state.tensors[f"tally.{number}"].to(device)]
        )
        for number, tally in enumerate(kept["tallies"])
    ]
    return TermLog(tallies, kept["turn"])


def modules(engine: Engine) -> dict[str, Tensor]:
    """The engine's own tensors: both networks, the average, and the losses' buffers (their networks are frozen)."""
    networks = {"generator": engine.generator, "discriminator": engine.discriminator, "ema": engine.ema}
    tensors: dict[str, Tensor] = {}
    for name, module in networks.items():
        # Buffers also on their own, since a state dict has not those that are not persistent.
        own = module.state_dict() | dict(module.named_buffers())
        tensors |= {f"{name}.{key}": value for key, value in own.items()}
    for use in engine.losses:
        tensors |= {f"loss.{use.name}.{key}": buffer for key, buffer in use.loss.named_buffers()}
    return tensors


def optimizers(engine: Engine) -> dict[str, Tensor]:
    """What the optimizers remember of each parameter."""
    return {
        f"optimizer.{name}.{number}.{key}": value
        for name, side in engine.players.items()
        if side.optimizer
        for number, kept in side.optimizer.state_dict()["state"].items()
        for key, value in kept.items()
        if value is not None
    }


def restore_optimizer(side: Player, name: str, tensors: dict[str, Tensor]) -> None:
    """Give an optimizer back what it remembered."""
    if side.optimizer is None:
        return
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"optimizer.{name}."):
            number, word = key.removeprefix(f"optimizer.{name}.").split(".")
            state.setdefault(int(number), {})[word] = like(value, side.parameters[int(number)])
    if side.settings.momentum:  # which may be new
        for place, parameter in enumerate(side.parameters):
            state.setdefault(place, {}).setdefault("momentum_buffer", torch.zeros_like(parameter))
    side.optimizer.load_state_dict({"state": state, "param_groups": side.optimizer.state_dict()["param_groups"]})


def like(value: Tensor, parameter: Tensor) -> Tensor:
    """`value` in the parameter's strides: fused Adam silently computes wrong updates in others."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def save(folder: Path, state: State) -> Path:
    """Write a checkpoint below `folder` under its step, whole or not at all; all but the last two and the best go."""
    target = folder / checkpoint_name(state.numbers["index"])
    content = tensors_to_bytes(state.tensors)
    about = {"format": FORMAT, "tensors": sha256(content), **state.numbers}
    with replace_folder(target) as part:
        write_bytes(part / "state.safetensors", content)
        write_json(part / "state.json", about | {"sha256": hash_of(about)})
    tidy(folder, target, state.numbers.get("best"))
    return target


def tidy(folder: Path, newest: Path, best: Mapping[str, Any] | None) -> None:
    """Leave the last two checkpoints and the best; what lies after the newest was damaged or given up."""
    there = checkpoints(folder)
    until = there.index(newest) + 1
    kept = {*there[:until][-KEPT:], *(path for path in there if best and path.name == checkpoint_name(best["step"]))}
    for path in [*there, *folder.glob(".step-*")]:
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def checkpoint_name(step: int) -> str:
    """What the checkpoint of a training step is called."""
    return f"step-{step:06d}"


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints below a folder, oldest first."""
    return by_step(folder)


def by_step(folder: Path) -> list[Path]:
    """What is named after a training step in a folder, by that step."""
    found = [(re.fullmatch(r"step-(\d+)(\.png)?", path.name), path) for path in folder.glob("step-*")]
    return [path for _, path in sorted((int(match[1]), path) for match, path in found if match)]


def hash_of(numbers: Mapping[str, Any]) -> str:
    """sha256 of plain values, whatever the layout of their file."""
    return sha256(json.dumps(numbers, sort_keys=True).encode())


def read(folder: Path) -> tuple[State, list[str]]:
    """The newest sound checkpoint below a folder, and a sentence for each damaged one that was passed over."""
    notes: list[str] = []
    for path in reversed(checkpoints(folder)):
        state = read_one(path)
        if state:
            return state, notes
        notes.append(f"checkpoint {path.name} is damaged or cannot be read; using the one before it")
    raise BadInput(f"there is no sound checkpoint in {folder}")


def read_one(path: Path) -> State | None:
    """One checkpoint, or None where it is damaged. Raises `BadInput` for a format that only another ganzoo reads."""
    try:
        text, content = (read_bytes(path / name) for name in ("state.json", "state.safetensors"))
        numbers = json.loads(text)
        sound = to_json(numbers) == text and numbers.pop("sha256") == hash_of(numbers)
        sound = sound and numbers["tensors"] == sha256(content)
    except (BadInput, ValueError, KeyError, TypeError, AttributeError):
        return None
    if not sound:
        return None
    if numbers["format"] > FORMAT:
        raise BadInput(f"{path} has format {numbers['format']}, this ganzoo reads up to {FORMAT}; install a newer one")
    if numbers["format"] < FORMAT:
        raise BadInput(f"{path} has format {numbers['format']}, which this ganzoo no longer reads; start a new run")
    return State(tensors_from_bytes(content), numbers)
