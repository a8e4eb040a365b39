"""Proxies, tokens and addresses of a user's environment: usable, or named in one sentence, and never told to others."""

import pytest

from ganzoo._faults import hide_passwords
from ganzoo.errors import BadInput
from ganzoo.zoo.hub.address import check_address
from repositories import one_sentence, put, same

ADVICE = r"install the package socksio (pip install socksio)"
PROXIES = {
    "socks5": ({"ALL_PROXY": "socks5://me:secret@127.0.0.1:1"}, f"ALL_PROXY asks for a SOCKS proxy: {ADVICE}"),
    "lower case": ({"https_proxy": "socks5h://127.0.0.1:1"}, f"https_proxy asks for a SOCKS proxy: {ADVICE}"),
    "socks": (
        {"ALL_PROXY": "socks://127.0.0.1:1"},
        "ALL_PROXY begins with socks://, which is not known here: write socks5://",
    ),
    "another kind": ({"ALL_PROXY": "ftp://me:secret@127.0.0.1:1"}, "no connection can be made with ALL_PROXY as it is"),
    "no address": ({"HTTP_PROXY": "http://[::1"}, "no connection can be made with HTTP_PROXY as it is"),
    "no certificates": ({"SSL_CERT_FILE": "/nothing"}, "no connection can be made with SSL_CERT_FILE as it is"),
    "nobody there": (
        {"HTTP_PROXY": "http://me:secret@127.0.0.1:9"},
        "through the proxy of HTTP_PROXY for config.json of hub:owner/dots",
    ),
    "nobody there, in lower case, for all": (
        {"all_proxy": "http://me:secret@127.0.0.1:9"},
        "through the proxy of all_proxy for config.json of hub:owner/dots",
    ),
    "a password with a /": (
        {"HTTP_PROXY": "http://me:secret/cret@127.0.0.1:9"},
        "no connection can be made with HTTP_PROXY as it is\n",
    ),
}


@pytest.fixture
def pulled(zoo, owner, model):
    """A model that was pulled, as hub:owner/dots@COMMIT."""
    source = f"hub:owner/dots@{put(owner, model)}"
    zoo("pull", source)
    return source


@pytest.mark.parametrize(("environment", "sentence"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_cannot_be_used_is_named(zoo, owner, model, environment, sentence):
    put(owner, model)
    done = zoo("pull", "hub:owner/dots", NO_PROXY="", no_proxy="", **environment)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert sentence in done.stderr
    assert "secret" not in done.stderr
    assert one_sentence(done)


@pytest.mark.parametrize("words", [["--offline"], []])
def test_a_proxy_is_nobodys_business_where_nothing_is_asked(zoo, model, pulled, words):
    done = zoo("pull", pulled, *words, ALL_PROXY="socks5://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert same(model, done.stdout.strip())


@pytest.mark.parametrize("verb", ["pull", pytest.param("publish", marks=pytest.mark.slow)])
@pytest.mark.parametrize("token", ["hf_mäßig", '"hf_owner_write"', "hf owner"])
def test_a_token_with_odd_characters_is_called_that(zoo, hub, model, verb, token):
    words = ["pull", "hub:owner/dots"] if verb == "pull" else ["publish", model, "owner/dots", "--license", "mit"]
    done = zoo(*words, HF_TOKEN=token)
    assert (done.returncode, done.stdout, hub.log) == (4, "", [])
    assert "the token for the Hub in HF_TOKEN has characters that no token has" in done.stderr
    assert token not in done.stderr
    assert one_sentence(done)


def test_a_file_that_holds_no_token_is_named(zoo, tmp_path):
    (tmp_path / "cache").mkdir()
    for content in (b"two words", b"\xff\xfe"):
        (tmp_path / "cache" / "token").write_bytes(content)
        done = zoo("pull", "hub:owner/dots", HF_TOKEN="")
        assert str(tmp_path / "cache" / "token") in done.stderr
        assert done.returncode == 4
        assert one_sentence(done)


ASKED = {
    "pull": ["pull", "hub:owner/dots"],
    "pull a pinned commit": ["pull", f"hub:owner/dots@{'0' * 40}"],
    "publish": ["publish", "MODEL", "owner/dots", "--license", "mit"],
    "with its traceback": ["pull", "hub:owner/dots", "--debug"],
}


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, id=name, marks=[pytest.mark.slow] * (name == "publish")) for name, words in ASKED.items()],
)
@pytest.mark.parametrize("fault", [None, pytest.param(503, marks=pytest.mark.slow)], ids=str)
def test_a_password_in_the_address_of_the_hub_is_never_printed(zoo, hub, model, words, fault):
    if fault:
        hub.faults.append({"kind": "status", "code": fault, "headers": {"Retry-After": "0"}, "times": 99})
    words = [model if word == "MODEL" else word for word in words]
    done = zoo(*words, HF_ENDPOINT=hub.url.replace("//", "//me:secret@"))
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert hub.url in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("words", [["pull", "hub:owner/dots"], ["publish", "MODEL", "owner/dots"]])
def test_a_variable_of_the_client_that_is_no_number_is_named(zoo, model, words):
    done = zoo(*(model if word == "MODEL" else word for word in words), HF_HUB_ETAG_TIMEOUT="soon")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: HF_HUB_ETAG_TIMEOUT cannot be read: invalid literal" in done.stderr
    assert one_sentence(done)


