"""Events survive the way to rank 0."""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from simpar.errors import RunStoreError
from simpar.layout import Layout
from simpar.recorder import (
    EVENTS,
    Checksum,
    CollectiveSpec,
    Event,
    GraphNode,
    GraphValue,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankFailed,
    RankStarted,
    RunFinished,
    RunStarted,
    Scalar,
    SliceValues,
    StepFinished,
)
from simpar.recorder.codec import decode_batch, encode_event
from tests.recorder.sample import RANKS, events

text = st.text(max_size=12)
count = st.integers(0, 2**62)
small = st.integers(0, 5)
real = st.floats(allow_nan=True)
shape = st.lists(st.integers(0, 2**40), max_size=4).map(tuple)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
names = st.lists(text, max_size=3).map(tuple)
layouts = st.sampled_from(
    [
        Layout((2, 4), (-1, 0)),
        Layout((2, 2), ((1, 0), -1)),
        Layout((4,), (-1,), rank_list=(3, 1, 0, 2)),
        Layout((2, 3), (1,), partial=(0,), combine="max"),
        Layout((), ()),
    ]
)
specs = st.builds(CollectiveSpec, small, text, shape, count, text, small, names, text)
values = st.builds(GraphValue, text, shape, text, st.none() | layouts)
nodes = st.builds(GraphNode, text, text, names, names, text, text, text, text)
times = st.integers(0, 6).flatmap(lambda rows: arrays(np.float64, (rows, 2)))
tiles = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3).flatmap(lambda s: arrays(np.float32, s))

BY_KIND: dict[type[Event], st.SearchStrategy[Any]] = {
    RunStarted: st.builds(
        RunStarted, text, text, names, real, text, count, count, st.dictionaries(text, text, max_size=3),
        st.dictionaries(text, plain, max_size=3),
    ),
    RankStarted: st.builds(RankStarted, small, text, count, real, real),
    ParameterPlaced: st.builds(ParameterPlaced, text, shape, text, layouts, layouts, text, small, names),
    ProgramCompiled: st.builds(
        ProgramCompiled, text, text, text, st.lists(specs, max_size=3).map(tuple), count,
        st.lists(values, max_size=2).map(tuple), st.lists(nodes, max_size=2).map(tuple),
    ),
    StepFinished: st.builds(StepFinished, text, st.integers(0, 2**62), real, real, st.none() | real, times),
    Scalar: st.builds(Scalar, text, count, real),
    MemoryMeasured: st.builds(MemoryMeasured, small, count, count, st.none() | count, count),
    SliceValues: st.builds(
        SliceValues, small, text, text, count, real, real, real, real, real, count, count, shape, tiles
    ),
    Checksum: st.builds(Checksum, small, text, count, text),
    RankFailed: st.builds(RankFailed, small, text, text, text),
    RunFinished: st.builds(RunFinished, real, text),
}  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Compare two events field by field; NaN equals NaN, and types count."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and one == other


def assert_same(one: Event, other: Event) -> None:
    assert type(one) is type(other)
    for f in fields(one):
        assert same(getattr(one, f.name), getattr(other, f.name)), f.name


def test_every_kind_of_event_is_tried() -> None:
    assert set(BY_KIND) == set(EVENTS)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda k: k.__name__)
@given(data=st.data())
def test_event_survives_the_way_through_bytes(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(BY_KIND[kind])
    (back,) = decode_batch(encode_event(event))
    assert_same(event, back)


def test_batch_keeps_the_order_of_its_events() -> None:
    sent = [event for rank in range(RANKS) for event in events(rank)]
    back = list(decode_batch(b"".join(map(encode_event, sent))))
    assert len(back) == len(sent)
    for one, other in zip(sent, back, strict=True):
        assert_same(one, other)


def test_step_with_ten_collectives_takes_few_bytes() -> None:
    event = StepFinished("train", 7, 1.0, 2.0, 0.5, np.zeros((10, 2)))
    assert len(encode_event(event)) <= 160 + 64  # the times and the rest


@pytest.mark.parametrize("cut", [1, 4, 7])
def test_batch_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(RunStoreError, match="a batch of"):
        list(decode_batch(encode_event(Scalar("lr", 1, 0.5))[:-cut][: 20 - cut]))


def test_bytes_of_another_version_are_refused_by_name() -> None:
    with pytest.raises(RunStoreError, match=r"kind 200 .* same version"):
        list(decode_batch(b"\xc8\x00\x00\x00\x00"))


def test_numbers_of_numpy_become_plain_numbers() -> None:
    (back,) = decode_batch(encode_event(Scalar("lr", np.int64(3), np.float32(0.5))))  # type: ignore[arg-type]
    assert back == Scalar("lr", 3, 0.5)
