"""Measures say what is there, and copies that part are found."""

from pathlib import Path

import numpy as np
import pytest

from simpar.layout import Layout
from simpar.recorder import (
    Checksum,
    Disagreement,
    ParameterPlaced,
    disagreements,
    measure_checksum,
    measure_memory,
    measure_statistics,
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


def test_statistics_of_a_slice_with_infinities_count_the_finite_values() -> None:
    found = measure_statistics(0, "w", 1, np.array([1.0, np.inf, 2.0], np.float16), bins=2)
    assert (found.minimum, found.maximum, found.histogram) == (1.0, np.inf, (1, 1))
    assert np.isnan(found.std)


def test_statistics_of_nothing_are_not_numbers() -> None:
    found = measure_statistics(0, "w", 1, np.zeros((0, 4)))
    assert np.isnan(found.mean)
    assert found.histogram == ()


def test_statistics_of_bools_are_shares() -> None:
    assert measure_statistics(0, "mask", 1, np.array([True, False])).mean == 0.5


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
