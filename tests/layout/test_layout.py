"""Slices of a layout, against their definition by listing every element of a small tensor."""

from dataclasses import FrozenInstanceError
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.errors import LayoutError
from simpar.layout import NOT_CUT, Layout, repeated
from simpar.layout.device_matrix import coordinates
from tests.layout.simulated import all_layouts

SMALL = [x for dev_mat in [(2,), (4,), (2, 2), (2, 3), (2, 2, 2)] for x in all_layouts(dev_mat, 2)]


def shape_for(layout: Layout) -> tuple[int, int]:
    return (layout.cuts[0] * 2, layout.cuts[1])


def owned_by_definition(layout: Layout, rank: int, length: int, axis: int) -> set[int]:
    """Cut an axis device axis by device axis, the first being the major one, and keep the rank's part each time."""
    here = coordinates(layout.dev_mat, rank)
    entry = layout.tensor_map[axis]
    owned = list(range(length))
    for a in entry if isinstance(entry, tuple) else () if entry == NOT_CUT else (entry,):
        place = len(layout.dev_mat) - 1 - a
        part = len(owned) // layout.dev_mat[place]
        owned = owned[here[place] * part : (here[place] + 1) * part]
    return set(owned)


@pytest.mark.parametrize("layout", SMALL, ids=str)
def test_a_box_holds_what_the_device_axes_leave_one_after_the_other(layout: Layout) -> None:
    shape = shape_for(layout)
    for rank in range(layout.size):
        box = layout.box(shape, rank)
        assert [set(range(*interval)) for interval in box] == [
            owned_by_definition(layout, rank, length, axis) for axis, length in enumerate(shape)
        ]
        assert tuple(stop - start for start, stop in box) == layout.slice_shape(shape)


@pytest.mark.parametrize("layout", SMALL, ids=str)
def test_every_element_is_held_once_by_each_of_as_many_replicas(layout: Layout) -> None:
    shape = shape_for(layout)
    boxes = [layout.box(shape, rank) for rank in range(layout.size)]
    for element in product(*map(range, shape)):
        holders = [
            rank
            for rank, box in enumerate(boxes)
            if all(start <= i < stop for i, (start, stop) in zip(element, box, strict=True))
        ]
        assert list(layout.replicas(holders[0])) == holders


@pytest.mark.parametrize("layout", SMALL, ids=str)
def test_slices_are_numbered_row_by_row(layout: Layout) -> None:
    numbers = {layout.blocks(rank): layout.slice_index(rank) for rank in range(layout.size)}
    assert [numbers[block] for block in product(*map(range, layout.cuts))] == list(range(prod(layout.cuts)))


# What MindSpore reports, checked by hand: device matrix, tensor map, shape, rank -> slice number, slice shape.
FACTS = [
    ((2, 4), (1, 0), (8, 16), {0: 0, 3: 3, 4: 4, 7: 7}, (4, 4)),
    ((2, 4), (0, 1), (8, 16), {0: 0, 1: 2, 4: 1, 7: 7}, (2, 8)),
    ((2, 4), (-1, 0), (8, 16), {0: 0, 4: 0, 3: 3, 7: 3}, (8, 4)),
    ((2, 4), (1, -1), (8, 16), {0: 0, 3: 0, 4: 1, 7: 1}, (4, 16)),
    ((2, 2, 2), ((2, 0), -1), (8, 16), {0: 0, 1: 1, 2: 0, 3: 1, 4: 2, 5: 3, 6: 2, 7: 3}, (2, 16)),
]


@pytest.mark.parametrize(("dev_mat", "tensor_map", "shape", "numbers", "slice_shape"), FACTS)
def test_slices_are_those_of_mindspore(
    dev_mat: tuple[int, ...],
    tensor_map: tuple[int | tuple[int, ...], ...],
    shape: tuple[int, ...],
    numbers: dict[int, int],
    slice_shape: tuple[int, ...],
) -> None:
    layout = Layout(dev_mat, tensor_map)
    assert {rank: layout.slice_index(rank) for rank in numbers} == numbers
    assert layout.slice_shape(shape) == slice_shape


def test_a_million_devices_cost_no_more_than_eight() -> None:
    layout = Layout((64, 128, 128), (2, (1, 0)))
    shape = (1 << 20, 1 << 20)
    assert layout.slice_shape(shape) == (1 << 14, 1 << 6)
    assert layout.box(shape, 1_048_575) == (((1 << 20) - (1 << 14), 1 << 20), ((1 << 20) - (1 << 6), 1 << 20))
    assert layout.replicas(12_345) == (12_345,)
    assert Layout((64, 128, 128), (2, 1)).replicas(0) == tuple(range(128))


# --- ranks in another order ---


def test_a_rank_list_says_which_rank_stands_where() -> None:
    layout = Layout((2, 2), (1, 0), rank_list=(3, 1, 2, 0))
    assert [layout.slice_index(rank) for rank in range(4)] == [3, 1, 2, 0]
    assert layout.group(3, (1,)) == (3, 2)


def test_a_rank_list_in_order_is_none_at_all() -> None:
    assert Layout((2, 2), (1, 0), rank_list=(0, 1, 2, 3)) == Layout((2, 2), (1, 0))


