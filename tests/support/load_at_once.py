"""Threads load models from a Hub at once, while others use its client; a line of JSON tells what came of it.

    HF_ENDPOINT=... HF_HOME=... python load_at_once.py THREADS ROUNDS SOURCE...

Each round begins with an empty cache. "hooks" are those on the client's session before and after, "same" is how many
models had the first one's samples of their source, "unchanged" whether torch's random generator, standard output and
warnings are, and "large" is the size of a file that the client itself downloads afterwards, which is beyond every limit
of ours for a config.
"""

import json
import shutil
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import torch
from huggingface_hub import constants, get_session, hf_hub_download

import ganzoo

threads, rounds, sources = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def hooks():
    return {kind: [hook.__name__ for hook in found] for kind, found in get_session().event_hooks.items()}


def forget():
    for folder in (constants.HF_HUB_CACHE, platformdirs.user_cache_path("ganzoo")):
        shutil.rmtree(folder, ignore_errors=True)


def load(number):
    together.wait()
    source = sources[number % len(sources)]
    return source, ganzoo.load(source, "cpu").sample(1)


random_state, output, showwarning = torch.get_rng_state(), sys.stdout, warnings.showwarning
together = threading.Barrier(threads)
before, session, first, same = hooks(), get_session(), {}, 0
with ThreadPoolExecutor(threads) as pool:
    for _ in range(rounds):
        forget()
        for source, samples in pool.map(load, range(threads)):
            same += first.setdefault(source, samples).equal(samples)
same_random_state = torch.get_rng_state().equal(random_state)
unchanged = [same_random_state, sys.stdout is output, warnings.showwarning is showwarning]
repository = sources[0].removeprefix("hub:")
large = Path(hf_hub_download(repository, "README.md", force_download=True)).stat().st_size
came = {"hooks": [before, hooks()], "one session": session is get_session(), "same": same, "large": large}
print(json.dumps(came | {"unchanged": unchanged}), file=sys.__stdout__)