ADDRESSES = {
    "http://u:secret@h:80a": "'http://h:80a' has no valid host and port",
    "http://u:secret@127.0.0.1:99999": "'http://127.0.0.1:99999' has no valid host and port",
    "http://u:sec/secret@h": "'http://h' has no valid host and port",
    "http://[::1": "'http://[::1' has no valid host and port",
    "localhost:8080": "'localhost:8080' does not begin with http:// or https://",
    "u:secret@localhost:8080": "'localhost:8080' does not begin with http:// or https://",
    "ftp://h": "'ftp://h' does not begin with http:// or https://",
    " http://h": "' http://h' has a space or a line break in it",
    "http://h\n": r"'http://h\n' has a space or a line break in it",
    "http://": "'http://' names no host",
    "http://:80": "'http://:80' names no host",
    "http://h/?x": "'http://h/?x' has a ? or # in it",
    "": "'' does not begin with http:// or https://",
}


@pytest.mark.parametrize(("address", "fault"), ADDRESSES.items())
def test_an_address_of_no_hub_is_named_without_its_password(monkeypatch, address, fault):
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(BadInput) as found:
        check_address()
    advice = "write it like https://huggingface.co, or unset HF_ENDPOINT"
    assert str(found.value) == f"HF_ENDPOINT is not the address of a Hub: {fault}; {advice}"


@pytest.mark.parametrize("address", ["https://huggingface.co", "http://[::1]:80/", "HTTPS://u:p'w@hub.example:8443/x"])
def test_an_address_of_a_hub_is_taken(monkeypatch, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    check_address()


@pytest.mark.parametrize("words", [["info", "hub:owner/dots"], ["bundle", "MODEL", "out"]])
def test_an_address_of_no_hub_never_meets_the_client(zoo, model, words):
    done = zoo(*(model if word == "MODEL" else word for word in words), HF_ENDPOINT="http://u:secret@h:80a")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: HF_ENDPOINT is not the address of a Hub: 'http://h:80a'" in done.stderr
    assert one_sentence(done)


@pytest.mark.parametrize(
    "password", ["s3cr3t", "s3'cr3t", 's3"cr3t', "s3#cr3t", "s3?cr3t", "s3@cr3t", "s3:[cr3t", "%20"]
)
def test_no_character_of_a_password_shows_it(password):
    assert hide_passwords(f"to 'http://user:{password}@h:9/x' and") == "to 'http://h:9/x' and"


def test_a_user_without_a_home_gets_no_folder_that_is_called_tilde(zoo, hub, owner, model):
    put(owner, model)
    for name in ("HOME", "HF_HOME", "XDG_CACHE_HOME"):
        zoo.environment.pop(name, None)
    nobody = (
        "import os, pwd, sys\npwd.getpwuid = lambda uid: {}[uid]\nfrom ganzoo.cli.main import main\nmain(sys.argv[1:])"
    )
    begun = len(hub.log)
    done = zoo.python("-c", nobody, "pull", "hub:owner/dots")
    assert (done.returncode, done.stdout, hub.log[begun:]) == (2, "", []), done.stderr
    assert "this user has no home folder; set HOME to one, or HF_HOME to a folder for downloads" in done.stderr
    assert not list(zoo.folder.glob("~*"))
