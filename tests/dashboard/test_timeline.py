"""Bins of the timeline, as numbers and as a tile, also where the collectives of no step were read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from simpar.dashboard.binning import binned


def test_steps_that_were_not_read_are_shown_like_those_that_were(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = get("/runs/eight/timeline", t0=0.5, t1=1.0, bins=250)["lanes"]
    monkeypatch.setattr("simpar.dashboard.timeline._MOST_ROWS", 40)  # of 160: every fourth step
    read = get("/runs/eight/timeline", t0=0.5, t1=1.0001, bins=250)["lanes"]
    for share in ("compute", "communication", "wait"):
        told = sum(sum(lane[share]) for lane in read)
        assert told == pytest.approx(sum(sum(lane[share]) for lane in whole), rel=0.1)


def test_the_tile_tells_the_same_shares_in_four_bytes_each(get: Callable[..., Any], client: TestClient) -> None:
    asked = {"t0": 0.5, "t1": 0.7, "bins": 40}
    lanes = get("/runs/eight/timeline", **asked)["lanes"]
    told = np.frombuffer(client.get("/api/runs/eight/timeline/tile", params=asked).content, "<f4").reshape(3, 8, 40)
    for place, name in enumerate(("compute", "communication", "wait")):
        assert told[place] == pytest.approx(np.array([lane[name] for lane in lanes]), abs=1e-4)


def test_rows_of_the_tile_are_means_over_their_ranks(get: Callable[..., Any], client: TestClient) -> None:
    asked = {"t0": 0.5, "t1": 0.7, "bins": 40}
    rows = get("/runs/eight/timeline", **asked, by="1", lanes=False)["rows"]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7]]
    each, both = (
        np.frombuffer(client.get("/api/runs/eight/timeline/tile", params=asked | {"by": by}).content, "<f4")
        for by in ("each", "1")
    )
    means = each.reshape(3, 2, 4, 40).mean(axis=2)
    assert both.reshape(3, 2, 40) == pytest.approx(means, abs=1e-6)


def test_a_row_for_a_device_axis_that_is_not_there_names_those_that_are(client: TestClient) -> None:
    answer = client.get("/api/runs/eight/timeline", params={"by": "2"})
    assert answer.status_code == 422
    assert "has no device axis 2. Give 0 to 1" in answer.json()["message"]


def test_the_timeline_says_of_which_steps_collectives_were_read(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"t0": 0.5, "t1": 1.0, "lanes": False}
    every = get("/runs/eight/timeline", **asked)
    assert (every["read_every"], every["timed_steps"], len(every["steps"])) == (1, 20, 20)
    monkeypatch.setattr("simpar.dashboard.timeline._MOST_ROWS", 40)
    some = get("/runs/eight/timeline", **asked | {"t1": 1.0001})
    assert (some["read_every"], some["timed_steps"], len(some["steps"])) == (4, 5, 20)


@given(data=st.data())
def test_bins_hold_what_intervals_cover_of_them(data: st.DataObject) -> None:
    moments = st.floats(-5, 15, allow_nan=False)
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 2), moments, moments), max_size=12))
    pairs = sorted((row, min(a, b), max(a, b)) for row, a, b in pairs)
    row, start, end = (np.array([p[i] for p in pairs], kind) for i, kind in enumerate((np.intp, float, float)))
    found = binned(start, end, row, 3, (0.0, 10.0, 5))
    for r in range(3):
        for k in range(5):
            inside = sum(max(0.0, min(e, 2.0 * k + 2) - max(s, 2.0 * k)) for at, s, e in pairs if at == r)
            assert found[r, k] == pytest.approx(inside, abs=1e-9)
