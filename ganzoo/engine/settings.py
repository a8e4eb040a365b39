"""The settings that the engine reads: how long and how to train, and each side's optimizer. No torch here."""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from ganzoo.errors import BadInput, suggest

SIDES = ("discriminator", "generator")
"""The two players of the game, in the order of their turns."""
SectionType = TypeVar("SectionType", bound=BaseModel)

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DEFAULT_STEPS = 2000


class Section(BaseModel):
    """One section of a recipe: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        """Raise `BadInput`: a recipe that is changed in place would go unchecked."""
        raise BadInput(f"'{name}' cannot be set: a recipe is frozen; make a changed copy with recipe.replace(...)")

    def __delattr__(self, name: str) -> NoReturn:
        """Raise `BadInput`, as `__setattr__` does."""
        raise BadInput(f"'{name}' cannot be deleted: a recipe is frozen; make a changed copy with recipe.replace(...)")


class SideOptimizer(Section):
    """How one side is optimized."""

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: PositiveFloat = 2e-4
    """Learning rate after warm-up."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam's two running means (adam, adamw)."""
    alpha: float = Field(0.99, ge=0, lt=1)
    """Decay rate of the running mean of squares (rmsprop)."""
    momentum: float = Field(0.0, ge=0, lt=1)
    """Momentum (rmsprop, sgd)."""
    eps: PositiveFloat = 1e-8
    """Added to the denominator (adam, adamw, rmsprop)."""
    weight_decay: NonNegativeFloat = 0.0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Course of the learning rate over the run; linear and cosine end at zero."""
    warmup: NonNegativeInt = 0
    """Training steps over which the learning rate rises from zero, before the schedule."""
    clip_norm: PositiveFloat | None = None
    """Largest norm of the side's whole gradient; none by default."""

    @model_validator(mode="after")
    def _only_what_applies(self) -> Self:
        for key, names in {
            "betas": ("adam", "adamw"),
            "alpha": ("rmsprop",),
            "momentum": ("rmsprop", "sgd"),
            "eps": ("adam", "adamw", "rmsprop"),
        }.items():
            if key in self.model_fields_set and self.name not in names:
                raise ValueError(f"'{key}' does not go with {self.name}; it goes with {' and '.join(names)}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must lie in [0, 1), got {list(self.betas)}")
        return self

    def factor(self, index: int, steps: int) -> float:
        """What the learning rate is multiplied by in training step `index` of `steps`: in [0, 1]."""
        if index < self.warmup:
            return (index + 1) / (self.warmup + 1)
        done = min(1.0, (index - self.warmup) / max(1, steps - self.warmup))
        return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[self.schedule]

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that the torch optimizer of this name takes."""
        keys = {
            "adam": ("betas", "eps"),
            "adamw": ("betas", "eps"),
            "rmsprop": ("alpha", "eps", "momentum"),
            "sgd": ("momentum",),
        }[self.name]
        return {key: getattr(self, key) for key in ("lr", "weight_decay", *keys)}

    def written_out(self) -> dict[str, Any]:
        """Every key that applies, with its value, as a recipe would say it."""
        shared = {"name": self.name, "schedule": self.schedule, "warmup": self.warmup, "clip_norm": self.clip_norm}
        return {key: value for key, value in {**shared, **self.arguments()}.items() if value is not None}


class Optimizer(SideOptimizer):
    """Both sides' optimizers; `generator` and `discriminator` hold what differs on that side."""

    generator: dict[str, Any] = Field(default_factory=dict)
    discriminator: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sides_are_valid(self) -> Self:
        for side in SIDES:
            try:
                self.side(side)
            except ValidationError as error:
                raise ValueError(describe_fault(error.errors()[0], SideOptimizer, side)) from error
        return self

    def side(self, side: str) -> SideOptimizer:
        """The complete settings of one side."""
        own = getattr(self, side)
        common = {key: getattr(self, key) for key in self.model_fields_set - set(SIDES)}
        if own.get("name", self.name) != self.name:
            applies = SideOptimizer.model_validate({"name": own["name"]}).written_out().keys() | {"clip_norm"}
            common = {key: value for key, value in common.items() if key in applies}
        return SideOptimizer.model_validate({**common, **own})

    def written_out(self) -> dict[str, Any]:
        """Every key that applies, once where both sides agree and per side where they differ."""
        sides = {side: self.side(side).written_out() for side in SIDES}
        first, second = sides.values()
        if first["name"] != second["name"]:
            return sides
        common = {key: value for key, value in first.items() if second.get(key, ...) == value}
        own = {side: {k: v for k, v in table.items() if k not in common} for side, table in sides.items()}
        return common | {side: table for side, table in own.items() if table}


