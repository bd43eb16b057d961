"""The rules that are functions: broadcasting, reductions, products, reshapes, and what a cut of them means."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simpar.ops  # noqa: F401 - makes the records known
from simpar.errors import RuleError, StrategyError
from simpar.graph import Example, lookup
from simpar.layout import Layout, Rule, assign_by_strategy
from simpar.ops.refinement import reshape_rule
from tests.ops.cutting import check_every_cut

Shape = tuple[int, ...]


def rule_of(name: str, *shapes: Shape, **attrs: Any) -> Rule:
    return lookup(name).bind(shapes, attrs)


def layouts(rule: Rule, strategy: Sequence[Sequence[int]], device_num: int = 8) -> tuple[Layout, ...]:
    """Return the layouts of the operands, then of the first result."""
    made = assign_by_strategy(rule, strategy, device_num)
    return (*(made.operand(rule, i) for i in range(len(rule.operands))), made.result(rule, 0))


# --- element-wise ---


def test_a_missing_or_stretched_axis_is_not_a_factor() -> None:
    assert str(rule_of("add", (6,), (4, 6))) == "_0, _1 _0 -> _1 _0"
    assert str(rule_of("mul", (4, 1), (1, 6))) == "_1 1, 1 _0 -> _1 _0"
    assert str(rule_of("select", (4, 1), (6,), ())) == "_1 1, _0,  -> _1 _0"


def test_device_axes_of_a_broadcast_follow_the_axes_of_the_result() -> None:
    small, large, result = layouts(rule_of("add", (6,), (4, 6)), ((2,), (4, 2)))
    assert result.dev_mat == (4, 2)
    assert (small.tensor_map, large.tensor_map, result.tensor_map) == ((0,), (1, 0), (1, 0))


def test_operands_cut_differently_are_refused() -> None:
    with pytest.raises(StrategyError, match="cuts axis 0 of input 1 into 4"):
        layouts(rule_of("add", (8, 4), (8, 4)), ((2, 1), (4, 1)))


def test_cutting_an_axis_of_length_one_is_refused() -> None:
    with pytest.raises(StrategyError, match="length 1 cannot be cut into 2"):
        layouts(rule_of("add", (8, 4), (1, 4)), ((2, 1), (2, 1)))


def test_shapes_that_do_not_broadcast_are_named() -> None:
    with pytest.raises(RuleError, match=r"\(4, 6\), \(5,\)"):
        rule_of("add", (4, 6), (5,))


# --- products: MindSpore's device matrix is [a_m, k, b_n] ---


@pytest.mark.parametrize(
    ("strategy", "dev_mat", "maps", "partial"),
    [
        (((2, 1), (1, 4)), (2, 4), ((1, -1), (-1, 0), (1, 0)), ()),
        (((2, 4), (4, 1)), (2, 4), ((1, 0), (0, -1), (1, -1)), (0,)),
        (((2, 2), (2, 2)), (2, 2, 2), ((2, 1), (1, 0), (2, 0)), (1,)),
    ],
)
def test_matmul_fills_the_device_matrix_as_mindspore_does(
    strategy: tuple[Shape, Shape], dev_mat: Shape, maps: tuple[Shape, ...], partial: Shape
) -> None:
    x, w, y = layouts(rule_of("matmul", (16, 8), (8, 8)), strategy)
    assert x.dev_mat == dev_mat
    assert (x.tensor_map, w.tensor_map, y.tensor_map) == maps
    assert y.partial == partial


def test_transposes_of_matmul_only_permute() -> None:
    rule = rule_of("matmul", (8, 16), (4, 8), transpose_a=True, transpose_b=True)
    assert str(rule) == "k i, j k -> i j"
    assert rule.order == ("i", "k", "j")


def test_leading_axes_of_matmul_come_first_and_broadcast() -> None:
    rule = rule_of("matmul", (2, 3, 16, 8), (8, 4))
    assert str(rule) == "_1 _0 i k, k j -> _1 _0 i j"
    assert rule.order == ("_1", "_0", "i", "k", "j")


def test_the_weight_gradient_of_a_batch_is_partial_over_all_its_rows() -> None:
    _, _, made = layouts(rule_of("matmul_tn", (4, 6, 8), (4, 6, 2)), ((2, 1, 1), (2, 1, 1)), 2)
    assert made.tensor_map == (-1, -1)
    assert made.partial == (0,)


def test_a_bias_is_cut_like_the_channels() -> None:
    _, bias, _ = layouts(rule_of("bias_add", (8, 4), (4,), axis=1), ((2, 4), (4,)))
    assert bias.tensor_map == (0,)
    with pytest.raises(StrategyError):
        layouts(rule_of("bias_add", (8, 4), (4,), axis=1), ((2, 4), (2,)))


# --- reductions ---


def test_a_cut_reduced_axis_leaves_a_partial_result_joined_by_the_same_operation() -> None:
    _, made = layouts(rule_of("reduce_max", (8, 4), axis=(1,), keep_dims=True), ((2, 4),))
    assert made.tensor_map == (1, -1)
    assert (made.partial, made.combine) == ((0,), "max")


def test_a_reduced_axis_vanishes_without_keep_dims() -> None:
    _, made = layouts(rule_of("reduce_sum", (8, 4), axis=(0,), keep_dims=False), ((2, 4),))
    assert made.tensor_map == (0,)
    assert made.partial == (1,)


def test_argmax_refuses_a_cut_of_its_axis() -> None:
    with pytest.raises(StrategyError, match="must not be cut"):
        layouts(rule_of("argmax", (8, 4), axis=1, keep_dims=False), ((1, 4),), 4)


# --- shapes ---


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ((8, 12), (8, 4, 3), "f0 (f1 f2) -> f0 f1 f2"),  # heads out of a hidden axis
        ((2, 6, 4, 5), (12, 20), "f0 f1 f2 f3 -> (f0 f1) (f2 f3)"),
        ((4, 1, 6), (4, 6), "f0 1 f1 -> f0 f1"),
        ((12,), (4, 3), "(f0 f1) -> f0 f1"),
        ((3, 4), (4, 3), "w0 w2 -> w1 w3"),  # no common divisor: nothing can be cut
    ],
)
def test_reshape_refines_both_shapes(before: Shape, after: Shape, text: str) -> None:
    assert str(reshape_rule(before, after)) == text


def test_reshape_to_another_number_of_elements_is_refused() -> None:
    with pytest.raises(RuleError, match=r"\(4, 6\) with its 24 elements cannot be reshaped to \(5, 5\) with 25"):
        reshape_rule((4, 6), (5, 5))


LENGTHS = st.lists(st.integers(1, 6), max_size=4)


@given(LENGTHS, st.randoms(use_true_random=False))
def test_every_reshape_has_a_rule_of_its_two_shapes(axes: list[int], random: Any) -> None:
    before = tuple(axes)
    after = regroup([p for n in (*axes, 1) for p in primes(n)], random.randint)
    rule = reshape_rule(before, after)
    assert tuple(rule.length(axis) for axis in rule.operands[0]) == before
    assert rule.result_shapes == (after,)
    shared = [f for axis in rule.operands[0] for f in axis if f[0] == "f"]
    assert shared == [f for axis in rule.results[0] for f in axis if f[0] == "f"], "factors keep their order"


@given(LENGTHS, st.randoms(use_true_random=False))
def test_every_cut_of_a_reshape_leaves_the_elements_in_place(axes: list[int], random: Any) -> None:
    before = tuple(axes)
    after = regroup([p for n in (*axes, 1) for p in primes(n)], random.randint)
    check_every_cut(lookup("reshape"), Example((before,), {"shape": after}), ((2,), (2, 2), (3, 2)))


def primes(n: int) -> list[int]:
    return {1: [], 2: [2], 3: [3], 4: [2, 2], 5: [5], 6: [2, 3]}[n]


def regroup(factors: list[int], randint: Callable[[int, int], int]) -> Shape:
    """Multiply neighbours at random, after a random rotation."""
    turn = randint(0, max(len(factors) - 1, 0))
    left = factors[turn:] + factors[:turn]
    made: list[int] = []
    while left:
        count = randint(1, len(left))
        made.append(prod(left[:count]))
        left = left[count:]
    return tuple(made)


def test_an_axis_taken_whole_may_be_cut_and_a_sliced_one_not() -> None:
    rule = rule_of("strided_slice", (8, 4), begin=(0, 1), end=(8, 3), strides=(1, 1))
    _, made = layouts(rule, ((8, 1),))
    assert made.tensor_map == (0, -1)
    with pytest.raises(StrategyError, match="must not be cut"):
        layouts(rule, ((2, 4),))


def test_concat_and_split_refuse_a_cut_of_their_axis() -> None:
    for rule, count in (
        (rule_of("concat", (4, 4), (4, 4), axis=0), 2),
        (rule_of("split", (4, 4), axis=0, parts=2), 1),
    ):
        with pytest.raises(StrategyError, match="must not be cut"):
            layouts(rule, ((2, 1),) * count, 2)


def test_a_tiled_axis_is_cut_through_its_multiple() -> None:
    rule = rule_of("tile", (4, 6), multiples=(2, 1))
    assert str(rule) == "a0 a1 -> (m0 a0) a1"


def test_a_new_axis_of_broadcast_to_is_free_to_be_cut() -> None:
    rule = rule_of("broadcast_to", (4, 1), shape=(2, 4, 6))
    assert str(rule) == "a1 1 -> b0 a1 b2"
    assert not rule.whole


def test_transpose_permutes_the_tensor_map() -> None:
    _, made = layouts(rule_of("transpose", (2, 8, 4), perm=(2, 0, 1)), ((1, 2, 4),))
    assert made.tensor_map == (0, -1, 1)
