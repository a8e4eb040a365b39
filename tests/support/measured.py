"""A registered model, quick measurements of it, and models that are trained for a moment."""

import json

MODEL = "dcgan-mnist"
QUICK = ["-n", "200", "--device", "cpu"]


def changed(folder, **data):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["data"] |= data
    path.write_text(json.dumps(config))
    return folder


def trained(run, recipe, out, *words):
    code, _, said = run(
        "train",
        recipe,
        *words,
        "-o",
        "train.steps=2",
        "-o",
        "train.batch=8",
        "--precision",
        "fp32",
        "--device",
        "cpu",
        "--out",
        out,
    )
    assert code == 0, said
    return out
