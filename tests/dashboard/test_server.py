"""The server as a user starts it: one address with a token, and a clean end."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import pytest

from simpar.dashboard import serving
from simpar.dashboard.pages import page
from simpar.dashboard.problems import RequestError
from simpar.dashboard.store import RunsFolder
from simpar.errors import LaunchError
from tests.dashboard.conftest import asking
from tests.dashboard.runs import write_run

ROOT = Path(__file__).parents[2]


def test_address_that_is_printed_opens_the_inspector(tmp_path: Path) -> None:
    write_run(tmp_path, "run", (1, 1), steps=1)
    browser = build_opener(HTTPCookieProcessor())
    with serving(tmp_path) as address:
        with browser.open(address, timeout=10) as answer:
            assert answer.status == 200
            assert "token" not in answer.url
            assert answer.headers["server"] is None
        with browser.open(answer.url + "api/runs", timeout=10) as answer:
            assert b'"run":"run"' in answer.read()


def test_server_listens_on_this_machine_only(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        assert address.startswith("http://127.0.0.1:")


def test_foreign_host_reaches_nothing_over_the_wire(tmp_path: Path) -> None:
    with serving(tmp_path) as address, pytest.raises(HTTPError, match="400"):
        urlopen(Request(address, headers={"Host": "evil.example"}), timeout=10)


def test_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"port {port}.*--port"), serving(tmp_path, port=port):
            pass


def test_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"no\.such\.host\.example"), serving(tmp_path, host="no.such.host.example"):
        pass


def test_command_prints_its_address_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    path = write_run(tmp_path, "run", (1, 1), steps=1, ends=False)
    command = [sys.executable, "-m", "simpar", "dashboard", str(tmp_path), "--no-open"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        told = [server.stdout.readline() for _ in range(3)]
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", "".join(told))
        assert found, told
        from simpar.recorder import RunWriter

        writer = RunWriter(path)  # so that the run counts as running, and its stream stays open
        browser = build_opener(HTTPCookieProcessor())
        browser.open(found[0], timeout=10).close()
        stream = browser.open(found[0].partition("?")[0] + "api/runs/run/stream", timeout=10)
        begun = time.monotonic()
        server.send_signal(signal.SIGINT)
        out, errors = server.communicate(timeout=20)
        stream.close()
        writer.close()
    assert server.returncode == 0
    assert errors == ""
    assert "ended" in out
    assert time.monotonic() - begun < 15


def test_request_that_is_dropped_at_the_end_is_no_error_to_tell_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "run", (1, 1), steps=1)
    begun, ended = threading.Event(), threading.Event()
    opened = RunsFolder.opened

    def open_late(folder: RunsFolder, name: str) -> Any:
        begun.set()
        ended.wait(20)
        return opened(folder, name)

    monkeypatch.setattr(RunsFolder, "opened", open_late)
    monkeypatch.setattr("simpar.dashboard.server._GRACE_S", 0)
    with serving(tmp_path) as address:
        host, _, token = address.removeprefix("http://").partition("/?token=")
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/api/runs/run", headers={"Authorization": f"Bearer {token}"})
        assert begun.wait(20)
        threading.Timer(0.5, ended.set).start()  # the server waits for its threads, which nothing can end
    connection.close()
    assert capfd.readouterr().err == ""


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simpar", "dashboard", str(tmp_path / "none")]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "there is no folder" in run.stderr
    assert "Traceback" not in run.stderr


def test_long_answers_travel_compressed_and_numbers_as_they_are(tmp_path: Path) -> None:
    write_run(tmp_path, "run", (2, 4), steps=3)
    with asking(tmp_path) as client:
        graph = client.get("/api/runs/run/graph", headers={"accept-encoding": "gzip"})
        plain = client.get("/api/runs/run/graph", headers={"accept-encoding": "identity"})
        tile = client.get("/api/runs/run/timeline/tile", headers={"accept-encoding": "gzip"})
    assert graph.headers["content-encoding"] == "gzip"
    assert int(graph.headers["content-length"]) < len(plain.content) / 4
    assert graph.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in tile.headers


# --- the files of the front end ---


def test_page_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with asking(tmp_path, static=tmp_path / "none") as client:
        answer = client.get("/tensors")
    assert answer.status_code == 200
    assert "npm run build" in answer.text


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Give a folder with a front end."""
    for name, text in {"index.html": "<p>start", "assets/app-1f2e.js": "run()", "icon.svg": "<svg/>"}.items():
        file = tmp_path / "static" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    return tmp_path / "static"


@pytest.mark.parametrize("path", ["/", "/runs/2026-01-01/tensors", "/index.html", "/tensors/blocks.0.w1"])
def test_addresses_of_the_front_end_give_its_start_page(static: Path, path: str) -> None:
    with asking(static, static=static) as client:
        answer = client.get(path)
    assert (answer.text, answer.headers["cache-control"]) == ("<p>start", "no-cache")
    assert answer.headers["content-type"].startswith("text/html")


def test_files_of_the_front_end_are_kept_as_long_as_their_names_allow(static: Path) -> None:
    with asking(static, static=static) as client:
        script, icon = client.get("/assets/app-1f2e.js"), client.get("/icon.svg")
    assert "immutable" in script.headers["cache-control"]
    assert "javascript" in script.headers["content-type"]
    assert icon.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["../secret.txt", "assets/../../secret.txt", "assets/none.js", "none.css", "/etc/x.json"]
)
def test_files_that_were_not_built_are_not_found(static: Path, name: str) -> None:
    with pytest.raises(RequestError) as error:
        page(name, static)
    assert error.value.status == 404
