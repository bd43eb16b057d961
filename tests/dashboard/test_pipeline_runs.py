"""A recorded pipeline: parameters of every stage, collectives and messages of rank 0's stage, memory by stage."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from simpar.compile import describe_program
from simpar.recorder import Event, MemoryRecorder, RunStarted, RunWriter
from tests.dashboard.conftest import asking
from tests.pipeline.nets import Chain
from tests.pipeline.test_plans import plans

STARTED = RunStarted("pipeline", "pipeline.py", (), 1.8e9, "semi_auto_parallel", 4, 4, {}, {})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Give a client of an application that serves a run of 2 stages of 2 ranks, of 1 and of 2 blocks."""
    folder = tmp_path_factory.mktemp("pipelines")
    (folder / "pipeline").mkdir()
    writer = RunWriter(folder / "pipeline" / "run.sqlite")
    writer.write([(0, STARTED)])
    for plan in plans(partial(Chain, (0, 1, 1), (2, 1)), 4, 2, 3):
        recorder = MemoryRecorder()
        describe_program(recorder, "step-0", plan, 0)
        events: list[tuple[int, Event]] = [(plan.rank, event) for event in recorder.events]
        writer.write(events)
    writer.close()
    with asking(folder) as opened:
        yield opened


def get(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/runs/pipeline{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_parameters_of_every_stage_are_listed_with_their_ranks(client: TestClient) -> None:
    ranks = {row["name"]: row["storage"]["rank_list"] for row in get(client, "/parameters")["rows"]}
    assert (ranks["blocks.0.w"], ranks["blocks.1.w"], ranks["blocks.2.b"]) == (None, [2, 3], [2, 3])
    assert ranks["learning_rate"] is None


def test_memory_counts_what_a_stage_holds(client: TestClient) -> None:
    classes = [{c["name"]: c["bytes"] for c in rank["classes"]} for rank in get(client, "/memory")["ranks"]]
    block = (8 * 8 + 8) * 4
    shared = 4 + 4  # the learning rate, and the momentum
    assert [c["parameter"] for c in classes] == [block + shared] * 2 + [2 * block + shared] * 2


def test_a_send_goes_from_each_rank_to_the_one_in_its_place(client: TestClient) -> None:
    made = get(client, "/collectives")["collectives"]
    assert {(c["kind"], tuple(c["group"]), c["groups"]) for c in made if c["kind"] in ("send", "receive")} == {
        ("send", (0, 2), 2),
        ("receive", (2, 0), 2),
    }
    matrix = get(client, "/matrix")
    sent = dict(zip(zip(matrix["senders"], matrix["receivers"], strict=True), matrix["values"], strict=True))
    assert sent[0, 2] == sent[1, 3] == 3 * 4 * 8 * 4, "three activations of 4 rows"


@pytest.mark.parametrize("page", ["", "/plan", "/graph", "/groups", "/buckets", "/redistributions", "/strategy"])
def test_every_page_has_an_answer(client: TestClient, page: str) -> None:
    assert get(client, page)
