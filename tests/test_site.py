"""The site of `make docs`: it builds, its links lead somewhere, it needs no other host, and a browser shows it."""

import os
import re
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

import ganzoo
from browser import Browser, find_browser

pytest.importorskip("material", reason="the site is built with the extra docs")
ROOT = Path(__file__).parent.parent
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
"""Elements that have a browser fetch something, and the attribute that says what."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9", "PYTHONPATH": find_ours()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def find_ours():
    """The path on which this process finds ganzoo and its plugins."""
    return os.pathsep.join([str(Path(ganzoo.__file__).parent.parent), *filter(None, sys.path)])


class Page(HTMLParser):
    """What a page fetches, where its links lead, and which places it has."""

    def __init__(self, path):
        super().__init__()
        self.fetches, self.links, self.places = [], [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found["id"]} if found.get("id") else set()
        if LOADING.get(tag) in found and found.get("rel") != "canonical":
            self.fetches.append(found[LOADING[tag]])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def pages(built):
    return {path.relative_to(built).as_posix(): Page(path) for path in sorted(built.rglob("*.html"))}


def test_no_page_fetches_anything_from_another_host(pages, built):
    assert len(pages) > 10
    assert not {(name, what) for name, page in pages.items() for what in page.fetches if urlsplit(what).netloc}
    sheets = "".join(path.read_text() for path in built.rglob("*.css"))
    assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*", sheets)


def test_every_link_leads_to_a_page_and_a_place_on_it(pages, built):
    wrong = []
    for name, page in pages.items():
        for link in page.links if name != "404.html" else ():  # that one is served anywhere
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (built / name).parent / unquote(parts.path) if parts.path else built / name
            target = target / "index.html" if target.is_dir() else target
            place = pages.get(os.path.relpath(target, built))
            known = target.is_file() and (
                not parts.fragment or place is None or unquote(parts.fragment) in place.places
            )
            wrong += [] if known else [(name, link)]
    assert not wrong


def test_every_public_name_has_its_docstring_on_the_page(pages):
    assert {f"ganzoo{name.lower()}" for name in ganzoo.__all__} <= pages["api.html"].places | pages[
        "contract.html"
    ].places


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium here: install your system's package 'chromium'")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


SCREENS = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


@pytest.fixture(scope="module")
def served(built):
    """The address of a server on this machine that has the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(built)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
def test_a_browser_shows_every_page(width, height, scheme, served, pages, browser):
    """Nothing fails or is said on the console, no other host is asked, and no page is wider than the screen."""
    pictures = os.environ.get("GANZOO_SCREENS")
    browser.show(width, height, scheme)
    faults = []
    for name in pages:
        browser.open(f"{served}/{name}")
        faults += [(name, fault) for fault in find_faults(browser, served)]
        shown = browser.run("[document.documentElement.scrollWidth, document.body.dataset.mdColorScheme]")
        if shown[0] > width or shown[1] != {"light": "default", "dark": "slate"}[scheme]:
            faults.append((name, shown))
        if pictures:
            browser.take_picture(Path(pictures) / f"{name.replace('/', '-')[:-5]}-{width}-{scheme}.png")
    assert not faults


def find_faults(browser, allowed):
    """What went wrong on the page that is open, and requests to other addresses than those that are allowed."""
    asked = [event["request"]["url"] for event in browser.heard("Network.requestWillBeSent")]
    assert asked
    faults = [url for url in asked if not url.startswith((allowed, "data:"))]
    for kind in ("Network.loadingFailed", "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
        faults += [(kind, event) for event in browser.heard(kind)]
    return faults


@pytest.mark.browser
def test_the_pages_open_from_the_disk_too(built, browser):
    browser.open((built / "index.html").as_uri())
    assert not find_faults(browser, built.as_uri())


@pytest.mark.browser
def test_the_search_finds_a_key_of_a_recipe(served, browser):
    browser.show(1280, 900, "light")
    browser.open(f"{served}/index.html")
    browser.run("document.querySelector('label.md-search__icon, .md-search__input').focus()")
    browser.run(
        "(() => { const field = document.querySelector('.md-search__input'); field.focus();"
        " field.value = 'critic_steps'; field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true})); })()"
    )
    found = browser.run(
        "new Promise(done => { const look = () => { const first = document.querySelector('.md-search-result__link');"
        " first ? done(first.href) : setTimeout(look, 50); }; look(); setTimeout(() => done(''), 8000); })"
    )
    assert found.startswith(served)
    assert not find_faults(browser, served)
