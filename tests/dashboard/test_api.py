"""What the dashboard answers about runs; the runs are those of ``tests.dashboard.runs``."""

import io
import json
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from simpar.layout import Layout
from simpar.recorder import CollectiveSpec, GraphNode, GraphValue, ProgramCompiled
from tests.dashboard.conftest import asking
from tests.dashboard.runs import BATCH, HIDDEN, PROGRAM, STEP_S, WIDTH, write_run

Get = Callable[..., Any]

OF_RUN = ["", "/parameters", "/programs", "/plan", "/graph", "/redistributions", "/collectives", "/groups", "/buckets",
          "/matrix", "/steps", "/scalars", "/timeline", "/memory", "/checks"]  # fmt: skip

Z_BYTES = BATCH // 2 * WIDTH * 4
"""What a rank of (2, 4) holds of the result of the second product: its part of the batch."""

W_BYTES = WIDTH * HIDDEN // 4 * 4
"""What a rank of (2, 4) holds of a weight: cut over tp."""


# --- all answers ---


@pytest.mark.parametrize("run", ["eight", "one", "imagined", "killed"])
@pytest.mark.parametrize("path", OF_RUN)
def test_answer_says_its_schema_and_has_a_mark(client: TestClient, run: str, path: str) -> None:
    answer = client.get(f"/api/runs/{run}{path}")
    assert answer.status_code == 200
    assert answer.json()["schema"] == 1
    again = client.get(f"/api/runs/{run}{path}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_mark_that_compressed_and_plain_answers_share_is_a_weak_one(client: TestClient) -> None:
    plain, packed = (
        client.get("/api/runs/eight/graph", headers={"accept-encoding": coding}) for coding in ("identity", "gzip")
    )
    assert (plain.headers.get("content-encoding"), packed.headers.get("content-encoding")) == (None, "gzip")
    assert plain.headers["etag"].startswith('W/"')
    strong = packed.headers["etag"].removeprefix("W/")  # as a cache in between may send it
    assert client.get("/api/runs/eight/graph", headers={"if-none-match": strong}).status_code == 304


def test_mark_of_another_state_gets_the_whole_answer(client: TestClient) -> None:
    assert client.get("/api/runs/eight", headers={"if-none-match": '"0123"'}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/graph", "/plan", "/redistributions", "/collectives", "/groups", "/buckets", "/matrix"]
)
def test_unknown_program_is_named_with_those_there_are(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/runs/eight{path}", params={"program": "evaluate"})
    assert (answer.status_code, answer.json()["error"]) == (404, "no_program")
    assert "evaluate" in answer.json()["message"]
    assert PROGRAM in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "query"),
    [("/parameters", {"limit": 0}), ("/parameters", {"offset": -1}), ("/steps", {"limit": 10**9}),
     ("/steps", {"since": 10**30}), ("/timeline", {"bins": 10**6}), ("/timeline", {"t0": "nan"}),
     ("/timeline", {"t0": 2, "t1": 1}), ("/collectives", {"rank": -1}), ("/matrix", {"metric": "joules"}),
     ("/parameters", {"search": "x" * 5000}), ("/stream", {"since": "1.2.3"})],
)  # fmt: skip
def test_absurd_size_is_refused_with_words(client: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = client.get(f"/api/runs/eight{path}", params=query)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_request")
    assert answer.json()["message"]


# --- the run ---


def test_runs_are_listed(get: Get) -> None:
    found = {r["run"]: r["state"] for r in get("/runs")["runs"]}
    assert found == {"eight": "finished", "one": "finished", "imagined": "finished", "killed": "killed"}


def test_overview_counts_what_was_recorded(get: Get) -> None:
    run = get("/runs/eight")
    assert run["dev_mat"] == [2, 4]
    assert (run["parameters"], run["optimizer_states"]) == (4, 4)
    assert run["parameter_bytes"] == 4 * WIDTH * HIDDEN * 4
    assert [r["state"] for r in run["ranks"]] == ["finished"] * 8
    assert run["hosts"] == ["host0"]
    assert run["main_program"] == PROGRAM
    assert run["options"]["full_batch"] is True


def test_overview_compares_what_layouts_foresee_with_what_was_handed_over(get: Get) -> None:
    figures = {f["name"]: f for f in get("/runs/eight")["figures"]}
    gathered = W_BYTES // 2  # of the stored slice, to the other of two
    reduced = 2 * 2 * 3 * Z_BYTES // 4  # two all_reduces of four: each 2 (n - 1) / n
    turned = 2 * (Z_BYTES // 2)  # there and back, half of it each time
    gradients = 4 * W_BYTES  # all_reduce of two: what it holds, for four weights
    assert figures["bytes_per_step"]["predicted"] == gathered + reduced + turned + gradients
    assert figures["bytes_per_step"]["measured"] == figures["bytes_per_step"]["predicted"]
    assert figures["collectives_per_step"]["measured"] == 7
    assert 0 < figures["communication_share"]["measured"] < 1
    assert figures["peak_memory"]["rank"] == 7


def test_findings_tell_of_the_mismatch_and_lead_to_it(get: Get) -> None:
    found = next(f for f in get("/runs/eight")["findings"] if "disagree" in f["text"])
    assert found["text"].startswith("2 redistributions come from layouts that disagree")
    assert found["link"]["page"] == "redistribution"
    chains = get("/runs/eight/redistributions")["chains"]
    assert chains[int(found["link"]["select"]["chain"])]["cause"] == "mismatch"


def test_killed_run_is_the_first_finding(get: Get) -> None:
    assert "stopped without a word after 2 steps" in get("/runs/killed")["findings"][0]["text"]


# --- tensors ---


def test_parameters_come_as_layouts(get: Get) -> None:
    rows = {p["name"]: p for p in get("/runs/eight/parameters")["rows"]}
    w1, w2 = rows["blocks.0.w1"], rows["blocks.1.w2"]
    assert (w1["storage"]["dev_mat"], w1["storage"]["tensor_map"]) == ([2, 4], [1, 0])
    assert w1["compute"]["tensor_map"] == [-1, 0]
    assert w2["compute"] is None
    assert (w1["slice_shape"], w1["copies"]) == ([WIDTH // 2, HIDDEN // 4], 1)
    assert (w2["slice_shape"], w2["copies"]) == ([HIDDEN // 4, WIDTH], 2)
    assert "slices" not in w1


def test_parameters_are_searched_and_paged(get: Get) -> None:
    found = get("/runs/eight/parameters", search="W1", kind="parameter", offset=1, limit=5)
    assert (found["total"], found["offset"]) == (2, 1)
    assert [p["name"] for p in found["rows"]] == ["blocks.1.w1"]


def test_parameter_says_what_each_rank_keeps(get: Get) -> None:
    found = get("/runs/eight/parameter", name="blocks.1.w2")
    layout = Layout((2, 4), (0, -1))
    assert [s["box"] for s in found["slices"]] == [[list(e) for e in layout.box((HIDDEN, WIDTH), r)] for r in range(8)]
    assert [s["copy_number"] for s in found["slices"]] == [0] * 4 + [1] * 4
    assert found["sentence"].endswith("8 ranks keep 4 distinct slices, 2 copies of each")
    assert found["states"] == ["moments.blocks.1.w2"]


def test_slices_of_many_ranks_are_left_to_arithmetic(get: Get) -> None:
    assert get("/runs/imagined/parameter", name="blocks.0.w1")["slices"] == []


def test_unknown_parameter_is_not_found(client: TestClient) -> None:
    answer = client.get("/api/runs/eight/parameter", params={"name": "w9"})
    assert (answer.status_code, answer.json()["error"]) == (404, "no_parameter")


# --- graph ---


def test_graph_ties_nodes_values_and_edges(get: Get) -> None:
    graph = get("/runs/eight/graph")
    names = [v["name"] for v in graph["values"]]
    for edge in graph["edges"]:
        assert names[edge["value"]] in graph["nodes"][edge["target"]]["inputs"]
        if edge["source"] is not None:
            assert names[edge["value"]] in graph["nodes"][edge["source"]]["outputs"]
    assert sum(len(n["inputs"]) for n in graph["nodes"]) == len(graph["edges"])


def test_graph_says_what_nodes_are_for(get: Get) -> None:
    roles = [(n["op"], n["role"]) for n in get("/runs/eight/graph")["nodes"] if n["op"] not in ("matmul", "norm")]
    there_and_back = [("all_to_all", "redistribution")] * 2
    assert roles == [
        ("all_gather", "redistribution"), ("all_reduce", "redistribution"), *there_and_back,
        ("all_reduce", "redistribution"), ("all_reduce", "gradient"), ("all_reduce", "gradient"),
    ]  # fmt: skip


def test_graph_names_parameters_and_slices(get: Get) -> None:
    value = next(v for v in get("/runs/eight/graph")["values"] if v["parameter"] == "blocks.0.w2")
    assert value["slice_bytes"] == W_BYTES


def test_programs_are_counted(get: Get) -> None:
    (program,) = get("/runs/eight/programs")["programs"]
    assert (program["steps"], program["with_strategy"], program["redistributions"], program["gradients"]) == (
        20,
        4,
        5,
        2,
    )
    assert program["mean_step_s"] == pytest.approx(0.9 * STEP_S)


def test_redistributions_hold_layouts_step_by_step(get: Get) -> None:
    chains = get("/runs/eight/redistributions")["chains"]
    assert [c["cause"] for c in chains] == ["optimizer", "partial", "mismatch", "mismatch", "partial"] + [
        "gradient"
    ] * 4
    gathered = chains[0]
    assert gathered["parameters"] == ["blocks.0.w1"]
    assert [s["kind"] for s in gathered["steps"]] == ["all_gather"]
    assert gathered["steps"][0]["group_size"] == 2
    assert gathered["steps"][0]["device_axes"] == [1]
    assert gathered["sent_bytes"] == W_BYTES // 2
    assert gathered["steps"][0]["mean_s"] > 0


def test_steps_of_one_cause_are_one_redistribution(tmp_path: Path) -> None:
    """Rows are gathered, then columns are cut out of them: two steps, the second of which moves nothing."""
    rows, whole, columns = (Layout((4,), m) for m in ((0, -1), (-1, -1), (-1, 0)))
    values = tuple(GraphValue(n, (8, 8), "float32", at) for n, at in (("%0", rows), ("%1", whole), ("%2", columns)))
    nodes = (
        GraphNode("0", "all_gather", ("%0",), ("%1",)),
        GraphNode("1", "slice", ("%1",), ("%2",)),
        GraphNode("2", "exp", ("%2",), ("%3",)),
    )
    spec = CollectiveSpec(0, "all_gather", (0, 1, 2, 3), 64, "operand of exp: rows -> columns")
    other = ProgramCompiled("other", "", "d", (spec,), 0, values, nodes)
    write_run(tmp_path, "run", (2, 2), more=[(0, other)])
    with asking(tmp_path) as client:
        (chain,) = client.get("/api/runs/run/redistributions", params={"program": "other"}).json()["chains"]
    assert [(s["kind"], s["sent_bytes"]) for s in chain["steps"]] == [("all_gather", 3 * 64), ("slice", 0)]
    assert (chain["source"]["tensor_map"], chain["target"]["tensor_map"]) == ([0, -1], [-1, 0])
    assert (chain["producer"], chain["consumers"]) == (None, ["2"])


# --- communication ---


def test_collectives_are_those_of_one_rank(get: Get) -> None:
    found = get("/runs/eight/collectives", rank=6)
    assert [c["kind"] for c in found["collectives"]][:2] == ["all_gather", "all_reduce"]
    assert found["collectives"][0]["group"] == [2, 6]
    assert found["collectives"][0]["device_axes"] == [1]
    assert found["collectives"][1]["group"] == [4, 5, 6, 7]
    assert found["collectives"][1]["groups"] == 2
    assert found["collectives"][1]["sent_bytes"] == 2 * 3 * Z_BYTES // 4
    assert found["steps"] == 20


def test_collective_waits_until_the_last_of_its_group_has_come(get: Get) -> None:
    waits = [get("/runs/eight/collectives", rank=r)["collectives"][0]["wait_s"] for r in (0, 4)]
    assert all(w >= 0 for w in waits)
    assert any(w > 0 for w in waits)


def test_rank_that_told_nothing_is_not_found(client: TestClient) -> None:
    answer = client.get("/api/runs/imagined/collectives", params={"rank": 3})
    assert (answer.status_code, answer.json()["error"]) == (404, "no_rank")


def test_groups_stand_along_device_axes(get: Get) -> None:
    found = get("/runs/eight/groups")["groups"]
    by_axis = {tuple(g["device_axes"]): sorted(tuple(x["ranks"]) for x in found if x["device_axes"] == g["device_axes"])
               for g in found}  # fmt: skip
    assert by_axis == {(0,): [(0, 1, 2, 3), (4, 5, 6, 7)], (1,): [(0, 4), (1, 5), (2, 6), (3, 7)]}


def test_groups_of_imagined_devices_follow_from_the_layouts(get: Get) -> None:
    found = get("/runs/imagined/groups")
    assert found["total"] == 64
    assert {r for g in found["groups"] if g["device_axes"] == [0] for r in g["ranks"]} == set(range(1024))


def test_buckets_are_filled_in_the_order_of_the_plan(get: Get) -> None:
    buckets = [b for b in get("/runs/eight/buckets")["buckets"] if b["phase"] == "backward"]
    assert [[m["parameter"] for m in b["members"]] for b in buckets] == [
        ["blocks.0.w1", "blocks.1.w1"], ["blocks.0.w2", "blocks.1.w2"],
    ]  # fmt: skip
    for b in buckets:
        assert sum(m["bytes"] for m in b["members"]) == b["message_bytes"]
        assert all(m["ready"] < b["launched"] for m in b["members"])


def test_matrix_counts_rings_and_pairs(get: Get) -> None:
    found = get("/runs/eight/matrix")
    entries = {(s, r): v for s, r, v in zip(found["senders"], found["receivers"], found["values"], strict=True)}
    round_tp = 2 * 2 * 3 * Z_BYTES // 4
    round_dp = W_BYTES // 2 + 4 * W_BYTES  # the gather, and the gradients of four weights
    pairs = 2 * (Z_BYTES // 2)
    assert entries[0, 1] == round_tp
    assert entries[3, 0] == round_tp
    assert (0, 2) not in entries
    assert entries[0, 4] == round_dp + pairs
    assert found["sent"] == [round_tp + round_dp + pairs] * 8


def test_matrix_comes_as_floats_too(client: TestClient, get: Get) -> None:
    sparse = get("/runs/eight/matrix", metric="messages")
    answer = client.get("/api/runs/eight/matrix", params={"metric": "messages", "form": "float32"})
    whole = np.frombuffer(answer.content, "<f4").reshape(8, 8)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"]
    assert whole.sum(axis=1).tolist() == sparse["sent"]


def test_matrix_of_1024_ranks_is_four_megabytes(client: TestClient) -> None:
    answer = client.get("/api/runs/imagined/matrix", params={"form": "float32"})
    assert len(answer.content) == 1024 * 1024 * 4


def test_matrix_with_too_many_entries_comes_as_exact_numbers_and_sums(client: TestClient, get: Get) -> None:
    sums = get("/runs/eight/matrix", entries=False)
    whole = np.frombuffer(client.get("/api/runs/eight/matrix", params={"form": "float64"}).content, "<f8").reshape(8, 8)
    assert (sums["senders"], sums["values"], sums["size"]) == ([], [], 8)
    assert sums["received"] == whole.sum(axis=0).tolist()


# --- what was measured ---


def test_steps_go_on_where_the_last_answer_ended(get: Get) -> None:
    first = get("/runs/eight/steps", limit=15)
    rest = get("/runs/eight/steps", since=first["cursor"])
    assert (first["more"], rest["more"]) == (True, False)
    assert first["columns"]["step"] + rest["columns"]["step"] == list(range(1, 21))
    assert first["columns"]["loss"][3] == 2.5 / 2
    assert get("/runs/eight/steps", since=rest["cursor"])["columns"]["step"] == []


def test_steps_of_all_ranks_stand_on_one_time_line(get: Get) -> None:
    columns = get("/runs/eight/steps", every_rank=True)["columns"]
    first = [s for s, number in zip(columns["start_s"], columns["step"], strict=True) if number == 1]
    assert first == pytest.approx([0.5 + STEP_S] * 8)


def test_scalars_come_as_curves(get: Get) -> None:
    series = get("/runs/one/scalars")["series"]
    assert series == [{"name": "learning rate", "rank": 0, "step": [1], "value": [0.1]}]


def test_timeline_shares_add_up_to_the_time_in_steps(get: Get) -> None:
    found = get("/runs/eight/timeline", bins=200)
    width = (found["end_s"] - found["start_s"]) / 200
    assert [lane["rank"] for lane in found["lanes"]] == list(range(8))
    for lane in found["lanes"]:
        told = sum(map(sum, (lane["compute"], lane["communication"], lane["wait"]))) * width
        assert told == pytest.approx(12 * 0.9 * STEP_S, rel=1e-2)
    assert [m["step"] for m in found["steps"]] == list(range(9, 21))
    assert len(found["spans"]) == 8 * 12 * 7


def test_timeline_names_who_came_last(get: Get) -> None:
    found = get("/runs/eight/timeline")
    worst = found["late"][0]
    group = [s for s in found["spans"] if (s["step"], s["collective"]) == (worst["step"], worst["collective"])
             and s["rank"] in worst["group"]]  # fmt: skip
    assert max(group, key=lambda s: s["start_s"])["rank"] == worst["rank"]
    assert worst["cost_s"] == pytest.approx(sum(s["wait_s"] for s in group))


def test_timeline_of_chosen_ranks_and_time(get: Get) -> None:
    found = get("/runs/eight/timeline", t0=0.52, t1=0.54, ranks=[3, 1], bins=10)
    assert [lane["rank"] for lane in found["lanes"]] == [1, 3]
    assert {s["step"] for s in found["spans"]} == {1}
    assert {s["rank"] for s in found["spans"]} == {1, 3}


def test_timeline_reads_only_every_nth_step_of_many(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = get("/runs/eight/timeline", t0=0.5, t1=1.0, bins=5)["lanes"]
    monkeypatch.setattr("simpar.dashboard.timeline._MOST_ROWS", 40)
    read = get("/runs/eight/timeline", t0=0.5, t1=1.0001, bins=5)["lanes"]
    for a, b in zip(whole, read, strict=True):
        assert b["communication"] == pytest.approx(a["communication"], abs=0.1)


def test_memory_is_told_by_class(get: Get) -> None:
    rank = get("/runs/eight/memory")["ranks"][5]
    classes = {c["name"]: c["bytes"] for c in rank["classes"]}
    kept = W_BYTES // 2 + 3 * W_BYTES
    assert classes == {"parameter": kept, "optimizer state": kept, "arena": (8 << 20) + 5}
    assert rank["planned_bytes"] == sum(classes.values())
    assert rank["measured"] == [{"step": 20, "rss_bytes": (90 << 20) + (5 << 12), "pss_bytes": 60 << 20}]


def test_memory_of_imagined_devices_is_that_of_the_planned_one(get: Get) -> None:
    answer = get("/runs/imagined/memory")
    ranks = answer["ranks"]
    assert len(ranks) == 1024
    assert ranks[1023] == ranks[0] | {"rank": 1023}
    assert "planned for one rank; all others are taken to need as much" in answer["assumptions"]


# --- export ---


def test_export_as_a_chrome_trace(client: TestClient) -> None:
    answer = client.get("/api/runs/eight/export/chrome-trace")
    assert "attachment" in answer.headers["content-disposition"]
    events = json.loads(answer.text)["traceEvents"]
    assert sum(e["ph"] == "X" for e in events) == 8 * 20 * (1 + 7)


def test_export_as_csv_files(client: TestClient) -> None:
    archive = zipfile.ZipFile(io.BytesIO(client.get("/api/runs/eight/export/csv").content))
    assert "parameters.csv" in archive.namelist()
    assert len(archive.read("steps.csv").splitlines()) == 1 + 8 * 20


def test_export_as_json(client: TestClient) -> None:
    found = client.get("/api/runs/eight/export/json").json()
    assert found["schema"] == 1
    assert len(found["parameters"]["rows"]) == 8
    assert prod(found["run"]["dev_mat"]) == 8


def test_export_of_another_kind_is_refused(client: TestClient) -> None:
    assert client.get("/api/runs/eight/export/..%2frun.sqlite").status_code in (404, 422)
    assert client.get("/api/runs/eight/export/pickle").status_code == 422
