"""The settings of the engine: how long and how to train, and each side's optimizer. Does not import torch."""

import math
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from ganzoo._io import expand_user
from ganzoo.engine.schedule import Number, Schedule, Varying, at, each, first, name_each, varies, write
from ganzoo.engine.validation import Section, describe_fault, is_schedule

SIDES = ("discriminator", "generator")
LABELS = ("real", "drawn")
"""The two sides of the game, in the order of their turns."""

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DEFAULT_STEPS = 2000
"""Training steps of a recipe that does not say how long to train."""
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "adam": ("betas", "eps"),
    "adamw": ("betas", "eps"),
    "rmsprop": ("alpha", "eps", "momentum"),
    "sgd": ("momentum",),
}
"""The keys of each optimizer beside those that all have."""
MAX_MINUTES = 10 * 365 * 24 * 60
"""The longest training by the clock, ten years."""
LENGTHS = ("steps", "epochs", "minutes")
"""The keys that say how long to train, of which a recipe has one."""


class SideOptimizer(Section):
    """The optimizer of one side."""

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """The optimizer, by its name in torch."""
    lr: Annotated[Number, Varying(gt=0)] = 2e-4
    """Learning rate after the warm-up, above 0."""
    betas: tuple[Annotated[Number, Varying()], Annotated[Number, Varying()]] = (0.5, 0.999)
    """Decay rates of Adam's running means of the gradient and of its square, each in [0, 1) (adam, adamw)."""
    alpha: Annotated[Number, Varying(ge=0, lt=1)] = 0.99
    """Decay rate of the running mean of squared gradients, in [0, 1) (rmsprop)."""
    momentum: Annotated[Number, Varying(ge=0, lt=1)] = 0.0
    """Momentum, in [0, 1) (rmsprop, sgd)."""
    eps: PositiveFloat = 1e-8
    """Constant added to the denominator, above 0 (adam, adamw, rmsprop)."""
    weight_decay: Annotated[Number, Varying(ge=0)] = 0.0
    """Weight decay, 0 or more: decoupled with adamw, else an L2 penalty in the gradient."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Course of the learning rate after the warm-up; linear and cosine fall to 0 by the end of the run."""
    start: NonNegativeInt = 0
    """Training step with which the learning rate begins to fall, from 0; by default the one after the warm-up."""
    warmup: NonNegativeInt = 0
    """Training steps over which the learning rate rises linearly from 0, before the schedule begins."""
    clip_norm: PositiveFloat | None = None
    """Clip the L2 norm of the side's whole gradient to this value, above 0; not clipped by default."""
    parts: dict[str, Annotated[Number, Varying(ge=0)]] = Field(default_factory=dict)
    """Factors of the learning rate for parts of one side's network by the name of the module, 0 or more; 0 freezes.

    `optimizer.generator.parts = {mapping = 0.01}` slows down the parameters in `mapping`; of several names that
    fit, such as "blocks" and "blocks.0", the longest counts. What is frozen keeps its statistics, too: its batch norm
    is as in a finished model.
    """

    @field_validator("parts", mode="before")
    @classmethod
    def _parts_by_whole_name(cls, value: Any) -> Any:
        return dict(flatten_parts(value)) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _only_what_applies(self) -> Self:
        for key in ("betas", "alpha", "momentum", "eps"):
            names = [name for name, keys in ARGUMENTS.items() if key in keys]
            if key in self.model_fields_set and self.name not in names:
                raise ValueError(f"'{key}' does not go with {self.name}; it goes with {' and '.join(names)}")
        ends = [end for beta in self.betas for end in (beta.ends if isinstance(beta, Schedule) else (beta,))]
        if not all(0 <= end < 1 for end in ends):
            raise ValueError(f"betas must lie in [0, 1), got {ends}")
        if self.start and self.schedule == "constant":
            raise ValueError("'start' says when the learning rate begins to fall; it needs schedule, linear or cosine")
        if self.schedule != "constant" and isinstance(self.lr, Schedule):
            raise ValueError(f"lr has a schedule of its own; leave out schedule={self.schedule}")
        return self

    def factor(self, index: int, steps: float) -> float:
        """Return the factor of the learning rate, in [0, 1], at training step `index` (from 0) of `steps`."""
        if index < self.warmup:
            return (index + 1) / (self.warmup + 1)
        begin = max(self.warmup, self.start)
        done = min(1.0, max(0, index - begin) / max(1, steps - begin))
        return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[self.schedule]

    def rate(self, index: int, steps: float) -> float:
        """Return the learning rate at training step `index` (from 0) of `steps`."""
        return at(self.lr, index, steps) * self.factor(index, steps)

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for the torch optimizer of this name, as they are in the first step."""
        return {key: each(first, value) for key, value in self._values("lr", "weight_decay").items()}

    def varying(self, index: int, steps: float) -> dict[str, Any]:
        """Return the arguments beside the learning rate that vary, as they are at training step `index` of `steps`."""
        values = {key: value for key, value in self._values("weight_decay").items() if varies(value)}
        return {key: each(lambda number: at(number, index, steps), value) for key, value in values.items()}

    def list_varying(self, index: int, steps: float) -> dict[str, float]:
        """Return every number that varies, by its key, as it is at training step `index` of `steps`."""
        rate = {"lr": self.rate(index, steps)} if self.warmup or self.schedule != "constant" or varies(self.lr) else {}
        tables = {**self._values("weight_decay"), "parts": self.parts}
        numbers = {path: number for key, value in tables.items() for path, number in name_each(key, value)}
        return rate | {path: each.at(index, steps) for path, each in numbers.items() if isinstance(each, Schedule)}

    def written_out(self) -> dict[str, Any]:
        """Return every key that applies to this optimizer with its value, as a recipe has them."""
        parts = ["parts"] * bool(self.parts)
        values = self._values("name", "schedule", "start", "warmup", "clip_norm", "lr", "weight_decay", *parts)
        return {key: each(write, value) for key, value in values.items() if value is not None}

    def _values(self, *keys: str) -> dict[str, Any]:
        return {key: getattr(self, key) for key in (*keys, *ARGUMENTS[self.name])}


def flatten_parts(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parts of a network by their whole names: `blocks.0` may be written as a table in a table."""
    for name, value in table.items():
        if isinstance(value, Mapping) and not is_schedule(value):
            yield from flatten_parts(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


class Optimizer(SideOptimizer):
    """The optimizers of both sides; `generator` and `discriminator` hold the keys that differ on that side."""

    generator: dict[str, Any] = Field(default_factory=dict)
    """Keys for the generator's optimizer alone, such as `optimizer.generator.lr`."""
    discriminator: dict[str, Any] = Field(default_factory=dict)
    """Keys for the discriminator's optimizer alone, such as `optimizer.discriminator.lr`."""

    @model_validator(mode="after")
    def _sides_are_valid(self) -> Self:
        if self.parts:
            raise ValueError(
                "parts belong to one network: give optimizer.generator.parts or optimizer.discriminator.parts"
            )
        for side in SIDES:
            try:
                self.side(side)
            except ValidationError as error:
                raise ValueError(describe_fault(error.errors()[0], SideOptimizer, side)) from error
        return self

    def side(self, side: str) -> SideOptimizer:
        """Return the complete settings of one side, "generator" or "discriminator"."""
        own = getattr(self, side)
        common = {key: getattr(self, key) for key in self.model_fields_set - set(SIDES)}
        if own.get("name", self.name) != self.name:
            applies = SideOptimizer.model_validate({"name": own["name"]}).written_out().keys() | {"clip_norm"}
            common = {key: value for key, value in common.items() if key in applies}
        return SideOptimizer.model_validate({**common, **own})

    def written_out(self) -> dict[str, Any]:
        """Return every key that applies: once if both sides have the same value, else for each side."""
        sides = {side: self.side(side).written_out() for side in SIDES}
        one, other = sides.values()
        if one["name"] != other["name"]:
            return sides
        common = {key: value for key, value in one.items() if other.get(key, ...) == value and key != "parts"}
        own = {side: {k: v for k, v in table.items() if k not in common} for side, table in sides.items()}
        return common | {side: table for side, table in own.items() if table}


class Train(Section):
    """How long and how to train."""

    steps: PositiveInt | None = None
    """Training steps, each `critic_steps` turns of the discriminator and one of the generator; 2,000 by default."""
    epochs: PositiveFloat | None = None
    """Number of times that the discriminator sees all data, above 0; give it instead of `steps`."""
    minutes: float | None = Field(None, gt=0, le=MAX_MINUTES, strict=True)
    """Minutes to train, from the first step on, above 0 and at most 5,256,000, ten years; give them instead of `steps`.

    Pictures, checkpoints and evaluations are included. A schedule of the learning rate reaches its end when they are
    over; whatever counts in steps goes on doing so. How many steps that makes depends on the machine, so two such runs
    are not equal bit for bit. A resumed run trains for the minutes that are left.
    """
    batch: int = Field(64, ge=1, le=1_000_000)
    """Real samples in each turn, 1 to 1,000,000."""
    accumulate: PositiveInt = 1
    """Number of equal parts that each batch is split into; their gradients add up: the same update in less memory."""
    critic_steps: PositiveInt = 1
    """Turns of the discriminator before each turn of the generator."""
    ema: Annotated[Number, Varying(ge=0, lt=1)] = 0.999
    """Decay of the generator's moving average, in [0, 1), per training step; samples come from the average. 0: none."""
    ema_every: int = Field(8, ge=1, le=100)
    """Update the average every this many training steps, 1 to 100, decay compounded; every step during the first 100.

    Models and checkpoints that are saved in between have the average of the last update.
    """
    init: str | None = None
    """Pretrained model to start from: a registered name, hub:owner/name[@revision], or a run or model folder.

    Each layer of both networks that has the same name and shape there is taken; the first lines say which are not. A
    model has a discriminator if its training had `keep_discriminator`.
    """
    keep_discriminator: bool = False
    """Save the discriminator with the model, in a second file: for scores of samples, and to begin trainings with."""
    half: bool = False
    """Save model and discriminator with weights of 16 bits, half as large; the training and its checkpoints keep 32."""
    labels: Literal["real", "drawn"] | None = None
    """Labels of fakes in training: those of the real batch, or drawn ones; by default as the generator says."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seed of all random numbers, in [0, 2^31)."""
    precision: Precision = "auto"
    """Number format of forward passes; auto takes bf16 if the hardware supports it and it is faster, else fp32."""
    channels_last: bool = True
    """Keep the networks of images in the channels-last memory format, which is faster."""
    compile: bool = False
    """Compile the networks with torch.compile; needs a C++ compiler."""
    sync_batch_norm: bool = False
    """Let batch norm use the whole batch, not each process's part of it; for several processes on GPUs."""
    log_every: PositiveInt = 100
    """Training steps between two lines of metrics.jsonl."""
    sample_every: PositiveInt = 500
    """Training steps between two pictures of samples."""
    save_every: PositiveInt = 1000
    """Training steps between two checkpoints."""
    evaluate_every: NonNegativeInt = 0
    """Training steps between two evaluations by the data's metrics, which then decide the best generator; 0: none."""
    evaluate_samples: int = Field(2000, ge=2)
    """Samples in each evaluation, 2 or more; with few samples the ratios to real ones are closer to 1."""
    patience: NonNegativeInt = 0
    """Stop after this many evaluations in a row without an improvement; 0: never. Needs `evaluate_every`."""
    on_nonfinite: Literal["stop", "rollback"] = "stop"
    """Action on a NaN or infinity: stop, or roll back to the last checkpoint with another seed, at most three times."""
    show_augmented: bool = False
    """With each picture of samples, also draw what the discriminator sees into `augmented/` of the run."""
    profile: bool = False
    """Profile 30 training steps into `profile/trace.json` and `profile/summary.txt` of the run."""
    tensorboard: bool = False
    """Also write log, pictures and recipe as TensorBoard events into the run; needs the package tensorboard."""
    trackio: bool = False
    """Also track log, pictures and recipe with Trackio, on this machine; needs the package trackio."""

    @field_validator("init", mode="before")
    @classmethod
    def _path_as_text(cls, value: Any) -> Any:
        return str(expand_user(Path(value)).absolute()) if isinstance(value, PathLike) else value

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, value: Any) -> Any:
        if isinstance(value, dict) and all(value.get(key) is None for key in LENGTHS):
            return value | {"steps": DEFAULT_STEPS}
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if fault := find_second_length(key for key in LENGTHS if getattr(self, key)):
            raise ValueError(fault)
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} cannot be split into {self.accumulate} equal parts (accumulate)")
        if self.patience and not self.evaluate_every:
            raise ValueError("patience counts evaluations, so it needs evaluate_every, the steps between two of them")
        return self


def find_second_length(keys: Iterable[str]) -> str:
    """Return what is wrong with keys of which more than one says how long to train; empty where nothing is."""
    given = [key for key in keys if key in LENGTHS]
    return f"give {' or '.join(given)}, not {'both' if len(given) == 2 else 'all three'}" if len(given) > 1 else ""
