"""What every data set of a plugin promises, each as a function of the `DataCase` in which it is checked."""

import pickle
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from ganzoo._faults import call_plugin
from ganzoo.data.base import Data
from ganzoo.data.loading import load_dataset
from ganzoo.dataset import Dataset
from ganzoo.errors import BadInput
from ganzoo.plugins.registration import Registration
from ganzoo.recipe.datasets import ResolvedData, data_schema, load_data_class, resolve_data
from ganzoo.recipe.names import may_be_same
from ganzoo.recipe.recipe import Recipe
from ganzoo.testing.check import Skipped, accepting_refusal, describe_options, prefix_failures, require
from ganzoo.testing.variants import Options, values_of

Sample = Mapping[str, np.ndarray[Any, Any]]
Batch = Mapping[str, torch.Tensor]
BATCH, BATCHES = 3, 3
WORKERS = 2


class DataCase:
    """A data set with the options that its author gives, else those of the first recipe that uses it."""

    def __init__(self, thing: Registration, recipes: Sequence[Recipe], options: Options) -> None:
        self.thing = thing
        uses = [recipe.data for recipe in recipes if may_be_same(recipe.data.name, thing.full_name)]
        self.options = {**(uses[0].options() if uses else {}), **options}

    def resolve(self, options: Options | None = None) -> ResolvedData:
        """Return the class with these options. Raises `Skipped` where it takes others without a default."""
        given = {**self.options, **(options or {})}
        fields = data_schema(load_data_class(self.thing)).model_fields
        if required := [name for name, field in fields.items() if field.is_required() and name not in given]:
            name = self.thing.name
            advice = (
                f"give checks(..., options={{'{name}': {{'{required[0]}': ...}}}}) or check -o {name}.{required[0]}="
            )
            raise Skipped(f"it has options without a default ({', '.join(required)}), which no recipe gives: {advice}")
        return resolve_data(self.thing.full_name, given)

    @cached_property
    def dataset(self) -> Dataset:
        """The data set itself."""
        return self.make()

    def make(self) -> Dataset:
        """Return the data set anew. Raises `Skipped` where it refuses what recipes give, such as a path."""
        try:
            return self.resolve().make()
        except BadInput as refusal:
            raise Skipped(f"it cannot be opened here: {refusal}") from refusal

    def load(self, workers: int = 0) -> Data:
        """Return the training data that ganzoo makes of it."""
        return load_dataset(self.make(), self.thing.name, self.thing.full_name, "refuse", workers)

    @cached_property
    def variants(self) -> list[Options]:
        """The options as they are, and every other value of one that has a few, one at a time."""
        found: list[Options] = [{}]
        for name, field in data_schema(load_data_class(self.thing)).model_fields.items():
            found += [{name: value} for value in values_of(field.annotation) if value != field.default]
        return found

    def places(self) -> list[int]:
        """Return the indices of a few samples: the first two, one in the middle and the last."""
        return sorted({0, min(1, len(self.dataset) - 1), len(self.dataset) // 2, len(self.dataset) - 1})

    def sample(self, dataset: Dataset, index: int, seed: int = 0) -> Sample:
        """Return one sample; errors name it."""
        rng = np.random.default_rng(seed)
        return call_plugin(f"sample {index} of {self.thing.name}", dataset.sample, index, rng)

    @cached_property
    def is_read(self) -> bool:
        """Whether samples are read one by one."""
        return self.dataset.arrays() is None


def builds_with_every_option(case: DataCase) -> None:
    """It can be built with the options of a recipe, and with each value of an option that has a few."""
    _ = case.dataset
    for options in case.variants[1:]:
        with prefix_failures(describe_options(options)), accepting_refusal(options):
            case.resolve(options).make()


def describes_its_samples(case: DataCase) -> None:
    """Its kinds are installed, its facts are plain, and every sample says where it comes from."""
    data, count = case.load(), len(case.dataset)
    for key in case.dataset.classes:
        require(key in data.specs, f"`classes` names '{key}', which no sample has; they have {', '.join(data.specs)}")
    for index in case.places():
        said = case.dataset.source(index)
        require(isinstance(said, str) and said, f"source({index}) must be text that names the sample, got {said!r}")
    require(count == len(case.make()), "it has another length when it is built again")


def samples_are_alike(case: DataCase) -> None:
    """The first, a middle and the last sample have the keys, shapes, values and classes that it says."""
    data = case.load()
    if not case.is_read:
        return  # all samples have been checked on the way
    reference = case.sample(case.dataset, 0)
    for index in case.places():
        found = case.sample(case.dataset, index)
        require(set(found) == set(reference), f"sample {index} has {sorted(found)}, sample 0 has {sorted(reference)}")
        for key, value in found.items():
            shapes = f"{np.shape(value)}, sample 0 has {np.shape(reference[key])}"
            require(np.shape(value) == np.shape(reference[key]), f"'{key}' of sample {index} has the shape {shapes}")
    _ = data.first(min(len(case.dataset), 8), 0)


def samples_depend_on_the_rng_alone(case: DataCase) -> None:
    """The same index and the same rng give the same sample, whatever was read before."""
    if not case.is_read:
        raise Skipped("it gives all samples at once")
    first, again = case.dataset, case.make()
    advice = "draw from the rng that it is given, and keep nothing from one sample for the next"
    for index in case.places():
        one = read_after(7, partial(case.sample, first, index))
        other = read_after(8, partial(case.sample, again, index))
        for key, value in one.items():
            require(
                np.array_equal(value, other[key]),
                f"'{key}' of sample {index} is another when it is read again: {advice}",
            )


def read_after(seed: int, read: Callable[[], Sample]) -> Sample:
    """Read a sample while all global random generators have this seed."""
    state, before = random.getstate(), np.random.get_state()
    try:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        return read()
    finally:
        random.setstate(state)
        np.random.set_state(before)


def a_training_may_stop_anywhere(case: DataCase) -> None:
    """Batches that begin in the middle are those of a training that was never stopped."""
    data = case.load()
    whole = take(data.batches(BATCH, 0))
    require_same(whole[1:], take(case.load().batches(BATCH, 0, used=BATCH))[: BATCHES - 1], "after a resume")


def workers_read_the_same(case: DataCase) -> None:
    """Worker processes can read it, and read what one process reads."""
    if not case.is_read:
        raise Skipped("it gives all samples at once")
    try:
        pickle.dumps(case.make())
    except Exception as error:
        advice = "keep no open file and no function in it, but what is needed to open it again"
        raise AssertionError(f"worker processes cannot have it, as it cannot be pickled: {error}; {advice}") from error
    alone, together = case.load(), case.load(WORKERS)
    require_same(take(alone.batches(BATCH, 0)), take(together.batches(BATCH, 0)), "from worker processes")


def take(batches: Iterator[dict[str, torch.Tensor]]) -> list[dict[str, torch.Tensor]]:
    """Return the first few batches, and end those who read them."""
    found = [next(batches) for _ in range(BATCHES)]
    close = getattr(batches, "close", None)
    if close:
        close()
    return found


def require_same(
    ones: Sequence[Mapping[str, torch.Tensor]], others: Sequence[Mapping[str, torch.Tensor]], where: str
) -> None:
    """Check that batches are the same to the last bit."""
    for one, other in zip(ones, others, strict=True):
        different = [key for key, value in one.items() if not value.equal(other[key])]
        advice = "a sample must depend on its index and the rng alone"
        require(not different, f"'{different[0] if different else ''}' is another {where}: {advice}")


CHECKS: tuple[Callable[[DataCase], None], ...] = (
    builds_with_every_option,
    describes_its_samples,
    samples_are_alike,
    samples_depend_on_the_rng_alone,
    a_training_may_stop_anywhere,
    workers_read_the_same,
)
