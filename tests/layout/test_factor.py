"""Rules and strategies: what they say, proven by computing with slices, and the wording of mistakes."""

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np
import pytest

from simpar.errors import RuleError, StrategyError
from simpar.layout import Layout, Rule, assign_by_strategy, follow, parse_rule
from tests.layout.simulated import assert_holds, slices_of, whole_tensor

Strategy = tuple[tuple[int, ...], ...]


def legal_strategies(rule: Rule, device_num: int) -> Iterator[Strategy]:
    """Give every strategy that cuts equal factors alike, in numbers that divide the devices."""
    divisors = [n for n in range(1, device_num + 1) if device_num % n == 0]
    for cuts in product(divisors, repeat=len(rule.order)):
        of = dict(zip(rule.order, cuts, strict=True))
        if device_num % prod(cuts) == 0 and all(rule.sizes[f] % n == 0 for f, n in of.items()):
            yield tuple(tuple(prod(of[f] for f in axis) for axis in axes) for axes in rule.operands)


@pytest.mark.parametrize(
    ("text", "einsum", "shapes"),
    [
        ("i k, k j -> i j", "ik,kj->ij", ((8, 4), (4, 8))),
        ("b i k, b k j -> b i j", "bik,bkj->bij", ((2, 4, 4), (2, 4, 2))),
        ("i j -> i", "ij->i", ((8, 8),)),
        ("i j, j -> j i", "ij,j->ji", ((4, 8), (8,))),
        ("i, j -> i j", "i,j->ij", ((8,), (4,))),
    ],
)
@pytest.mark.parametrize("device_num", [4, 8])
def test_slices_computed_by_any_strategy_make_the_whole_result(
    text: str, einsum: str, shapes: tuple[tuple[int, ...], ...], device_num: int
) -> None:
    rule, operands = parse_rule(text, shapes), [whole_tensor(shape) for shape in shapes]
    whole = np.asarray(np.einsum(einsum, *operands))
    tried = 0
    for strategy in legal_strategies(rule, device_num):
        assignment = assign_by_strategy(rule, strategy, device_num)
        layouts = [assignment.operand(rule, i) for i in range(len(shapes))]
        slices = {
            r: np.asarray(
                np.einsum(einsum, *(x[slices_of(y.box(x.shape, r))] for x, y in zip(operands, layouts, strict=True)))
            )
            for r in range(device_num)
        }
        assert_holds(assignment.result(rule, 0), whole, slices)
        tried += 1
    assert tried > 3


@pytest.mark.parametrize("combine", ["max", "min"])
def test_a_cut_of_what_is_reduced_leaves_terms_joined_as_the_rule_says(combine: str) -> None:
    rule, tensor = parse_rule("i j -> i", ((4, 8),), combine=combine), whole_tensor((4, 8))
    reduce = {"max": np.max, "min": np.min}[combine]
    assignment = assign_by_strategy(rule, ((2, 4),), 8)
    held = assignment.operand(rule, 0)
    slices = {r: np.asarray(reduce(tensor[slices_of(held.box((4, 8), r))], axis=1)) for r in range(8)}
    assert_holds(assignment.result(rule, 0), np.asarray(reduce(tensor, axis=1)), slices)


# --- what MindSpore infers: device matrix and tensor maps ---


def test_a_matmul_has_the_device_matrix_of_mindspore() -> None:
    rule = parse_rule("i k, k j -> i j", ((8, 8), (8, 8)))
    found = assign_by_strategy(rule, ((2, 2), (2, 2)), 8)
    assert found.operand(rule, 0) == Layout((2, 2, 2), (2, 1))
    assert found.operand(rule, 1) == Layout((2, 2, 2), (1, 0))
    assert found.result(rule, 0) == Layout((2, 2, 2), (2, 0), partial=(1,))


def test_repeated_work_is_the_last_device_axis() -> None:
    rule = parse_rule("i j -> i j", ((8, 8),))
    assert assign_by_strategy(rule, ((2, 2),), 8).operand(rule, 0) == Layout((2, 2, 2), (2, 1))
    assert assign_by_strategy(rule, ((1, 1),), 8).operand(rule, 0) == Layout((8,), (-1, -1))


def test_repeated_work_is_the_first_device_axis_if_the_rule_says_so() -> None:
    rule = parse_rule("v d, n -> n d", ((8, 4), (6,)), repeat_first=("v",))
    assert assign_by_strategy(rule, ((2, 1), (1,)), 4).operand(rule, 0) == Layout((2, 2), (0, -1))


def test_the_order_of_a_rule_is_the_order_of_the_device_matrix() -> None:
    rule = parse_rule("v d, n -> n d", ((8, 4), (6,)), order=("n", "v", "d"))
    assert assign_by_strategy(rule, ((4, 1), (2,)), 8).dev_mat == (2, 4)


