"""What strategies cost, and how tensors get from one layout to another, without a run."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from simpar.layout import Layout, plan_redistribution

WEIGHT: dict[str, Any] = {"name": "w", "shape": [512, 1024], "dtype": "float32", "a": [-1, 0], "b": [1, 0]}


def ask(client: TestClient, path: str, question: dict[str, Any]) -> Any:
    answer = client.post(f"/api/{path}", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_plan_compares_two_strategies(client: TestClient) -> None:
    found = ask(client, "plan", {"dev_mat": [2, 4], "parameters": [WEIGHT], "states": 2})
    (row,) = found["rows"]
    whole = 512 * 1024 * 4
    assert (row["a"]["slice_shape"], row["a"]["copies"], row["a"]["slice_bytes"]) == ([512, 256], 2, whole // 4)
    assert row["a"]["gradient_bytes"] == whole // 4  # all_reduce of two: 2 (n - 1) / n of what it holds
    assert (row["b"]["slice_shape"], row["b"]["copies"], row["b"]["gradient_bytes"]) == ([256, 256], 1, 0)
    assert (found["changed"], found["move_bytes"], found["unplanned"]) == (1, 0, 0)
    assert row["steps"] == ["slice axis 0 over device axes (1), nothing sent"]
    assert found["a"]["total_bytes"] == whole // 4 * 4
    assert found["b"]["state_bytes"] == whole // 8 * 2
    assert found["assumptions"]


def test_plan_of_one_strategy_has_no_b(client: TestClient) -> None:
    found = ask(client, "plan", {"dev_mat": [2, 4], "parameters": [{"name": "w", "shape": [8], "a": [0]}]})
    assert (found["b"], found["rows"][0]["b"], found["changed"]) == (None, None, 0)


def test_plan_tells_what_cannot_be_cut_in_the_words_of_layouts(client: TestClient) -> None:
    rows = [
        {"name": "uneven", "shape": [3, 10], "a": [-1, 0]},
        {"name": "twice", "shape": [8, 8], "a": [0, 0]},
        {"name": "axes", "shape": [8], "a": [0, 1]},
        {"name": "dtype", "shape": [8], "dtype": "float7", "a": [0]},
        {"name": "good", "shape": [8], "a": [0]},
    ]
    found = ask(client, "plan", {"dev_mat": [2, 4], "parameters": rows})
    errors = {r["name"]: r["a"]["error"] for r in found["rows"]}
    assert errors["uneven"] == (
        "axis 1 of shape (3, 10) has length 10, which device axis 0 of dev_mat (2, 4) cannot cut into 4 equal slices. "
        "Pad it to 12 or map it to NOT_CUT."
    )
    assert "used 2 times" in errors["twice"]
    assert "Give one entry for each axis" in errors["axes"]
    assert "float7" in errors["dtype"]
    assert (errors["good"], found["a"]["errors"]) == (None, 4)


def test_plan_for_a_million_ranks_takes_formulas(client: TestClient) -> None:
    rows = [{**WEIGHT, "name": f"w{i}", "shape": [4096, 4096], "a": [-1, 0], "b": [0, -1]} for i in range(200)]
    found = ask(client, "plan", {"dev_mat": [1024, 1024], "parameters": rows})
    assert (found["a"]["ranks"], found["a"]["largest_group"], found["unplanned"]) == (1 << 20, 1024, 0)


def test_plan_of_unrelated_device_matrices_leaves_out_what_would_take_long(client: TestClient) -> None:
    question = {
        "dev_mat": [729, 1],
        "dev_mat_b": [27, 28],
        "parameters": [{"name": "w", "shape": [756 * 729], "a": [1], "b": [0]}],
    }
    found = ask(client, "plan", question)
    assert (found["unplanned"], found["rows"][0]["steps"], found["changed"]) == (1, None, 1)


@pytest.mark.parametrize(
    "change",
    [{"dev_mat": []}, {"dev_mat": [0]}, {"dev_mat": [1 << 40]}, {"dev_mat": [2] * 9}, {"states": 99}, {"states": True},
     {"parameters": [{**WEIGHT, "shape": [-1]}]}, {"parameters": [{**WEIGHT, "shape": [2] * 20}]}, {"extra": 1},
     {"parameters": [{**WEIGHT, "a": [[0] * 20]}]}, {"parameters": [{**WEIGHT, "name": "x" * 1000}]},
     {"parameters": [WEIGHT] * 10_001}, {"parameters": "all"}, {"dev_mat": [1.5]}],
)  # fmt: skip
def test_absurd_plan_is_refused(client: TestClient, change: dict[str, Any]) -> None:
    answer = client.post("/api/plan", json={"dev_mat": [2, 4], "parameters": [WEIGHT], **change})
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_request")
    assert answer.json()["where"]


def test_too_many_ranks_are_refused(client: TestClient) -> None:
    answer = client.post("/api/plan", json={"dev_mat": [1 << 20, 2], "parameters": []})
    assert (answer.status_code, answer.json()["error"]) == (422, "layout")
    assert "2097152 ranks" in answer.json()["message"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"dev_mat": NaN}', "\xff\xfe\x00"])
def test_body_that_is_no_question_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/api/plan", content=body.encode("latin-1"), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]


def test_deeply_nested_body_is_refused(client: TestClient) -> None:
    body = "[" * 100_000 + "]" * 100_000
    answer = client.post("/api/plan", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


def test_redistribution_comes_step_by_step(client: TestClient) -> None:
    question = {
        "shape": [8, 8],
        "source": {"dev_mat": [4], "tensor_map": [0, -1]},
        "target": {"dev_mat": [4], "tensor_map": [-1, 0]},
    }
    found = ask(client, "redistribution", question)
    (step,) = found["steps"]
    assert (step["kind"], step["group_size"], step["sent_bytes"]) == ("all_to_all", 4, 48)
    assert step["groups"] == [[0, 1, 2, 3]]
    assert found["boxes"][1] == {"rank": 1, "box": [[2, 4], [0, 8]]}
    assert step["boxes"][1] == {"rank": 1, "box": [[0, 8], [2, 4]]}
    assert {"sender": 0, "receiver": 3, "box": [[0, 2], [6, 8]]} in step["transfers"]
    assert len(step["transfers"]) == 12
    assert found["text"].startswith("all_to_all axis 0 to 1")


def test_transfers_bring_each_rank_what_it_lacks(client: TestClient) -> None:
    source, target = Layout((2, 3), (1, 0)), Layout((3, 2), (0, 1))
    question = {
        "shape": [12, 12],
        "source": {"dev_mat": source.dev_mat, "tensor_map": source.tensor_map},
        "target": {"dev_mat": target.dev_mat, "tensor_map": target.tensor_map},
    }
    found = ask(client, "redistribution", question)
    for step in found["steps"]:
        cells = {b["rank"]: _cells(b["box"]) for b in found["boxes"]}
        for t in step["transfers"]:
            assert _cells(t["box"]) <= cells[t["sender"]]
    held = {b["rank"]: _cells(b["box"]) for b in found["boxes"]}
    for t in (t for step in found["steps"] for t in step["transfers"]):
        held[t["receiver"]] |= _cells(t["box"])
    assert all(_cells([list(e) for e in target.box((12, 12), r)]) <= held[r] for r in range(6))


def _cells(box: list[list[int]]) -> set[tuple[int, int]]:
    (a, b), (c, d) = box
    return {(i, j) for i in range(a, b) for j in range(c, d)}


def test_partial_value_is_joined(client: TestClient) -> None:
    question = {
        "shape": [8, 2],
        "source": {"dev_mat": [2, 2], "tensor_map": [1, -1], "partial": [0]},
        "target": {"dev_mat": [2, 2], "tensor_map": [[1, 0], -1]},
    }
    (step,) = ask(client, "redistribution", question)["steps"]
    assert (step["kind"], step["transfers"], step["sent_bytes"]) == ("reduce_scatter", [], 16)


def test_redistribution_of_1024_ranks_comes_without_boxes(client: TestClient) -> None:
    question = {
        "shape": [4096, 4096],
        "source": {"dev_mat": [32, 32], "tensor_map": [1, 0]},
        "target": {"dev_mat": [32, 32], "tensor_map": [0, 1]},
    }
    found = ask(client, "redistribution", question)
    assert (found["boxes"], found["ranks"]) == ([], 1024)
    for step in found["steps"]:
        assert (step["boxes"], step["transfers"]) == ([], [])
        assert len(step["groups"]) <= 1
    planned = plan_redistribution(Layout((32, 32), (1, 0)), Layout((32, 32), (0, 1)), (4096, 4096), 4)
    assert found["sent_bytes"] == planned.volume_bytes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": [7, 8]}, "cannot cut"),
        ({"dtype": "float7"}, "float7"),
        ({"target": {"dev_mat": [4], "tensor_map": [0, 0]}}, "used 2 times"),
        ({"target": {"dev_mat": [4], "tensor_map": [-1, -1], "partial": [0]}}, "makes none"),
        ({"target": {"dev_mat": [1 << 20, 4], "tensor_map": [-1, -1]}}, "ranks"),
        ({"target": {"dev_mat": [625], "tensor_map": [-1, -1]}}, "no common refinement"),
    ],
)
def test_impossible_redistribution_is_told_in_the_words_of_layouts(
    client: TestClient, change: dict[str, Any], words: str
) -> None:
    question = {
        "shape": [8, 8],
        "source": {"dev_mat": [4], "tensor_map": [0, -1]},
        "target": {"dev_mat": [4], "tensor_map": [-1, 0]},
        **change,
    }
    answer = client.post("/api/redistribution", json=question)
    assert (answer.status_code, answer.json()["error"]) == (422, "layout")
    assert words in answer.json()["message"]