class Train(Section):
    """How long and how to train."""

    steps: PositiveInt | None = None
    """Training steps, each `critic_steps` discriminator turns and one generator turn; 2,000 if nothing is said."""
    epochs: PositiveFloat | None = None
    """Instead of `steps`: how often the discriminator sees the whole data."""
    batch: int = Field(64, ge=1, le=1_000_000)
    """Real images per turn."""
    accumulate: PositiveInt = 1
    """Split each batch into this many parts, whose gradients add up: the same update in less memory."""
    critic_steps: PositiveInt = 1
    """Discriminator turns before each generator turn."""
    ema: float = Field(0.999, ge=0, lt=1)
    """Decay of the exponential moving average of the generator, which is what is sampled; 0 turns it off."""
    ema_every: int = Field(8, ge=1, le=100)
    """Steps between two updates of that average, each with the decay of all of them; in the first hundred steps one.

    What is saved in between lacks the steps since the last update.
    """
    init: str | None = None
    """Begin with this pretrained generator: a registered name, hub:owner/name[@revision], or a run or model folder."""
    seed: int = Field(0, ge=0, lt=2**31)
    precision: Precision = "auto"
    """auto takes bf16 where the hardware has it and it is faster, else fp32."""
    channels_last: bool = True
    """Lay image networks out with channels last, which is faster."""
    compile: bool = False
    """torch.compile the networks; needs a C++ compiler."""
    sync_batch_norm: bool = False
    """With several processes, on GPUs: batch norm looks at the whole batch, and not at each process's part of it."""
    log_every: PositiveInt = 100
    """Steps between two lines of metrics.jsonl."""
    sample_every: PositiveInt = 500
    """Steps between two pictures of samples."""
    save_every: PositiveInt = 1000
    """Steps between two checkpoints."""
    evaluate_every: NonNegativeInt = 0
    """Steps between two evaluations of samples by the data's metrics, which then say what is the best; 0 for none."""
    evaluate_samples: int = Field(2000, ge=2)
    """Samples in each evaluation; with fewer the ratios to real samples are closer to 1."""
    patience: NonNegativeInt = 0
    """Stop after so many evaluations in a row that are not better than the best one; 0 for never."""
    on_nonfinite: Literal["stop", "rollback"] = "stop"
    """What to do about a NaN or an infinity: stop, or go back to the last checkpoint with another seed, three times."""
    profile: bool = False
    """Trace some training steps; leaves `profile/trace.json` and `profile/summary.txt` in the run."""
    tensorboard: bool = False
    """Also write TensorBoard events; needs the extra `ganzoo[tensorboard]`."""

    @model_validator(mode="before")
    @classmethod
    def _steps_unless_epochs(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("steps") is None and value.get("epochs") is None:
            return value | {"steps": DEFAULT_STEPS}
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.steps and self.epochs:
            raise ValueError("give steps or epochs, not both")
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} cannot be split into {self.accumulate} equal parts (accumulate)")
        if self.patience and not self.evaluate_every:
            raise ValueError("patience counts evaluations, so it needs evaluate_every, the steps between two of them")
        return self


def validate(model: type[SectionType], table: Mapping[str, Any] | SectionType, where: str = "") -> SectionType:
    """Make a `model` from a `table`. Raises `BadInput` with one sentence about the first fault."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise BadInput(describe_fault(error.errors()[0], model, where)) from error


def describe_fault(fault: Mapping[str, Any], model: type[BaseModel], where: str = "") -> str:
    """One fault that pydantic found, in one sentence with the place and, for a key, the nearest ones."""
    place = ".".join(filter(None, [where, *map(str, fault["loc"])]))
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{place}'; {suggest(place.rpartition('.')[2], keys_at(model, fault['loc'][:-1]))}"
    if place == "loss" and fault["type"] in ("missing", "too_short"):
        return "the recipe has no loss; add a [[loss]] section with a name"
    if fault["type"] == "missing":
        return f"'{place}' is missing"
    text = re.sub(r"valid dictionary or instance of \w+", "table", fault["msg"].removeprefix("Value error, "))
    if fault["type"] == "value_error":
        return f"{place}: {text}" if place else text
    return f"{place}: {text[0].lower()}{text[1:]}, got {fault['input']!r}"


def keys_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys that the section at a location of the model has."""
    for word in location:
        annotation = model.model_fields[str(word)].annotation if str(word) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
