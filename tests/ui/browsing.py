"""The inspector in a real browser: what tests of its pages need."""

import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from simpar.dashboard.pages import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

__all__ = [
    "FOREIGN",
    "ORDER",
    "PAGES",
    "RANKS",
    "Inspector",
    "Served",
    "browsing",
    "find_chromium",
    "why_not",
    "with_token",
]

FOREIGN = "foreign.example"
"""A name that the browser takes for this machine, as after DNS rebinding."""

RANKS = {"one": 1, "eight": 8, "many": 1024}
"""The recorded runs, and of how many ranks each is."""

_SOURCES = Path(__file__).parents[2] / "web" / "src" / "pages.ts"
_ENTRIES = re.findall(r"\{\s*id: .*?\n  \}", _SOURCES.read_text("utf-8") if _SOURCES.is_file() else "", re.DOTALL)


def _words(entry: str, name: str) -> str:
    found = re.search(rf'{name}: "([^"]*)"', entry)
    return found[1] if found else ""


PAGES = {_words(entry, "id"): _words(entry, "title") for entry in _ENTRIES if "load:" in entry}
"""The pages that are written, with their titles."""
ORDER = [_words(entry, "title") for entry in _ENTRIES if "under:" not in entry]
"""The titles in the navigation."""

_OPEN_MS = 20_000
_IS_STILL = """() => {
    const main = document.querySelector("main");
    return main?.querySelector("h1") && !main.querySelector(".loading, [aria-busy=true]");
}"""
_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"


def find_chromium() -> str | None:
    """Return the path of an installed Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def why_not() -> str:
    """Return why no page can be opened here; nothing if it can."""
    if not PAGES:
        return "the folder web/ is missing"
    if not (STATIC / "index.html").is_file():
        return "the front end is not built: run `python hatch_build.py`"
    return "" if find_chromium() else "no Chromium is installed: run `apt-get install chromium`"


@dataclass(frozen=True, slots=True)
class Served:
    """Is a dashboard that is being served.

    Args:
        address: with the token.
    """

    address: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass  # no slots: what calls its methods back leaves marks on it
class Inspector:
    """Drives one tab of a browser, and notes what goes wrong in it.

    Args:
        tab: of the browser; its context carries the token.
        origin: of the server.
    """

    tab: "Page"
    origin: str
    problems: list[str] = field(default_factory=list[str])
    """What the console, the network and the scripts complained of."""
    asked: list[str] = field(default_factory=list[str])
    """Addresses that were asked for, but for those that scripts made themselves."""

    def __post_init__(self) -> None:
        self.tab.on("console", self._hear)
        self.tab.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.tab.on("request", self._note)
        self.tab.on("response", self._judge)

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _note(self, request: "Request") -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.asked.append(request.url)

    def _judge(self, response: "Response") -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} from {response.url}")

    @property
    def foreign(self) -> list[str]:
        """Addresses of other servers that were asked for."""
        return [url for url in self.asked if not url.startswith(f"{self.origin}/")]

    def open(self, page: str, run: str, **query: str | int) -> None:
        """Open a page of a run by its address, and wait until it shows its facts."""
        words = urlencode({"run": run, **({"parameter": "w1"} if page == "tensor" else {}), **query}, quote_via=quote)
        self.tab.goto(f"{self.origin}/{page}?{words}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being loaded."""
        self.tab.wait_for_function(_IS_STILL, timeout=_OPEN_MS)
        self.tab.wait_for_load_state("load")
        self.tab.evaluate(_TWO_FRAMES)
        self.tab.wait_for_function(_IS_STILL, timeout=_OPEN_MS)

    @property
    def words(self) -> str:
        """The text that the page shows, on one line."""
        return " ".join(self.tab.inner_text("main").split())

    @property
    def title(self) -> str:
        return self.tab.inner_text("main h1")


@contextmanager
def browsing() -> Generator["Browser"]:
    """Start a Chromium that finds no other machine, and end it."""
    from playwright.sync_api import sync_playwright

    rules = f"MAP {FOREIGN} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules={rules}"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def with_token(browser: "Browser", served: Served) -> "BrowserContext":
    """Open a context of a browser that has been given the token, as a reader opens the printed address."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    tab.goto(served.address, wait_until="commit")
    tab.close()
    return context
