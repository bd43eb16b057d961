"""What arrives while a run is watched."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from simpar.dashboard.stream import Watched
from simpar.recorder import RunFinished, RunWriter, Scalar, StepFinished
from tests.dashboard.conftest import asking
from tests.dashboard.runs import PROGRAM, write_run

Event = dict[str, Any]


def events(text: str) -> Iterator[Event]:
    """Read server-sent events as a browser does."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            yield {"event": fields["event"], "id": fields["id"], "data": json.loads(fields["data"])}


def test_stream_of_a_finished_run_tells_all_and_ends(client: TestClient) -> None:
    answer = client.get("/api/runs/eight/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = list(events(answer.text))
    assert [e["event"] for e in told] == ["delta", "end"]
    assert told[0]["data"]["columns"]["step"] == list(range(1, 21))
    assert (told[0]["data"]["state"], told[0]["data"]["last_step"]) == ("finished", 20)
    assert told[1]["data"]["state"] == "finished"


def test_reader_that_comes_back_loses_nothing_and_gets_nothing_twice(client: TestClient) -> None:
    part = client.get("/api/runs/eight/steps", params={"limit": 12}).json()
    answer = client.get("/api/runs/eight/stream", headers={"last-event-id": f"{part['cursor']}.0"})
    told = list(events(answer.text))
    assert part["columns"]["step"] + told[0]["data"]["columns"]["step"] == list(range(1, 21))
    rest = client.get("/api/runs/eight/stream", headers={"last-event-id": told[-1]["id"]})
    assert [e["data"].get("columns", {}).get("step", []) for e in events(rest.text)] == [[], []]


def test_last_event_counts_more_than_the_address(client: TestClient) -> None:
    answer = client.get("/api/runs/eight/stream?since=0.0", headers={"last-event-id": "99999.99999"})
    assert next(events(answer.text))["data"]["columns"]["step"] == []


@pytest.mark.parametrize("given", ["x", "1", "1.2.3", "-1.0", "1.0; drop"])
def test_cursor_that_is_none_is_refused(client: TestClient, given: str) -> None:
    assert client.get("/api/runs/eight/stream", headers={"last-event-id": given}).status_code == 422


def test_stream_of_no_run_is_not_found(client: TestClient) -> None:
    assert client.get("/api/runs/none/stream").status_code == 404


def test_stream_follows_a_run_that_grows(tmp_path: Path) -> None:
    path = write_run(tmp_path, "run", (1, 1), steps=1, ends=False)
    watched = Watched(interval_s=0.01, heartbeat_s=0.0)  # a comment whenever nothing has come
    writer = RunWriter(path)

    def train() -> None:
        while not watched.open:
            time.sleep(0.01)
        time.sleep(0.2)
        writer.write([(0, StepFinished(PROGRAM, 2, 1.0, 1.1, 0.5, np.zeros((7, 2)))), (0, Scalar("lr", 2, 0.1))])
        time.sleep(0.1)
        writer.write([(0, RunFinished(2.0))])
        writer.close()

    with asking(tmp_path, watched=watched) as client:
        thread = threading.Thread(target=train)
        thread.start()
        text = client.get("/api/runs/run/stream").text
        thread.join()
    told = list(events(text))
    assert [step for e in told[:-1] for step in e["data"]["columns"]["step"]] == [1, 2]
    assert [e["data"]["state"] for e in told][-2:] == ["finished", "finished"]
    assert told[0]["data"]["state"] == "running"
    assert ": still here" in text
    assert watched.open == 0


def test_run_that_is_deleted_while_it_is_watched_ends_the_stream_with_words(tmp_path: Path) -> None:
    path = write_run(tmp_path, "run", (1, 1), steps=1, ends=False)
    writer = RunWriter(path)

    watched = Watched(interval_s=0.01)

    def delete() -> None:
        while not watched.open:
            time.sleep(0.01)
        path.unlink()

    with asking(tmp_path, watched=watched) as client:
        thread = threading.Thread(target=delete)
        thread.start()
        told = list(events(client.get("/api/runs/run/stream").text))
        thread.join()
    writer.close()
    assert (told[-1]["event"], told[-1]["data"]["error"]) == ("problem", "no_run")


def test_streams_end_when_the_server_does(tmp_path: Path) -> None:
    path = write_run(tmp_path, "run", (1, 1), steps=1, ends=False)
    watched = Watched(interval_s=0.01)
    writer = RunWriter(path)
    timer = threading.Timer(0.1, watched.is_ending.set)
    timer.start()
    with asking(tmp_path, watched=watched) as client:
        assert client.get("/api/runs/run/stream").status_code == 200
    writer.close()


def test_too_many_streams_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "run", (1, 1), steps=1)
    with asking(tmp_path, watched=Watched(most=0)) as client:
        answer = client.get("/api/runs/run/stream")
    assert (answer.status_code, answer.json()["error"]) == (503, "too_many_streams")
    assert answer.headers["retry-after"]
