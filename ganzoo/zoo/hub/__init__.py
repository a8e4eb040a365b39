"""Models on the Hugging Face Hub: asked for, downloaded into the cache of its client, and verified.

The Hub's own client is used through its public functions for what is the Hub's: names, URLs, tokens, metadata of files
and the session that a user may have configured. The bytes are received here, for four reasons: the client writes
whatever comes, without counting it; it sleeps for as long as a server asks; it makes names of files in its cache of
headers that it does not check; and all that could stop it, a hook, hangs on the session of the whole process.
Publishing is in `ganzoo.zoo.publishing`.
"""

import os

from ganzoo.errors import BadInput
from ganzoo.zoo.hub.address import check_address

check_address()

try:
    import huggingface_hub.constants  # noqa: F401
except ValueError as fault:  # it reads its variables of the environment when it is imported, some of them as numbers
    names = [name for name, value in os.environ.items() if name.startswith("HF_") and repr(value) in str(fault)]
    raise BadInput(f"{' or '.join(names) or 'a variable HF_...'} cannot be read: {fault}") from fault
