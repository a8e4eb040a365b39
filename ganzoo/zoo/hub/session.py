"""The way to the Hub: its address, the session of its client, the user's token; refused in one sentence if unusable."""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from huggingface_hub import constants, get_session
from huggingface_hub.utils import build_hf_headers, get_token_to_send

from ganzoo._faults import hide_passwords
from ganzoo._version import __version__
from ganzoo.errors import Unavailable

if TYPE_CHECKING:
    from httpx2 import Client

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a token may consist of (RFC 6750, section 2.1)."""
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
PROXY_VARIABLES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
"""Variables that name a proxy; they are read in lower case, too."""
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def where() -> str:
    """Return the address of the Hub for messages."""
    return f"at {hide_passwords(constants.ENDPOINT)}"


def proxy_variable() -> str | None:
    """Return the variable that names the proxy on the way to the Hub, None where none is on it."""
    address = urlsplit(constants.ENDPOINT)
    if proxy_bypass(address.hostname or ""):
        return None
    names = [each for name in (f"{address.scheme}_proxy", "all_proxy") for each in (name, name.upper())]
    return next(filter(os.environ.get, names), None)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message without passwords, at most 200 characters."""
    text = (str(error) or type(error).__name__).strip().partition("\n")[0]
    return hide_passwords(text)[:200]


def one_line(error: BaseException) -> str:
    """Return an error's whole message in one line without passwords, at most 400 characters."""
    return hide_passwords(" ".join(str(error).split()))[:400]


def open_session() -> "Client":
    """Return the session of the Hub's client, which the whole process shares. It is used as it is, never changed.

    Raises `Unavailable` where the user's token or the variables of the environment, such as a proxy, rule that out.
    """
    check_token()
    try:
        return get_session()
    # The client's HTTP library raises errors of many kinds here, of its own and of Python's.
    except Exception as error:
        raise Unavailable(explain_session(error)) from error


def make_headers() -> dict[str, str]:
    """Return the headers of a request, the user's token among them."""
    return build_hf_headers(library_name="ganzoo", library_version=__version__)


def check_token() -> None:
    """Raise `Unavailable` for a token that cannot be one."""
    again = "log in again with 'hf auth login'"
    try:
        token = get_token_to_send(None)
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"the token in {constants.HF_TOKEN_PATH} cannot be read ({first_line(error)}); {again}"
        ) from error
    if token and not TOKEN.fullmatch(token):
        place = next(filter(os.environ.get, TOKEN_VARIABLES), constants.HF_TOKEN_PATH)
        odd = "has characters that no token has: spaces, quotation marks, or letters that are not ASCII"
        raise Unavailable(f"the token for the Hub in {place} {odd}; copy it again, or {again}")


def explain_session(error: Exception) -> str:
    """Say which variables of the environment keep the client from making a session, and what to do."""
    for name in find_variables(PROXY_VARIABLES, lambda value: value.lower().startswith("socks")):
        scheme, install = os.environ[name].partition("://")[0], "install the package socksio (pip install socksio)"
        if scheme.lower() in ("socks5", "socks5h"):
            return f"{name} asks for a SOCKS proxy: {install}, or unset {name}"
        return (
            f"{name} begins with {scheme}://, which is not known here: write socks5:// and {install}, or unset {name}"
        )
    # A file that cannot be read is one of certificates.
    missing = find_variables(CERTIFICATE_VARIABLES, lambda value: not Path(value).exists())
    certificates = missing or find_variables(CERTIFICATE_VARIABLES)
    found = certificates if isinstance(error, OSError) else find_variables((*PROXY_VARIABLES, "NO_PROXY"))
    culprit = " or ".join(found) or "the network's settings"
    secret = any("@" in os.environ[name] for name in found)  # the error may quote any part of it
    return f"no connection can be made with {culprit} as it is" + ("" if secret else f" ({first_line(error)})")


def find_variables(names: tuple[str, ...], fits: Callable[[str], bool] = bool) -> list[str]:
    """Return those of the variables that are set, in the case in which they are, and whose value fits."""
    both = [each for name in names for each in (name, name.lower())]
    return [name for name in both if name in os.environ and fits(os.environ[name])]


def hide_passwords_in_client_messages() -> None:
    """Have the Hub's client print its own messages, which quote URLs, without passwords; for the command line alone."""
    for handler in logging.getLogger("huggingface_hub").handlers:
        handler.addFilter(hide_in_record)


def hide_in_record(record: logging.LogRecord) -> bool:
    """Remove passwords from a message of a log."""
    record.msg, record.args = hide_passwords(record.getMessage()), None
    return True
