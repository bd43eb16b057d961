"""Which cuts a strategy, or operands' layouts, may put on axes made of several factors."""

import pytest

from simpar.errors import StrategyError
from simpar.layout import Layout, assign_by_strategy, cut_first_axis, follow, parse_rule

MERGE = parse_rule("a b c -> (a b) c", ((4, 2, 8),))


def test_a_minor_factor_is_not_cut_while_the_major_one_is_whole() -> None:
    made = follow(MERGE, (Layout((2, 2), (-1, 1, -1)),), 4)
    assert made.operand(MERGE, 0).is_repeated, "rows 0, 2, 4, 6 of a result are no slice"


def test_a_minor_factor_keeps_its_cut_under_a_major_one_cut_into_single_elements() -> None:
    made = follow(MERGE, (Layout((4, 2), (1, 0, -1)),), 8)
    assert made.result(MERGE, 0).cutting_axes == ((1, 0), ())


def test_other_axes_keep_their_cuts() -> None:
    made = follow(MERGE, (Layout((2, 2), (-1, 1, 0)),), 4)
    assert made.result(MERGE, 0).cutting_axes == ((), (0,))


def test_a_strategy_that_cuts_a_minor_factor_alone_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"cuts factor 'b' .* minor part of an axis of length 8, but not the major"):
        assign_by_strategy(MERGE, ((1, 2, 1),), 4)


def test_the_default_does_not_cut_rows_that_are_repeated_as_a_block() -> None:
    tile = parse_rule("a b -> (m a) b", ((4, 2),), sizes={"m": 2})
    assert cut_first_axis(tile, (None,), 4).operand(tile, 0).is_repeated, "rows 0, 4 of a result are no slice"


def test_the_default_cuts_the_operand_that_has_the_batch() -> None:
    rows = parse_rule("v d, b s -> b s d", ((16, 4), (8, 6)))
    made = cut_first_axis(rows, (None, None), 4, batch=1)
    assert made.operand(rows, 0).is_repeated, "an embedding table has no batch"
    assert made.operand(rows, 1).cutting_axes == ((0,), ())
