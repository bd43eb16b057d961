"""Random numbers are Philox's, addressed by the global index of an element, and of the distributions they claim."""

import tracemalloc
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar import philox
from simpar.errors import LayoutError

# Random123's known answers for philox4x32-10: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
WHOLE = ((0, 300), (0, 400))


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_words_are_the_known_answers(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    block = np.array([counter[0] | counter[1] << 32], np.uint64)
    made = philox.philox4x32(block, key[0] | key[1] << 32, counter[2] | counter[3] << 32)
    assert tuple(made[0].tolist()) == expected


def test_element_takes_the_word_of_its_row_major_index() -> None:
    blocks = philox.philox4x32(np.arange(6, dtype=np.uint64), seed=5, stream=9).reshape(-1)
    assert philox.words(5, 9, ((0, 4), (0, 6)), (4, 6)).reshape(-1).tolist() == blocks.tolist()


@st.composite
def boxes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    shape = tuple(draw(st.lists(st.integers(1, 9), max_size=4)))
    starts = [draw(st.integers(0, n)) for n in shape]
    return shape, tuple((low, draw(st.integers(low, n))) for low, n in zip(starts, shape, strict=True))


@given(boxes(), st.sampled_from([philox.words, philox.uniform, philox.normal]))
def test_box_is_cut_out_of_the_whole(
    place: tuple[tuple[int, ...], tuple[tuple[int, int], ...]], draw: Callable[..., Any]
) -> None:
    shape, box = place
    whole = draw(3, 1, tuple((0, n) for n in shape), shape)
    assert np.array_equal(draw(3, 1, box, shape), whole[tuple(slice(low, high) for low, high in box)])


@pytest.mark.parametrize("width", [1, 3, 17, 5000, 70001])
def test_values_do_not_depend_on_where_they_stand_in_the_slice(width: int) -> None:
    whole = philox.normal(1, 2, ((0, 3), (0, 70001)), (3, 70001))
    for first in {0, min(1, 70001 - width), 70001 - width}:
        part = philox.normal(1, 2, ((1, 3), (first, first + width)), (3, 70001))
        assert np.array_equal(part, whole[1:3, first : first + width])


def test_box_beyond_the_shape_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"box \(\(0, 5\),\) does not lie inside shape \(4,\)"):
        philox.words(0, 0, ((0, 5),), (4,))


def test_seeds_and_streams_give_other_words() -> None:
    numbers = (0, 1, 1 << 32)
    made = {tuple(philox.words(seed, stream, ((0, 9),), (9,)).tolist()) for seed in numbers for stream in numbers}
    assert len(made) == 9


def test_small_box_of_a_huge_tensor_needs_little_memory() -> None:
    n = 1 << 20
    tracemalloc.start()
    made = philox.normal(0, 0, ((n - 64, n), (n - 64, n)), (n, n))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.shape == (64, 64)
    assert peak < 2 << 20


def test_uniform_numbers_fill_the_unit_interval_evenly() -> None:
    made = philox.uniform(0, 0, WHOLE, (300, 400)).astype(np.float64)
    assert made.dtype == np.float64
    assert made.min() >= 0
    assert made.max() < 1
    counts, _ = np.histogram(made, bins=100, range=(0, 1))
    expected = made.size / 100  # each count is binomial: sigma about 34.5
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_largest_word_stays_below_one() -> None:
    assert philox.unit(np.array([0xFFFFFFFF], np.uint32)).astype(np.float32)[0] < 1


def test_normal_quantile_is_that_of_the_standard_library() -> None:
    tails = 10.0 ** -np.arange(1, 10)
    probability = np.concatenate([np.linspace(0.001, 0.999, 999), tails, 1 - tails[:8], [0.075, 0.925, 2**-33]])
    expected = [NormalDist().inv_cdf(float(p)) for p in probability]
    np.testing.assert_allclose(philox.normal_quantile(probability.astype(np.float64)), expected, rtol=3e-7, atol=1e-12)


def test_normal_numbers_have_the_moments_and_shares_of_their_distribution() -> None:
    made = philox.normal(0, 0, WHOLE, (300, 400)).astype(np.float64)
    n = made.size
    assert abs(made.mean()) < 5 / np.sqrt(n)
    assert abs(made.var() - 1) < 5 * np.sqrt(2 / n)
    for bound in (-2.0, -1.0, 0.0, 0.5, 3.0):
        share = NormalDist().cdf(bound)
        assert abs((made < bound).mean() - share) < 5 * np.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 1.0])
def test_keep_mask_keeps_the_share_it_is_told(keep: float) -> None:
    made = philox.keep_mask(0, 0, WHOLE, (300, 400), keep)
    assert abs(made.mean() - keep) <= 5 * np.sqrt(keep * (1 - keep) / made.size)


def test_words_fill_an_array_that_is_not_contiguous() -> None:
    out = np.zeros((6, 8), np.uint32)
    philox.fill(out[:, 2:5], 0, 0, ((0, 6), (0, 3)), (6, 3), lambda w: w)
    assert np.array_equal(out[:, 2:5], philox.words(0, 0, ((0, 6), (0, 3)), (6, 3)))
    assert not out[:, :2].any()
