"""Runs, written once for all tests of the dashboard, and a program that may ask about them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from simpar.dashboard import make_app
from tests.dashboard.runs import write_run

TOKEN = "an-example-of-a-token"


@contextmanager
def asking(folder: Path, **options: Any) -> Iterator[TestClient]:
    """Open a client of an application that serves a folder, with the token."""
    app = make_app(folder, TOKEN, **options)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a run of 8 ranks, one of 1 rank, one for 1024 imagined devices and one that was killed."""
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder, "eight", (2, 4))
    write_run(folder, "one", (1, 1), steps=3)
    write_run(folder, "imagined", (32, 32), blocks=1, steps=0, world=1)
    write_run(folder, "killed", (2, 2), steps=2, ends=False)
    return folder


@pytest.fixture(scope="session")
def client(runs: Path) -> Iterator[TestClient]:
    """Give a client of the application that serves ``runs``."""
    with asking(runs) as opened:
        yield opened


@pytest.fixture(scope="session")
def get(client: TestClient) -> Callable[..., Any]:
    """Give a function that asks for an address and returns the answer, which must be well."""

    def ask(path: str, **query: Any) -> Any:
        answer = client.get(f"/api{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask
