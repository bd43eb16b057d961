"""The lessons' numbers are what ranks hold: recorded again they are the same, and they obey the definitions."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simpar.collectives import run_threads
from simpar.context import current
from simpar.demo.lessons import LESSONS, RANKS, record

FILE = Path(__file__).parents[2] / "web" / "src" / "lessons" / "recorded.json"
SHIPPED: dict[str, Any] = json.loads(FILE.read_text("utf-8"))


@cache
def recorded_now() -> list[dict[str, Any]]:
    return run_threads(RANKS, lambda: record(current().world))


def frame(lesson: str, name: str) -> dict[str, Any]:
    return next(f for f in SHIPPED["frames"][lesson] if f["name"] == name)


def joined(lesson: str, name: str, tensor: str) -> np.ndarray:
    """Put together what the ranks hold; the sum of the terms if they hold terms."""
    parts = [p for held in frame(lesson, name)["ranks"] for p in held if p["name"] == tensor]
    whole = np.zeros(parts[0]["shape"])
    for part in parts:
        box = tuple(slice(*ends) for ends in part["box"])
        values = np.reshape(part["values"], whole[box].shape)
        if part["kind"] == "term":
            whole += values
        else:
            whole[box] = values
    return whole


def test_recording_again_gives_the_numbers_that_are_shipped() -> None:
    assert recorded_now()[0]["frames"] == SHIPPED["frames"]


def test_all_ranks_record_the_same() -> None:
    assert all(found["frames"] == recorded_now()[0]["frames"] for found in recorded_now())


def test_timeline_has_the_spans_that_are_shipped() -> None:
    def shape(timeline: list[list[dict[str, Any]]]) -> list[list[tuple[int, str]]]:
        return [[(s["step"], s["kind"]) for s in spans] for spans in timeline]

    assert shape(recorded_now()[0]["timeline"]) == shape(SHIPPED["timeline"])


def test_shipped_timeline_shows_rank_2_come_last_and_all_leave_together() -> None:
    moves = [[s for s in spans if s["kind"] == "all_reduce"] for spans in SHIPPED["timeline"]]
    for step in range(2):
        starts = [of[step]["start_s"] for of in moves]
        assert starts.index(max(starts)) == 2
        assert all(of[step]["end_s"] >= max(starts) for of in moves)


@pytest.mark.parametrize(("lesson", "name"), [("slices", n) for n in ("whole", "rows", "columns", "both")])
def test_slices_together_are_the_tensor(lesson: str, name: str) -> None:
    np.testing.assert_array_equal(joined(lesson, name, "w"), np.arange(1, 17).reshape(4, 4))


def test_all_but_one_of_those_who_hold_the_same_are_copies() -> None:
    kinds = [held[0]["kind"] for held in frame("copies", "axis0")["ranks"]]
    assert kinds == ["slice", "slice", "copy", "copy"]


def test_terms_add_up_to_the_product() -> None:
    product = joined("partial", "operands", "x") @ joined("partial", "operands", "w")
    np.testing.assert_array_equal(joined("partial", "terms", "y"), product)
    np.testing.assert_array_equal(joined("partial", "summed", "y"), product)


@pytest.mark.parametrize("way", ["rows", "columns", "inner", "summed", "both"])
def test_product_is_the_same_in_every_way(way: str) -> None:
    np.testing.assert_array_equal(joined("matmul", way, "y"), joined("matmul", way, "x") @ joined("matmul", way, "w"))


def test_both_ways_of_a_redistribution_end_alike_and_the_found_one_sends_half() -> None:
    def sent(way: str) -> int:
        return sum(f["sent_bytes"] for f in SHIPPED["frames"]["redistribution"] if f["name"].startswith(way))

    assert frame("redistribution", "first 2")["ranks"] == frame("redistribution", "found 2")["ranks"]
    assert (sent("first"), sent("found")) == (48, 24)


def test_a_bucket_holds_the_sums_of_its_gradients() -> None:
    alone = frame("fusion", "w2 alone")["ranks"][3]
    bucket = frame("fusion", "joined")["ranks"][3][0]
    assert bucket["values"] == [v for part in alone for v in part["values"]]


def test_the_parallel_optimizer_steps_as_one_device_does() -> None:
    moment = joined("optimizer", "gradient", "dw")
    np.testing.assert_array_equal(joined("optimizer", "updated", "m"), moment)
    expected = joined("optimizer", "stored", "w") - 0.1 * moment
    np.testing.assert_allclose(joined("optimizer", "updated", "w"), expected, atol=1e-4)


def test_every_lesson_is_shipped() -> None:
    assert list(SHIPPED["frames"]) == list(LESSONS)
