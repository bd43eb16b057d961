"""Schedules: every task once and in a possible order, as few micro-batches under way as the scheduler promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.pipeline import PipelineOptions, Task, bubble_fraction, schedule


def tasks(stages: int, micros: int, chunks: int = 1) -> dict[Task, tuple[Task, ...]]:
    """Return the tasks of a chain of stages, which goes through them ``chunks`` times, and what each needs."""
    needs: dict[Task, tuple[Task, ...]] = {}
    places = [(stage, chunk) for chunk in range(chunks) for stage in range(stages)]
    for m in range(micros):
        way = [Task(s, m, c) for s, c in places] + [Task(s, m, c, True) for s, c in reversed(places)]
        for before, task in zip([None, *way], way, strict=False):
            needs[task] = () if before is None else (before,)
    return needs


def words(order: list[Task], stage: int) -> str:
    return " ".join(f"{'FB'[t.is_backward]}{t.micro}" for t in order if t.stage == stage)


def test_1f1b_of_three_stages() -> None:
    order = schedule(tasks(3, 4), PipelineOptions(3))
    assert words(order, 0) == "F0 F1 F2 B0 F3 B1 B2 B3"
    assert words(order, 1) == "F0 F1 B0 F2 B1 F3 B2 B3"
    assert words(order, 2) == "F0 B0 F1 B1 F2 B2 F3 B3"


def test_gpipe_of_two_stages() -> None:
    order = schedule(tasks(2, 3), PipelineOptions(2, "gpipe"))
    assert words(order, 0) == words(order, 1) == "F0 F1 F2 B2 B1 B0"


def test_interleaved_forwards_go_through_chunks_in_groups_of_as_many_micro_batches_as_stages() -> None:
    order = schedule(tasks(2, 4, chunks=2), PipelineOptions(2, interleave=True))
    forwards = [(t.micro, t.chunk) for t in order if t.stage == 0 and not t.is_backward]
    assert forwards == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 0), (2, 1), (3, 1)]


SHAPES = st.tuples(st.integers(1, 5), st.integers(0, 6), st.integers(1, 3), st.sampled_from(["1f1b", "gpipe"]))


@given(SHAPES)
def test_every_task_comes_once_and_behind_what_it_needs(shape: tuple[int, int, int, str]) -> None:
    stages, more, chunks, scheduler = shape
    needs = tasks(stages, stages + more, chunks)
    order = schedule(needs, PipelineOptions(stages, scheduler, interleave=True))
    assert sorted(order) == sorted(needs)
    place = {t: i for i, t in enumerate(order)}
    assert all(place[b] < place[t] for t, before in needs.items() for b in before)


def most_under_way(order: list[Task], stage: int) -> int:
    now = most = 0
    for task in (t for t in order if t.stage == stage):
        now += -1 if task.is_backward else 1
        most = max(most, now)
    return most


@given(st.integers(1, 5), st.integers(0, 6))
def test_with_1f1b_a_stage_keeps_no_more_micro_batches_than_there_are_stages_from_it_on(stages: int, more: int) -> None:
    order = schedule(tasks(stages, stages + more), PipelineOptions(stages))
    assert all(most_under_way(order, s) <= stages - s for s in range(stages))


@given(st.integers(1, 5), st.integers(0, 6), st.sampled_from(["1f1b", "gpipe"]))
def test_the_bubble_is_what_the_formula_says(stages: int, more: int, scheduler: str) -> None:
    micros = stages + more
    needs = tasks(stages, micros)
    ends: dict[Task, int] = {}
    free = [0] * stages
    for task in schedule(needs, PipelineOptions(stages, scheduler)):
        begin = max(free[task.stage], *(ends[b] for b in needs[task]), 0)
        ends[task] = free[task.stage] = begin + task.time
    whole, busy = max(ends.values()), 3 * micros
    assert 1 - busy / whole == pytest.approx(bubble_fraction(stages, micros))


def test_forwards_alone_are_not_held_back() -> None:
    needs = {t: before for t, before in tasks(3, 4).items() if not t.is_backward}
    assert words(schedule(needs, PipelineOptions(3)), 0) == "F0 F1 F2 F3"
