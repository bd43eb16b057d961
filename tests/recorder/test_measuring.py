"""Measures say what is there, and copies that part are found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from simpar.layout import Layout
from simpar.recorder import (
    Checksum,
    Disagreement,
    ParameterPlaced,
    disagreements,
    measure_checksum,
    measure_memory,
    measure_values,
    open_run,
)
from tests.recorder import sample

REPEATED = Layout((2, 2), (0,))  # two slices, two copies of each


def test_memory_grows_by_what_is_allocated() -> None:
    before = measure_memory(0, 1, 0)
    held = np.ones(4 << 20)  # 32 MiB
    after = measure_memory(0, 2, held.nbytes)
    assert after.rss_bytes - before.rss_bytes > 16 << 20
    assert after.planned_bytes == 32 << 20


def test_checksum_differs_if_one_bit_does() -> None:
    values = np.ones(100, np.float32)
    changed = values.copy()
    changed[57] = np.nextafter(np.float32(1), np.float32(2))
    assert measure_checksum(0, "w", 1, values).digest != measure_checksum(0, "w", 1, changed).digest


VALUES = arrays(
    st.sampled_from([np.float32, np.float64, np.int32, np.bool_]), array_shapes(max_dims=4, max_side=9, min_side=1),
    elements={"allow_subnormal": False},
)  # fmt: skip


@given(VALUES, st.integers(1, 200))
def test_values_are_those_of_the_definition(values: NDArray[Any], cells: int) -> None:
    found = measure_values(0, "train", "w", 1, values, cells)
    assert (found.nans, found.infinities) == (np.isnan(values).sum(), np.isinf(values).sum())
    finite = values[np.isfinite(values)].astype(np.float64)
    assert sum(found.histogram) == finite.size
    if finite.size and np.abs(finite).max() < 1e100:
        assert (found.minimum, found.maximum) == (finite.min(), finite.max())
        scale = float(np.abs(finite).max())
        assert found.mean == pytest.approx(finite.mean(), abs=1e-12 * scale)
        assert found.std == pytest.approx(finite.std(), abs=1e-6 * scale)
        assert found.norm == pytest.approx(np.linalg.norm(finite), rel=1e-9)
    assert found.tile.ndim == values.ndim
    assert found.tile.size <= max(cells, 1)


def test_values_are_summed_over_blocks() -> None:
    values = np.arange(100_000, dtype=np.float32)
    values[70_000] = np.nan
    found = measure_values(0, "train", "w", 1, values)
    rest = np.delete(np.arange(100_000.0), 70_000)
    assert (found.minimum, found.maximum, found.nans) == (0.0, 99_999.0, 1)
    assert found.mean == pytest.approx(rest.mean())
    assert found.std == pytest.approx(rest.std())
    assert found.histogram == tuple(np.histogram(rest, 32)[0])


def test_values_of_a_constant_have_no_spread() -> None:
    found = measure_values(0, "train", "w", 1, np.full((7, 9), 0.1, np.float32))
    assert found.std == 0.0
    assert found.histogram == (63,) + (0,) * 31


def test_values_of_nothing_are_not_numbers() -> None:
    found = measure_values(0, "train", "w", 1, np.zeros((0, 4)))
    assert np.isnan(found.mean)
    assert found.histogram == ()
    assert found.tile.shape == (0, 4)


def test_an_infinity_is_counted_and_shown_where_it_is() -> None:
    found = measure_values(0, "train", "w", 1, np.array([1.0, np.inf, 2.0, 3.0], np.float16), 2)
    assert (found.minimum, found.maximum, found.mean, found.infinities) == (1.0, 3.0, 2.0, 1)
    assert found.tile.tolist() == [np.inf, 2.5]


@pytest.mark.parametrize(
    ("flags", "expected"), [((), (Disagreement("w", 2, ((0,), (2,))),)), (("layerwise_parallel",), ())]
)
def test_copies_that_part_are_found_at_the_first_step(
    tmp_path: Path, flags: tuple[str, ...], expected: tuple[Disagreement, ...]
) -> None:
    told = {(0, 1): "a", (2, 1): "a", (1, 1): "b", (3, 1): "b", (0, 2): "c", (2, 2): "d", (0, 3): "e", (2, 3): "f"}
    with sample.writing(tmp_path / "run.sqlite") as writer:
        writer.write([(0, ParameterPlaced("w", (4,), "float32", REPEATED, REPEATED, flags=flags))])
        writer.write((rank, Checksum(rank, "w", step, digest)) for (rank, step), digest in told.items())
    with open_run(tmp_path) as run:
        assert disagreements(run) == expected


def test_disagreement_is_a_sentence() -> None:
    text = str(Disagreement("w", 2, ((0, 1), (2,))))
    assert text == "w: from step 2 on, ranks {0, 1} and {2} hold different copies of one slice"
