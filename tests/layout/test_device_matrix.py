"""Coordinates, groups and common refinements, against their definitions by listing all ranks."""

from itertools import combinations, permutations, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.errors import LayoutError
from simpar.layout.device_matrix import (
    axis_size,
    check_dev_mat,
    coordinates,
    group_of,
    rank_at,
    refine,
    refined_axes,
    strides,
)

MATRICES = [(), (1,), (4,), (2, 2), (2, 3), (3, 1, 2), (2, 2, 2), (2, 3, 4)]


@pytest.mark.parametrize("dev_mat", MATRICES)
def test_ranks_fill_the_matrix_row_by_row(dev_mat: tuple[int, ...]) -> None:
    places = list(product(*map(range, dev_mat)))
    assert [coordinates(dev_mat, r) for r in range(prod(dev_mat))] == places
    assert [rank_at(dev_mat, place) for place in places] == list(range(prod(dev_mat)))


@pytest.mark.parametrize("dev_mat", MATRICES)
def test_a_stride_is_how_far_neighbours_are_apart(dev_mat: tuple[int, ...]) -> None:
    for i, stride in enumerate(strides(dev_mat)):
        if dev_mat[i] > 1:
            one_further = tuple(int(j == i) for j in range(len(dev_mat)))
            assert rank_at(dev_mat, one_further) == stride


@pytest.mark.parametrize("dev_mat", MATRICES)
def test_a_device_axis_is_counted_from_the_right(dev_mat: tuple[int, ...]) -> None:
    assert [axis_size(dev_mat, a) for a in range(len(dev_mat))] == list(reversed(dev_mat))


@pytest.mark.parametrize("dev_mat", [(4,), (2, 3), (2, 1, 3), (2, 2, 2)])
def test_a_group_differs_only_along_its_device_axes(dev_mat: tuple[int, ...]) -> None:
    last = len(dev_mat) - 1
    for n in range(len(dev_mat) + 1):
        for axes in (p for c in combinations(range(len(dev_mat)), n) for p in permutations(c)):
            for rank in range(prod(dev_mat)):
                here = coordinates(dev_mat, rank)
                members = [
                    r
                    for r in range(prod(dev_mat))
                    if all(last - i in axes or coordinates(dev_mat, r)[i] == c for i, c in enumerate(here))
                ]
                in_order = sorted(members, key=lambda r: [coordinates(dev_mat, r)[last - a] for a in axes])
                assert list(group_of(dev_mat, rank, axes)) == in_order


def is_merged_from(dev_mat: tuple[int, ...], fine: tuple[int, ...]) -> bool:
    """Say whether neighbouring axes of ``fine`` can be merged to give ``dev_mat`` less its axes of size one."""
    merged, size = list[int](), 1
    left = [n for n in dev_mat if n > 1]
    for n in fine:
        size *= n
        if left and size == left[0]:
            merged.append(left.pop(0))
            size = 1
    return not left and size == 1


def factorings(n: int) -> list[tuple[int, ...]]:
    return [()] * (n == 1) + [(f, *rest) for f in range(2, n + 1) if n % f == 0 for rest in factorings(n // f)]


@pytest.mark.parametrize("size", [1, 4, 6, 8, 12, 24])
def test_the_refinement_is_the_coarsest_matrix_that_both_merge_from(size: int) -> None:
    matrices = factorings(size)
    for one, other in product(matrices, matrices):
        fitting = [m for m in matrices if is_merged_from(one, m) and is_merged_from(other, m)]
        found = refine(one, other)
        assert found == (min(fitting, key=len) if fitting else None)


def test_powers_of_two_always_have_a_refinement() -> None:
    matrices = factorings(64)
    assert None not in {refine(one, other) for one, other in product(matrices, matrices)}


def test_matrices_of_different_sizes_have_no_refinement() -> None:
    assert refine((2, 2), (8,)) is None


@given(st.lists(st.integers(1, 4), max_size=4).map(tuple))
def test_refined_axes_make_the_same_groups(dev_mat: tuple[int, ...]) -> None:
    fine = tuple(f for n in dev_mat for f in ((2, 2) if n == 4 else (n,)) if n > 1)
    for a in range(len(dev_mat)):
        for rank in range(prod(dev_mat)):
            assert group_of(fine, rank, refined_axes(dev_mat, fine, a)) == group_of(dev_mat, rank, (a,))


def test_a_million_ranks_are_not_listed() -> None:
    dev_mat = (64, 128, 128)
    assert coordinates(dev_mat, 1_048_575) == (63, 127, 127)
    assert group_of(dev_mat, 1_048_575, (2,))[:2] == (16_383, 32_767)
    assert refine(dev_mat, (1024, 1024)) == (64, 16, 8, 128)


@pytest.mark.parametrize("wrong", [(0, 2), (2, -1), (True, 2), (2.0, 2)])
def test_a_matrix_holds_whole_numbers_of_at_least_one(wrong: tuple[int, ...]) -> None:
    with pytest.raises(LayoutError, match=r"must hold whole numbers of at least 1, e\.g\. \(2, 4\)"):
        check_dev_mat(wrong)
