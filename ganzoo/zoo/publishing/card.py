"""The model card: README.md of a published generator, which the Hub shows."""

import shlex
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, hf_hub_url

from ganzoo._faults import call_plugin
from ganzoo._names import normalize_name, printable
from ganzoo.kind import Array, Kind
from ganzoo.kinds.files import culprit
from ganzoo.kinds.outputs import Outputs
from ganzoo.plugins.firstparty import first_party
from ganzoo.zoo.publishing.descriptions import (
    describe_inputs,
    describe_origin,
    describe_seen,
    describe_tensor,
    describe_terms,
    escape,
    facts,
    is_folder,
    lacking_inputs,
    list_commands,
)
from ganzoo.zoo.references import HUB
from ganzoo.zoo.scores import figures, format_protocol, is_figure

NO_FILES: Mapping[str, Array] = MappingProxyType({})
TASK = "unconditional-image-generation"
HUB_DATA_SETS = {
    "mnist": "ylecun/mnist",
    "mnist-10k": "ylecun/mnist",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
}
"""What the Hub calls a data set. It refuses a card whose metadata names one that it does not have."""

BODY = """
# {name}

{picture}{files}A generator of {what}, {origin}. Everything that it makes is synthetic.{inputs}

## Use

{install}

```sh
{commands}
```

```python
import ganzoo

{variable} = ganzoo.load("{reference}").sample({arguments})  # {shape}
```

## What it is

| | |
|---|---|
{facts}

{scores}

## Intended use and limits

For study, teaching and comparison of generative models. It knows nothing but its data set, and that of the model
that its training began with, if any: it has their gaps and biases, and may leave out part of them (mode collapse).
Do not pass its {samples} off as real ones.{terms}{seen}
"""

SCORES = """Scores, each under the conditions written below and in `scores.json`:

| | generated | real | ratio |
|---|---|---|---|
{rows}

{conditions}"""


def make_card(
    reference: str,
    license_id: str,
    config: Mapping[str, Any],
    scores: dict[str, Any],
    picture: bool = True,
    files: Mapping[str, Array] = NO_FILES,
    kind: Kind | None = None,
) -> str:
    """Return the text of README.md: licence, data set and scores as metadata for the Hub, then the page itself.

    `reference` is how users name the model: "hub:owner/name", or the name in a registry. `picture` says whether it has
    a `samples.png`, `files` are the samples that it has as files, by their names. `kind` is theirs,
    by default that of the data.
    """
    name, data = reference.rpartition("/")[2], printable(config["data"].get("name", "unknown"))
    known = find_data_set(config["data"])
    numbers = {printable(key): value for key, value in figures(scores).items()}
    kind = kind or kind_of(config)
    task = TASK if kind.name == "image" else None
    results = [
        EvalResult(
            task_type=task or "other",
            dataset_type=known or ("imagefolder" if is_folder(config["data"]) else data),
            dataset_name=data,
            metric_type=key,
            metric_value=value,
        )
        for key, value in numbers.items()
    ]
    about = ModelCardData(
        license=license_id,
        library_name="ganzoo",
        pipeline_tag=task,
        base_model=base_model(config),
        tags=["gan", "ganzoo", config["architecture"]["name"]],
        datasets=[known] if known else None,
        thumbnail=thumbnail(reference) if picture else None,
        model_name=name if results else None,
        eval_results=results or None,
    )
    body = BODY.format(
        inputs=describe_inputs(config),
        commands="\n".join(list_commands(reference, config)),
        arguments=", ".join(["64", *(f"{key}={key}" for key in lacking_inputs(config))]),
        name=name,
        reference=reference,
        origin=describe_origin(config),
        terms=describe_terms(config, license_id),
        seen=describe_seen(config),
        picture="![samples](samples.png)\n\n" if picture else "",
        files=f"{call_plugin(culprit(kind), kind.card, files)}\n\n" if files else "",
        install=how_to_get(config["architecture"]["distribution"]),
        samples=kind.plural,
        variable=kind.plural if kind.plural.isidentifier() else "samples",
        what=call_plugin(culprit(kind), kind.describe),
        shape=describe_tensor(kind),
        facts=table(facts(config)),
        scores=format_scores(scores),
    )
    text = str(ModelCard(f"---\n{about.to_yaml()}\n---\n{body}"))
    return text.rstrip() + "\n"


def find_data_set(data: Mapping[str, Any]) -> str | None:
    """Return what the Hub calls the data set of a config; None for folders, batches and what the Hub may not have."""
    return HUB_DATA_SETS.get(str(data.get("name"))) if data.get("opened_as", "data set") == "data set" else None


def thumbnail(reference: str) -> str | None:
    """Return the address of the picture that the Hub shows where the page is shared; None outside the Hub."""
    repository = reference.removeprefix("hub:")
    return hf_hub_url(repository, "samples.png") if repository != reference else None


def how_to_get(distribution: str) -> str:
    """Return how to install what the model needs, as Markdown. No name of ours is looked up in an index."""
    commands = ["pip install .    # in a checkout of ganzoo"]
    needs = f"It needs ganzoo, which brings the plugin `{distribution}` with its architecture:"
    if normalize_name(distribution) not in first_party():
        commands.append(f"ganzoo install {shlex.quote(distribution)}    # if you trust its authors")
        needs = f"It needs ganzoo, and the plugin `{distribution}` with its architecture:"
    return "\n".join([needs, "", "```sh", *commands, "```"])


def format_scores(scores: Mapping[str, Any]) -> str:
    """Return the page's section on scores, with those of real samples and the protocol."""
    rows = {}
    for name, value in figures(scores).items():
        of = scores[name] if isinstance(scores[name], dict) else {}
        cells = [value, *(of.get(key) for key in ("real", "ratio"))]
        rows[escape(name)] = " | ".join(f"{cell:.4g}" if is_figure(cell) else "-" for cell in cells)
    if not rows:
        return "No scores were measured."
    table = "\n".join(f"| {name} | {cells} |" for name, cells in rows.items())
    protocol = scores.get("protocol", "")
    conditions = format_protocol(protocol) if isinstance(protocol, Mapping) else str(protocol)
    return SCORES.format(rows=table, conditions=escape(conditions))


def kind_of(config: Mapping[str, Any]) -> Kind:
    """Return the kind of the data of a config."""
    return Outputs(config["data"]["kind"], config["data"], config["architecture"]["distribution"]).kind


def base_model(config: Mapping[str, Any]) -> str | None:
    """Return the repository of the model that the training began with, if it is on the Hub."""
    init = str(config.get("training", {}).get("init", ""))
    repository = init.removeprefix("hub:").partition("@")[0]
    return repository if init.startswith("hub:") and HUB.fullmatch(repository) else None


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return the rows of a Markdown table, without empty ones."""
    return "\n".join(f"| {key} | {value} |" for key, value in rows if value)
