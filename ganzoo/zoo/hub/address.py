"""The address of the Hub in HF_ENDPOINT, looked at before the Hub's client is imported, which it may crash."""

import os
import re
from urllib.parse import urlsplit

from ganzoo.errors import BadInput


def check_address() -> None:
    """Raise `BadInput` where HF_ENDPOINT is set, and cannot be the address of a server."""
    address = os.environ.get("HF_ENDPOINT")
    if address is not None and (fault := find_fault(address)):
        raise BadInput(
            f"HF_ENDPOINT is not the address of a Hub: {without_user(address)!r} {fault}; "
            "write it like https://huggingface.co, or unset HF_ENDPOINT"
        )


def find_fault(address: str) -> str:
    """Say what is wrong with the address of a server, in words without its password; an empty string if nothing is."""
    if re.search(r"[\s\x00-\x1f\x7f]", address):
        return "has a space or a line break in it"
    if not address.lower().startswith(("http://", "https://")):
        return "does not begin with http:// or https://"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has no valid host and port"
    if not host:
        return "names no host"
    return "has a ? or # in it" if parts.query or parts.fragment else ""


def without_user(address: str) -> str:
    """Return an address, which need not be valid, without all that may be a user and a password."""
    return re.sub(r"(?s)^(\s*[a-zA-Z]+://)?.*@", r"\1", address)
