"""What the dashboard answers about the values of slices, against the tensors that they are slices of."""

import base64
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from simpar.layout import Layout
from simpar.recorder import OPTIMIZER_STATE, Checksum, ParameterPlaced
from tests.dashboard.conftest import asking
from tests.dashboard.runs import PROGRAM, told_values, write_run

Ask = Callable[..., Any]

CUT = Layout((2, 2, 2), (0, 2))  # rows over device axis 0, columns over device axis 2; two copies
W = ParameterPlaced("w", (12, 20), "float32", CUT, CUT)
MOMENT = ParameterPlaced("moments.w", W.shape, "float32", CUT, CUT, kind=OPTIMIZER_STATE)
DEEP = ParameterPlaced("deep", (4, 2, 3, 6), "float32", Layout((4, 2), (1, -1, -1, 0)), Layout((4, 2), (1, -1, -1, 0)))
SPLIT = ParameterPlaced("split", (8,), "float32", Layout((8,), (-1,)), Layout((8,), (-1,)))
BY_FIELD = Layout((4, 2), (1, -1), lengths=((10, 20, 30, 4), ()))
TABLE = ParameterPlaced("table", (64, 8), "float32", BY_FIELD, BY_FIELD)
STEPS = (0, 4, 8)


def tensor(placed: ParameterPlaced, step: int) -> NDArray[np.float32]:
    """Give the whole tensor after a step."""
    return np.random.default_rng(step).normal(step, 1 + step, size=placed.shape).astype(np.float32)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Give a function that asks about a run of eight ranks that told values, and returns the answer."""
    folder = tmp_path_factory.mktemp("values")
    told: list[Any] = [(0, p) for p in (W, MOMENT, DEEP, SPLIT)]
    for step in STEPS:
        told += [t for p in (W, MOMENT, DEEP) for t in told_values(p, tensor(p, step), step)]
    told += told_values(W, tensor(W, 99), 0, "evaluate-1")
    told += told_values(W, tensor(W, 10), 10)[:3]  # ranks 0 to 2 alone have come so far
    broken = tensor(SPLIT, 1)
    broken[1], broken[2] = np.nan, -np.inf
    told += told_values(SPLIT, tensor(SPLIT, 1), 8)[:5] + told_values(SPLIT, broken, 8)[5:]
    told += [(rank, Checksum(rank, "split", 1, "a" if rank < 5 else "b")) for rank in range(8)]
    write_run(folder, "valued", (2, 4), more=told)
    write_run(folder, "bare", (2, 4))
    fields = [(0, TABLE), *told_values(TABLE, tensor(TABLE, 4), 4)]
    write_run(folder, "fields", (2, 4), more=fields)
    with asking(folder) as client:
        yield lambda what, status=200, run="valued", **query: answer(client, what, status, run, query)


def answer(client: TestClient, what: str, status: int, run: str, query: dict[str, Any]) -> Any:
    found = client.get(f"/api/runs/{run}/parameter/{what}", params=query)
    assert found.status_code == status, found.text
    return found if query.get("form") == "float32" else found.json()


def cells(found: Any) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(found["values"]), "<f4").reshape(found["cells"])


def test_values_are_the_tensor_where_a_cell_is_an_element(ask: Ask) -> None:
    found = ask("values", name="w", step=4)
    np.testing.assert_array_equal(cells(found), tensor(W, 4))
    assert (found["shape"], found["cuts"], found["missing"], found["unfinite"]) == ([12, 20], [2, 2], [], 0)
    assert found["edges"] == [list(range(7)), list(range(11))]


def test_values_are_means_of_cells_that_keep_within_slices(ask: Ask) -> None:
    found = ask("values", name="w", step=4, max=30)
    rows, columns = [[*e, *(i + e[-1] for i in e[1:])] for e in found["edges"]]
    expected = [[tensor(W, 4)[a:b, c:d].mean() for c, d in pairwise(columns)] for a, b in pairwise(rows)]
    np.testing.assert_allclose(cells(found), expected, rtol=1e-5)
    assert cells(found).size <= 30
    assert {6, 10} <= {*rows, *columns}


def test_values_of_four_axes_come_whole(ask: Ask) -> None:
    np.testing.assert_array_equal(cells(ask("values", name="deep", step=8)), tensor(DEEP, 8))


def test_values_of_one_rank_are_its_slice(ask: Ask) -> None:
    found = ask("values", name="w", step=4, rank=5)
    (rows, columns) = CUT.box(W.shape, 5)
    np.testing.assert_array_equal(cells(found), tensor(W, 4)[slice(*rows), slice(*columns)])
    assert (found["shape"], found["cuts"]) == ([6, 10], [1, 1])


def test_values_come_as_floats_too(ask: Ask) -> None:
    found = ask("values", name="w", step=8, form="float32")
    assert found.headers["x-simpar-step"] == "8"
    shape = tuple(map(int, found.headers["x-simpar-cells"].split(",")))
    np.testing.assert_array_equal(np.frombuffer(found.content, "<f4").reshape(shape), tensor(W, 8))


def test_newest_step_that_every_slice_told_is_the_default(ask: Ask) -> None:
    assert ask("values", name="w")["step"] == 8
    found = ask("statistics", name="w")
    assert found["step"] == 8
    assert found["steps"][-1] == {"step": 10, "ranks": 3, "is_complete": False}
    assert found["programs"] == [PROGRAM, "evaluate-1"]


def test_a_slice_that_nobody_told_is_named_as_missing(ask: Ask) -> None:
    found = ask("values", name="w", step=10)
    assert found["missing"] == [1, 3]  # ranks 0 and 2 hold slice 0, rank 1 slice 2
    assert np.isnan(cells(found)[:, 10:]).all()
    np.testing.assert_array_equal(cells(found)[:, :10], tensor(W, 10)[:, :10])
    assert found["unfinite"] == 0


def test_values_that_are_no_numbers_are_counted_and_kept(ask: Ask) -> None:
    found = ask("values", name="split", rank=6)
    assert found["unfinite"] == 2
    assert np.isnan(cells(found)[1])
    assert cells(found)[2] == -np.inf
    row = next(r for r in ask("statistics", name="split")["rows"] if r["rank"] == 6)
    assert (row["nans"], row["infinities"], sum(row["histogram"])) == (1, 1, 6)


def test_statistics_are_those_of_each_ranks_slice(ask: Ask) -> None:
    found = ask("statistics", name="w", step=4)
    assert [r["rank"] for r in found["rows"]] == list(range(8))
    for row in found["rows"]:
        mine = tensor(W, 4)[tuple(slice(*b) for b in CUT.box(W.shape, row["rank"]))].astype(np.float64)
        assert row["slice"] == CUT.slice_index(row["rank"])
        assert row["minimum"] == mine.min()
        assert row["mean"] == pytest.approx(mine.mean())
        assert row["std"] == pytest.approx(mine.std())
        assert row["norm"] == pytest.approx(np.linalg.norm(mine))
        assert row["histogram"] == np.histogram(mine, 32)[0].tolist()
    assert (found["slice_elements"], found["parted"], found["total"]) == (60, [], 8)


def test_copies_that_part_are_told(ask: Ask) -> None:
    assert ask("statistics", name="split")["parted"] == [0]
    (told,) = ask("history", name="split")["disagreements"]
    assert told["ranks"] == [[0, 1, 2, 3, 4], [5, 6, 7]]


def test_history_has_a_curve_for_each_different_slice(ask: Ask) -> None:
    found = ask("history", name="w", first=1, limit=2)
    assert (found["total"], [s["slice"] for s in found["slices"]]) == (4, [1, 2])
    curve = found["slices"][0]
    assert curve["ranks"] == [4, 6]
    assert curve["step"] == [0, 4, 8]
    expected = [np.linalg.norm(tensor(W, step)[:6, 10:].astype(np.float64)) for step in STEPS]
    assert curve["norm"] == pytest.approx(expected)


def test_states_of_a_parameter_are_those_named_after_it(ask: Ask) -> None:
    found = ask("values", name="moments.w", step=8)
    np.testing.assert_array_equal(cells(found), tensor(MOMENT, 8))


def test_where_nothing_was_recorded_the_answer_says_how_to(ask: Ask) -> None:
    found = ask("statistics", run="bare", name="blocks.0.w1")
    assert (found["step"], found["steps"], found["rows"]) == (None, [], [])
    assert ask("history", run="bare", name="blocks.0.w1")["slices"][0]["step"] == []
    problem = ask("values", 404, run="bare", name="blocks.0.w1")
    assert problem["error"] == "no_values"
    assert "--values seldom" in problem["message"]


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [({"name": "w9"}, "no_parameter", "w9"), ({"name": "w", "step": 5}, "no_step", "The nearest are 0, 4, 8, 10."),
     ({"name": "w", "program": "other"}, "no_program", f"{PROGRAM}, evaluate-1 did"),
     ({"name": "w", "step": 10, "rank": 7}, "no_rank", "Ranks 0, 1, 2 did")],
)  # fmt: skip
def test_what_is_not_there_is_named_with_what_is(ask: Ask, query: dict[str, Any], error: str, words: str) -> None:
    problem = ask("values", 404, **query)
    assert problem["error"] == error
    assert words in problem["message"]


def test_too_many_cells_are_refused(ask: Ask) -> None:
    assert ask("values", 422, name="w", max=1 << 20)["error"] == "bad_request"


def test_slices_that_are_not_equally_long_are_shown_one_rank_at_a_time(ask: Ask) -> None:
    assert "not equally long" in ask("values", 409, "fields", name="table")["message"]
    found = ask("values", run="fields", name="table", rank=4)
    assert found["shape"] == [30, 8]
    np.testing.assert_array_equal(cells(found), tensor(TABLE, 4)[30:60])


def test_memory_of_unequal_slices_is_that_of_each_rank(tmp_path: Path) -> None:
    write_run(tmp_path, "even", (2, 4))
    write_run(tmp_path, "fields", (2, 4), more=[(0, TABLE)])
    with asking(tmp_path) as client:
        even, fields = (client.get(f"/api/runs/{run}/memory").json()["ranks"] for run in ("even", "fields"))
    more = [b["classes"][0]["bytes"] - a["classes"][0]["bytes"] for a, b in zip(even, fields, strict=True)]
    assert more == [320, 320, 640, 640, 960, 960, 128, 128]