@given(st.permutations(range(6)), st.sampled_from(all_layouts((2, 3), 2)))
def test_a_rank_list_only_renames_ranks(ranks: list[int], layout: Layout) -> None:
    renamed = Layout(layout.dev_mat, layout.tensor_map, rank_list=tuple(ranks))
    for place, rank in enumerate(ranks):
        assert renamed.blocks(rank) == layout.blocks(place)
        assert renamed.replicas(rank) == tuple(ranks[p] for p in layout.replicas(place))


# --- equality of what ranks hold ---


@pytest.mark.parametrize(("one", "other"), [((2, 2), (4,)), ((2, 3), (3, 2)), ((6,), (2, 3)), ((2, 2), (2, 2))])
def test_same_slices_is_equality_of_all_boxes(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    shape = (36, 36)
    for a, b in product(all_layouts(one, 2), all_layouts(other, 2)):
        equal = all(a.box(shape, rank) == b.box(shape, rank) for rank in range(a.size))
        assert a.same_slices(b) == equal


def test_layouts_that_join_terms_otherwise_are_not_the_same() -> None:
    total, largest = (Layout((2,), (-1,), partial=(0,), combine=c) for c in ("sum", "max"))
    assert not total.same_slices(largest)
    assert not total.same_slices(total.resolved())
    assert total.same_slices(Layout((1, 2), (-1,), partial=(0,)))


@pytest.mark.parametrize("layout", all_layouts((4, 2), 2, combine="max"), ids=str)
def test_a_refined_layout_has_the_same_slices(layout: Layout) -> None:
    assert layout.refined((2, 2, 2)).same_slices(layout)


# --- properties ---


def test_device_axes_that_cut_nothing_repeat() -> None:
    layout = Layout((2, 1, 3, 4), (0, NOT_CUT), partial=(3,))
    assert (layout.repeated_axes, layout.is_partial, layout.is_repeated) == ((1,), True, False)


def test_an_axis_of_size_one_cuts_nothing() -> None:
    layout = Layout((1, 4), (1, NOT_CUT), partial=())
    assert layout.is_repeated
    assert not Layout((1, 4), (NOT_CUT,), partial=(1,)).is_partial


def test_a_repeated_layout_leaves_every_axis_whole() -> None:
    assert repeated((2, 4), 3).box((3, 5, 7), rank=6) == ((0, 3), (0, 5), (0, 7))


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (Layout((2, 4), (1, NOT_CUT)), "[2, 4] [1, -1]"),
        (Layout((2, 4), ((1, 0), NOT_CUT)), "[2, 4] [{1,0}, -1]"),
        (Layout((2, 4), (1,), partial=(0,), combine="max"), "[2, 4] [1] partial max [0]"),
    ],
)
def test_a_layout_shows_itself(layout: Layout, text: str) -> None:
    assert str(layout) == text


def test_a_layout_is_a_value() -> None:
    layout = Layout((2, 4), ((0,), ()))
    assert layout == Layout((2, 4), (0, NOT_CUT))
    assert hash(layout) == hash(Layout((2, 4), (0, NOT_CUT)))
    with pytest.raises(FrozenInstanceError):
        layout.dev_mat = (8,)  # pyright: ignore[reportAttributeAccessIssue]


# --- mistakes, in words ---


def test_a_device_axis_that_does_not_exist_is_named() -> None:
    with pytest.raises(LayoutError, match=r"names device axis 2, but dev_mat \(2, 4\) has device axes 0 \(last\) to 1"):
        Layout((2, 4), (2, NOT_CUT))


def test_a_device_axis_that_is_used_twice_is_named() -> None:
    with pytest.raises(LayoutError, match=r"device axis 0 of dev_mat \(2, 4\) is used 2 times"):
        Layout((2, 4), (0, 0))
    with pytest.raises(LayoutError, match=r"used 2 times by tensor_map \(0,\), partial \(0,\)"):
        Layout((2, 4), (0,), partial=(0,))


@pytest.mark.parametrize("ranks", [(0, 1), (0, 0, 1, 2)])
def test_a_rank_list_names_each_place_once(ranks: tuple[int, ...]) -> None:
    with pytest.raises(LayoutError, match="must name 4 different ranks, one for each place"):
        Layout((2, 2), (1, 0), rank_list=ranks)


def test_a_slice_of_an_uneven_axis_names_the_padding() -> None:
    with pytest.raises(
        LayoutError,
        match=r"axis 1 of shape \(3, 10\) has length 10, which device axis 0 of dev_mat \(2, 4\) cannot cut into 4 "
        r"equal slices\. Pad it to 12 or map it to NOT_CUT\.",
    ):
        Layout((2, 4), (NOT_CUT, 0)).slice_shape((3, 10))


def test_a_shape_with_another_number_of_axes_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"shape \(3,\) has 1 axes, but tensor_map \(-1, 0\) has 2 entries"):
        Layout((2, 4), (NOT_CUT, 0)).slice_shape((3,))


def test_a_rank_outside_of_the_matrix_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"rank 8 is not one of the 8 ranks of dev_mat \(2, 4\)"):
        Layout((2, 4), (1, 0)).box((8, 16), rank=8)
