"""Halos: what windows need of a neighbour's slice, counted by hand, and the steps that bring it and take it back."""

import pytest

from simpar.errors import StrategyError
from simpar.layout import (
    Halo,
    HaloExchange,
    HaloReduce,
    Layout,
    Reach,
    Rule,
    assign_by_strategy,
    follow,
    halo_of,
    parse_rule,
    spans_of,
)


def rows(image: int, windows: int, *, step: int = 1, pad: int = 1, reach: int = 3) -> Rule:
    """Return the rule of windows along one axis."""
    return parse_rule("h~ -> h", ((image,),), sizes={"h": windows}, reaches={"h": Reach(step, -pad, reach)})


def test_a_rule_shows_the_axes_that_windows_move_over() -> None:
    rule = rows(8, 4, step=2)
    assert str(rule) == "h~ -> h"
    assert (rule.operand_shapes, rule.result_shapes) == (((8,),), ((4,),))


def test_windows_of_three_need_one_row_of_each_neighbour() -> None:
    rule = rows(8, 8)
    made = assign_by_strategy(rule, ((4,),), 4)
    assert halo_of(rule, 0, made.operand(rule, 0)) == Halo((((0, 3), (1, 5), (3, 7), (5, 8)),))
    assert halo_of(rule, 1, made.result(rule, 0)) is None


def test_windows_that_keep_within_their_slice_hold_what_they_cover() -> None:
    rule = rows(8, 4, step=2, pad=0, reach=2)
    made = assign_by_strategy(rule, ((2,),), 2)
    assert halo_of(rule, 0, made.operand(rule, 0)) == Halo((((0, 4), (4, 8)),))


def test_a_step_of_two_with_padding_reaches_back_only() -> None:
    rule = rows(8, 4, step=2, pad=1, reach=3)
    halo = halo_of(rule, 0, Layout((2,), (0,)))
    assert halo == Halo((((0, 4), (3, 8)),))


def test_the_windows_of_a_rank_cover_padding_too() -> None:
    rule, layout = rows(8, 8), Layout((4,), (0,))
    assert [spans_of(rule, (layout, layout), r)["h"] for r in range(4)] == [(-1, 3), (1, 5), (3, 7), (5, 9)]


def test_neighbours_send_what_the_other_lacks_and_get_it_back() -> None:
    layout = Layout((4,), (0, -1))
    halo = Halo((((0, 3), (1, 5), (3, 7), (5, 8)), ()))
    out, back = (kind(layout, layout, (0,), halo) for kind in (HaloExchange, HaloReduce))
    send, receive = out.transfers((8, 5), rank=1)
    assert send == ((0, ((0, 1), (0, 5))), (1, ((0, 2), (0, 5))), (2, ((1, 2), (0, 5))))
    assert receive == ((0, ((0, 1), (0, 5))), (1, ((1, 3), (0, 5))), (2, ((3, 4), (0, 5))))
    assert back.transfers((8, 5), rank=1) == (receive, send)
    assert [out.volume_bytes((8, 5), 4, rank) for rank in range(4)] == [20, 40, 40, 20]
    assert out.volume_bytes((8, 5), 4) == 40
    assert out.describe((8, 5), 4) == "halo_exchange axis 0 0:3 1:5 3:7 5:8 over device axes (0) groups of 4, 40 bytes"


def test_a_corner_comes_from_the_neighbour_across() -> None:
    layout, spans = Layout((2, 2), (1, 0)), ((0, 3), (1, 4))
    step = HaloExchange(layout, layout, (1, 0), Halo((spans, spans)))
    _, receive = step.transfers((4, 4), rank=0)
    assert receive == (
        (0, ((0, 2), (0, 2))),
        (1, ((0, 2), (2, 3))),
        (2, ((2, 3), (0, 2))),
        (3, ((2, 3), (2, 3))),
    )


def test_a_halo_wider_than_a_slice_is_refused_with_the_numbers() -> None:
    rule = rows(8, 8, pad=2, reach=5)
    with pytest.raises(StrategyError, match="slice 0 of 8 holds 1 of 8 indices, but its windows reach 2 further"):
        assign_by_strategy(rule, ((8,),), 8)
    assert assign_by_strategy(rule, ((4,),), 8).cut("h") == 4


def test_windows_that_do_not_divide_are_refused_with_their_number() -> None:
    rule = rows(8, 6, pad=0)
    with pytest.raises(StrategyError, match="the number of its windows, 6 cannot be cut into 4 equal slices"):
        assign_by_strategy(rule, ((4,),), 4)
    with pytest.raises(StrategyError, match="length 8 cannot be cut into 3 equal slices"):
        assign_by_strategy(rule, ((3,),), 3)


def test_an_operand_that_arrives_cut_too_finely_for_its_windows_is_followed_as_far_as_they_let() -> None:
    rule = rows(8, 8, pad=2, reach=5)
    assert follow(rule, (Layout((4, 2), ((1, 0),)),), 8).axes == {"h": (1,)}
