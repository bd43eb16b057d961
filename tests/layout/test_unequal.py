"""Slices that are not equally long: what each rank holds of a table that is cut by its fields."""

from dataclasses import replace
from itertools import product

import pytest

from simpar.errors import LayoutError
from simpar.layout import Layout, follow, parse_rule, plan_redistribution
from tests.layout.simulated import all_layouts, assert_holds, carry_out, distributed, whole_tensor

FIELDS = Layout((4,), (0, -1), lengths=((10, 20, 30, 4), ()))
SHAPE = (64, 8)


def test_each_rank_holds_a_slice_of_its_own_length() -> None:
    assert [FIELDS.slice_shape(SHAPE, r) for r in range(4)] == [(10, 8), (20, 8), (30, 8), (4, 8)]
    assert [FIELDS.box(SHAPE, r)[0] for r in range(4)] == [(0, 10), (10, 30), (30, 60), (60, 64)]


def test_without_a_rank_the_largest_slice_is_meant() -> None:
    assert FIELDS.slice_shape(SHAPE) == (30, 8)


def test_lengths_stand_in_the_text_of_a_layout() -> None:
    assert str(FIELDS) == "[4] [0, -1] axis 0 by 10+20+30+4"


def test_equal_lengths_are_not_mentioned() -> None:
    assert Layout((4,), (0, -1), lengths=((16, 16, 16, 16), ())) == Layout((4,), (0, -1))


def test_layouts_of_other_lengths_hold_other_slices() -> None:
    assert not FIELDS.same_slices(Layout((4,), (0, -1)))
    assert FIELDS.same_slices(replace(FIELDS, dev_mat=(2, 2), tensor_map=((1, 0), -1)))


def test_the_layout_without_the_unequal_axis_is_an_equal_one() -> None:
    assert FIELDS.without(0) == Layout((4,), (-1,))
    assert FIELDS.without(1).lengths == ((10, 20, 30, 4),)


def test_lengths_are_one_for_each_slice() -> None:
    with pytest.raises(LayoutError, match="Give one length for each slice"):
        Layout((4,), (0, -1), lengths=((10, 54), ()))


def test_lengths_fit_the_axis() -> None:
    with pytest.raises(LayoutError, match=r"its slices are \(10, 20, 30, 4\) long, 64 together"):
        FIELDS.slice_shape((60, 8))


def unequal(layout: Layout) -> Layout:
    """Return a layout whose first axis, of 12, has slices of other lengths."""
    lengths = {2: (9, 3), 4: (1, 5, 2, 4)}.get(layout.cuts[0], ())
    return replace(layout, lengths=(lengths, ())) if lengths else layout


def test_every_layout_is_reached_from_unequal_slices_and_back() -> None:
    tensor, tried = whole_tensor((12, 4)), 0
    layouts = all_layouts((2, 2), 2)
    for one, other in product(layouts, layouts):
        for source, target in ((unequal(one), other), (one, unequal(other)), (unequal(one), unequal(other))):
            if source.lengths or target.lengths:
                plan = plan_redistribution(source, target, tensor.shape, 4)
                assert_holds(target, tensor, carry_out(plan, distributed(tensor, source)))
                tried += 1
    assert tried > 100


def test_terms_of_unequal_slices_are_joined_by_one_all_reduce() -> None:
    source = Layout((2, 2), (1, -1), partial=(0,), lengths=((9, 3), ()))
    plan = plan_redistribution(source, source.resolved(), (12, 4), 4)
    assert [step.kind for step in plan.steps] == ["all_reduce"]
    assert [plan.steps[0].volume_bytes((12, 4), 4, rank) for rank in range(4)] == [144, 144, 48, 48]


def test_an_op_follows_unequal_slices_where_the_axis_is_one_factor() -> None:
    rule = parse_rule("a b, a b -> a b", (SHAPE, SHAPE))
    assert follow(rule, (FIELDS, None), 4).result(rule, 0) == FIELDS


def test_an_op_that_joins_axes_does_not() -> None:
    rule = parse_rule("a b -> (a b)", (SHAPE,))
    assert follow(rule, (FIELDS,), 4).operand(rule, 0).is_repeated


def test_fields_are_put_together_where_there_are_fewer_slices() -> None:
    rule = parse_rule("f d, (f n) -> (f n) d", (SHAPE, (8,)), lengths={"f": (10, 20, 30, 4)})
    made = follow(rule, (None, Layout((2,), (0,))), 2)
    assert made.operand(rule, 0).lengths == ((30, 34), ())
    assert made.result(rule, 0) == Layout((2,), (0, -1))
