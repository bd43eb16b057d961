"""A browser, a server with recorded runs, and pages that tell of every error and of every request they make."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
uvicorn = pytest.importorskip("uvicorn")

from simpar.dashboard import make_app  # noqa: E402
from simpar.layout import Layout  # noqa: E402
from simpar.recorder import ParameterPlaced  # noqa: E402
from tests.dashboard.runs import write_run  # noqa: E402

TOKEN = "an-example-of-a-token"
STATIC = Path(__file__).parents[2] / "simpar" / "dashboard" / "static"
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Give the system's Chromium; no browser is downloaded."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the front end is not built: python hatch_build.py")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a run of 8 ranks, one of 1, one planned for 1024, and one with odd tensors."""
    runs = tmp_path_factory.mktemp("ui-runs")
    write_run(runs, "eight", (2, 4))
    write_run(runs, "one", (1, 1), steps=3)
    write_run(runs, "imagined", (32, 32), blocks=1, steps=0, world=1)
    odd = [
        ((8, 64, 128), Layout((2, 2, 4), (2, 0, -1)), "experts"),
        ((), Layout((2, 2, 4), ()), "scalar"),
        ((16,), Layout((2, 2, 4), (-1,)), HOSTILE),
        ((16, 16), Layout((2, 2, 4), (0, 1)), "a.very.long.name." * 12 + "weight"),
    ]
    placed = [(0, ParameterPlaced(name, shape, "float32", layout, layout)) for shape, layout, name in odd]
    write_run(runs, "odd", (4, 4), steps=2, more=placed)
    return runs


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Give a function that serves a folder on a free port of the loopback address and returns the address."""
    running: list[tuple[Any, threading.Thread]] = []

    def start(folder: Path) -> str:
        config = uvicorn.Config(make_app(folder, TOKEN), port=0, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive(), "the server did not start"
        running.append((server, thread))
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(5)


@pytest.fixture(scope="session")
def address(serve: Callable[[Path], str], folder: Path) -> str:
    """Give the address of a server of the recorded runs."""
    return serve(folder)


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Give a function that opens a page of the inspector; afterwards no error and no foreign request may have been."""
    contexts: list[Any] = []
    errors: list[str] = []
    foreign: list[str] = []

    def start(path: str, server: str = address, **options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        name, value = cookie(server)
        context.add_cookies([{"name": name, "value": value, "url": server}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith((server, "blob:", "data:")) else foreign.append(r.url))
        page.goto(f"{server}/{path}")
        settle(page)
        return page

    yield start
    for context in contexts:
        context.close()
    assert errors == []
    assert foreign == []


def settle(page: Any) -> None:
    """Wait until the page shows what it was opened for."""
    shown = "Boolean(document.querySelector('main .card, main section')) && !document.querySelector('.loading')"
    for _ in range(200):
        if page.evaluate(shown):  # wait_for_function would need eval, which the content security policy forbids
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{page.url} is not shown within 10 s")


def cookie(server: str) -> tuple[str, str]:
    """Return the cookie that carries the token."""
    import http.client

    host = server.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", f"/?token={TOKEN}")
    given = connection.getresponse().headers["set-cookie"]
    connection.close()
    name, _, value = given.split(";")[0].partition("=")
    return name, value