# --- the text of a rule ---


def test_dots_stand_for_leading_axes_that_broadcast() -> None:
    rule = parse_rule("... i k, ... k j -> ... i j", ((2, 1, 8, 4), (3, 4, 6)))
    assert rule.result_shapes == ((2, 3, 8, 6),)
    assert str(rule) == "_1 1 i k, _0 k j -> _1 _0 i j"


def test_an_axis_of_two_factors_is_cut_by_its_major_one_first() -> None:
    rule = parse_rule("b (h d) -> b h d", ((2, 12),), sizes={"d": 3})
    assert rule.result_shapes == ((2, 4, 3),)
    assert assign_by_strategy(rule, ((1, 2),), 2).result(rule, 0) == Layout((2,), (-1, 0, -1))
    both = assign_by_strategy(rule, ((1, 12),), 12)
    assert both.result(rule, 0) == Layout((4, 3), (-1, 1, 0))


@pytest.mark.parametrize(
    ("text", "shapes", "words"),
    [
        ("i k, k j", ((2, 3), (3, 4)), "has no '->' between operands and results"),
        ("i k, k j -> i j", ((2, 3),), "takes 2 operands, but 1 were given"),
        ("i k, k j -> i j", ((2, 3), (4, 5)), "axis 'k' is 4 long in shape (4, 5), but 3 elsewhere"),
        ("i k -> i k", ((2, 3, 4),), "an operand of shape (2, 3, 4) has 3 axes, but rule 'i k -> i k' wants 2"),
        ("i -> i j", ((2,),), "no operand tells the length of factor 'j'"),
        ("..., ... -> ...", ((2, 3), (2, 4)), "do not broadcast"),
    ],
)
def test_a_rule_that_does_not_fit_says_why(text: str, shapes: tuple[tuple[int, ...], ...], words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text, shapes)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (((2, 1),), "is for 1 inputs, but the op has 2"),
        (((2,), (1, 1)), "strategy (2,) of input 0 has 1 numbers, but its shape (8, 6) has 2 axes"),
        (((3, 1), (1, 1)), "length 8 cannot be cut into 3 equal slices"),
        (((0, 1), (1, 1)), "a cut of 0 for axis 0 of input 0, shape (8, 6): give a whole number of at least 1"),
        (((2, 2), (1, 2)), "Cut factor 'k' alike"),
        (((4, 2), (2, 2)), "into 16 parts for 8 devices, more than there are"),
        (((1, 3), (3, 1)), "into 3 parts for 8 devices, and does not divide them evenly"),
    ],
)
def test_a_strategy_that_cannot_be_says_why(strategy: Strategy, words: str) -> None:
    with pytest.raises(StrategyError) as caught:
        assign_by_strategy(parse_rule("i k, k j -> i j", ((8, 6), (6, 4))), strategy, 8)
    assert words in str(caught.value)


def test_a_factor_that_must_stay_whole_is_not_cut() -> None:
    rule = parse_rule("i c -> i c", ((8, 6),), whole=("c",))
    with pytest.raises(StrategyError, match="must not be cut by this op"):
        assign_by_strategy(rule, ((1, 2),), 2)
    assert follow(rule, (Layout((2,), (-1, 0)),), 2).cut("c") == 1


# --- following operands ---


def test_operands_that_agree_move_nothing() -> None:
    rule = parse_rule("i k, k j -> i j", ((8, 4), (4, 6)))
    x, y = Layout((2, 2), (1, -1)), Layout((2, 2), (-1, 0))
    found = follow(rule, (x, y), 4)
    assert (found.operand(rule, 0), found.operand(rule, 1)) == (x, y)


def test_the_larger_operand_is_heard_first() -> None:
    rule = parse_rule("i k, k j -> i j", ((8, 8), (8, 2)))
    found = follow(rule, (Layout((2,), (-1, 0)), Layout((2,), (-1, 0))), 2)
    assert found.operand(rule, 0).tensor_map == (-1, 0)
    assert found.operand(rule, 1).tensor_map == (0, -1)


def test_operands_over_different_device_matrices_are_heard_over_their_refinement() -> None:
    rule = parse_rule("i k, k j -> i j", ((8, 4), (4, 8)))
    found = follow(rule, (Layout((2, 4), (1, -1)), Layout((4, 2), (-1, 0))), 8)
    assert found.dev_mat == (2, 2, 2)
    assert found.operand(rule, 0).same_slices(Layout((2, 4), (1, -1)))
    assert found.operand(rule, 1).same_slices(Layout((4, 2), (-1, 0)))
