"""Every plan ends where it should, by carrying it out on all ranks of small device matrices."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar.errors import LayoutError
from simpar.layout import (
    AllGather,
    AllReduce,
    AllToAll,
    Exchange,
    Layout,
    Permute,
    Redistribution,
    ReduceScatter,
    Slice,
    intersections,
    plan_redistribution,
    repeated,
)
from tests.layout.simulated import (
    all_layouts,
    assert_holds,
    carry_out,
    distributed,
    placements,
    received,
    whole_tensor,
)


def prove(source: Layout, target: Layout, shape: tuple[int, ...], itemsize: int = 4) -> Redistribution:
    """Plan, carry the plan out on all ranks, and say whether the result is the tensor under the target."""
    tensor = whole_tensor(shape)
    plan = plan_redistribution(source, target, shape, itemsize)
    assert_holds(target, tensor, carry_out(plan, distributed(tensor, source)))
    assert_frugal(plan)
    return plan


def assert_frugal(plan: Redistribution) -> None:
    source, target = (prod(x.slice_shape(plan.shape)) * plan.itemsize for x in (plan.source, plan.target))
    assert plan.peak_bytes <= max(source + target, 2 * max(source, target))
    terms = prod(plan.source.dev_mat[-1 - a] for a in plan.source.partial)
    join_and_gather_everything = 2 * (terms - 1) * source // terms + prod(plan.shape) * plan.itemsize - source
    assert plan.volume_bytes <= join_and_gather_everything


def is_first_of_its_kind(layout: Layout) -> bool:
    """Say whether device axes, all of one size, appear in order: other layouts are this one with axes renamed."""
    seen = [a for axes in layout.cutting_axes for a in axes] + sorted(layout.partial)
    return seen == list(range(len(seen)))


@pytest.mark.parametrize("dev_mat", [(2,), (4,), (2, 2), (2, 3)])
@pytest.mark.parametrize("combine", ["sum", "min"])
def test_every_pair_of_layouts_of_a_matrix(dev_mat: tuple[int, ...], combine: str) -> None:
    shape = (2 * prod(dev_mat), prod(dev_mat))
    for source in all_layouts(dev_mat, 2, combine=combine):
        for target in all_layouts(dev_mat, 2):
            prove(source, target, shape)


def test_every_pair_of_layouts_over_three_device_axes() -> None:
    for source in filter(is_first_of_its_kind, all_layouts((2, 2, 2), 2, combine="sum")):
        for target in all_layouts((2, 2, 2), 2):
            prove(source, target, (8, 8))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((4,), (2, 2)),
        ((2, 2), (4,)),
        ((1, 4), (4,)),
        ((2, 3), (3, 2)),
        ((3, 2), (2, 3)),
        ((6,), (2, 3)),
        ((2, 3), (6,)),
    ],
)
def test_every_pair_of_layouts_of_two_matrices(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    for source in all_layouts(one, 2, combine="sum"):
        for target in all_layouts(other, 2):
            prove(source, target, (12, 6) if 3 in one + other else (8, 4))


def test_terms_that_the_target_keeps_are_kept() -> None:
    for source in all_layouts((2, 3), 2, combine="sum"):
        for target in all_layouts((2, 3), 2, combine="sum"):
            if set(target.partial) <= set(source.partial):
                prove(source, target, (6, 6))


@st.composite
def layouts_of(draw: st.DrawFn, dev_mat: tuple[int, ...], tensor_axes: int, *, may_be_partial: bool) -> Layout:
    """Give a layout with several device axes on a tensor axis, over ranks in any order."""
    ranks = draw(st.one_of(st.none(), st.permutations(range(prod(dev_mat)))))
    axes = draw(st.permutations(range(len(dev_mat))))
    cuts: list[tuple[int, ...]] = [()] * tensor_axes
    partial: list[int] = []
    for a in axes:
        where = draw(st.integers(-1 - may_be_partial, tensor_axes - 1))
        if where >= 0:
            cuts[where] += (a,)
        elif where == -2:
            partial.append(a)
    combine = draw(st.sampled_from(["sum", "max", "min"])) if partial else "sum"
    return Layout(dev_mat, tuple(cuts), None if ranks is None else tuple(ranks), tuple(partial), combine)


MATRICES = [(8,), (2, 4), (4, 2), (2, 2, 2), (12,), (3, 4), (4, 3), (2, 6), (2, 3, 2), (2, 1, 6)]


@given(st.data(), st.sampled_from(MATRICES), st.sampled_from([(24,), (24, 48), (12, 24, 24), (2, 48, 12)]))
def test_any_pair_of_layouts(data: st.DataObject, one: tuple[int, ...], shape: tuple[int, ...]) -> None:
    other = data.draw(st.sampled_from([m for m in MATRICES if prod(m) == prod(one)]))
    source = data.draw(layouts_of(one, len(shape), may_be_partial=True))
    target = data.draw(layouts_of(other, len(shape), may_be_partial=False))
    if any(n % cut for x in (source, target) for n, cut in zip(shape, x.cuts, strict=True)):
        with pytest.raises(LayoutError, match="cannot cut into"):
            plan_redistribution(source, target, shape, 4)
    else:
        prove(source, target, shape, itemsize=data.draw(st.sampled_from([1, 8, 4096])))


def test_ranks_may_grow_in_number() -> None:
    prove(Layout((2,), (0, -1)), Layout((2, 2), (1, 0)), (4, 4))
    prove(Layout((4,), (-1, 0)), Layout((2,), (0, -1)), (4, 4))


# --- the facts of MindSpore's own planner: never more bytes than it sends ---

FACTS = {
    "rows to whole": (Layout((4,), (0, -1)), Layout((4,), (-1, -1)), (AllGather,), 48),
    "whole to rows": (Layout((4,), (-1, -1)), Layout((4,), (0, -1)), (Slice,), 0),
    "rows to columns": (Layout((4,), (0, -1)), Layout((4,), (-1, 0)), (AllToAll,), 12),
    "transposed grid": (Layout((2, 2), (1, 0)), Layout((2, 2), (0, 1)), (Permute,), 16),
    "another device axis": (Layout((2, 4), (1, -1)), Layout((2, 4), (0, -1)), (Exchange,), 16),
    "one more cut": (Layout((2, 4), (1, -1)), Layout((2, 4), (1, 0)), (Slice,), 0),
    "rows to grid": (Layout((4,), (0, -1)), Layout((2, 2), (1, 0)), (AllToAll,), 8),
    "nothing": (Layout((2, 4), (1, 0)), Layout((2, 4), (1, 0)), (), 0),
}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_of_mindspore_is_met_with_no_more_elements(fact: str) -> None:
    source, target, kinds, elements = FACTS[fact]
    plan = prove(source, target, (8, 8))
    assert tuple(map(type, plan.steps)) == kinds
    assert plan.volume_bytes == elements * 4


def test_terms_over_two_device_axes_are_joined_by_one_all_reduce() -> None:
    plan = prove(Layout((2, 2), (-1, -1), partial=(1, 0)), repeated((2, 2), 2), (4, 4))
    assert plan.describe() == "all_reduce sum over device axes (1,0) groups of 4, 96 bytes"


def test_two_device_axes_of_a_tensor_axis_are_gathered_at_once() -> None:
    plan = prove(Layout((2, 2), ((0, 1), -1)), repeated((2, 2), 2), (4, 4))
    assert plan.describe() == "all_gather axis 0 over device axes (0,1) groups of 4, 48 bytes"
    assert plan.steps[0].group(1) == (0, 2, 1, 3)


def test_terms_become_slices_by_one_reduce_scatter() -> None:
    plan = prove(Layout((2, 2), (1, -1), partial=(0,)), Layout((2, 2), ((1, 0), -1)), (8, 4))
    (step,) = plan.steps
    assert isinstance(step, ReduceScatter)
    assert (step.tensor_axis, step.blocks, step.group(2)) == (0, 2, (2, 3))


def test_a_slice_comes_before_the_all_reduce_that_it_makes_cheaper() -> None:
    source = Layout((2, 2), (-1, -1), partial=(0,))
    plan = prove(source, Layout((2, 2), (1, -1)), (1024, 1024))
    assert tuple(map(type, plan.steps)) == (Slice, AllReduce)


def test_several_slices_are_one_step() -> None:
    plan = prove(repeated((2, 2), 2), Layout((2, 2), (0, 1)), (4, 4))
    assert plan.describe() == "slice axes 0,1 over device axes (1,0), nothing sent"


def test_a_scalar_is_all_reduced() -> None:
    prove(Layout((2, 2), (), partial=(0,)), Layout((2, 2), ()), ())


def test_an_empty_tensor_moves_nothing() -> None:
    plan = plan_redistribution(Layout((2,), (0, -1)), Layout((2,), (-1, 0)), (0, 4), 4)
    assert plan.volume_bytes == 0
    assert intersections(plan.source, plan.target, plan.shape, 0) == ((), ())


def test_equal_layouts_of_different_matrices_need_no_step() -> None:
    plan = plan_redistribution(Layout((2, 4), ((1, 0), -1)), Layout((8,), (0, -1)), (8, 8), 4)
    assert (plan.steps, plan.describe(), plan.volume_bytes) == ((), "nothing to do", 0)


def test_a_plan_is_made_once() -> None:
    ask = (Layout((4,), (0, -1)), Layout((4,), (-1, 0)), (8, 8), 4)
    assert plan_redistribution(*ask) is plan_redistribution(*ask)


def test_a_million_devices_are_planned_without_listing_them() -> None:
    dev_mat = (64, 128, 128)
    plan = plan_redistribution(Layout(dev_mat, (2, 1)), Layout(dev_mat, (1, 2)), (8192, 8192), 4)
    assert plan.volume_bytes < 3 * 4 * 8192 * 8192 // (64 * 128), "three slices, where gathering all takes thousands"
    assert {step.group_size for step in plan.steps} <= {64, 128, 64 * 128}


# --- bytes and memory ---


@pytest.mark.parametrize("dev_mat", [(2, 2), (2, 3), (6,)])
def test_an_exchange_gives_each_rank_exactly_what_it_lacks(dev_mat: tuple[int, ...]) -> None:
    shape = (12, 12)
    for source in all_layouts(dev_mat, 2):
        for target in all_layouts((2, 3) if prod(dev_mat) == 6 else dev_mat, 2):
            assert_received_is_lacking(Exchange(source, target, ()), shape)


def assert_received_is_lacking(step: Exchange, shape: tuple[int, ...]) -> None:
    got, lacked = list[int](), list[int]()
    for r in step.after.ranks:
        receive = intersections(step.before, step.after, shape, r)[1]
        got.append(sum(volume(box) for peer, box in receive if peer != r))
        need, have = step.after.box(shape, r), step.before.box(shape, r)
        both = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(need, have, strict=True)]
        lacked.append(volume(need) - (volume(both) if all(a < b for a, b in both) else 0))
    assert got == lacked
    assert step.volume_bytes(shape, 1) == max(lacked)
    assert sum(step.volume_bytes(shape, 1, r) for r in step.before.ranks) == sum(got)


def volume(box: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> int:
    return prod(stop - start for start, stop in box)


def test_repeated_holders_share_the_sending() -> None:
    source, target = Layout((4, 4), (1, -1)), Layout((4, 4), (0, -1))
    sent = {Exchange(source, target, ()).volume_bytes((4, 4), 1, r) for r in range(16)}
    assert sent == {0, 4}, "a rank sends its row to one other rank, or keeps it"


@pytest.mark.parametrize(("source", "target"), [((0, -1), (-1, 0)), ((0, -1), (-1, -1)), ((-1, 0), (0, -1))])
def test_transfers_of_a_collective_are_what_it_does(source: tuple[int, ...], target: tuple[int, ...]) -> None:
    shape, (before, after) = (8, 4), (Layout((4,), source), Layout((4,), target))
    (step,) = plan_redistribution(before, after, shape, 4).steps
    tensor = whole_tensor(shape)
    slices = distributed(tensor, before)
    assert_holds(after, tensor, {r: received(step, r, slices, shape) for r in range(4)})


@pytest.mark.parametrize("itemsize", [1, 1 << 20])
def test_a_memory_cap_is_kept_or_refused_with_what_is_needed(itemsize: int) -> None:
    for source in all_layouts((2, 2), 2, combine="sum"):
        for target in all_layouts((2, 2), 2):
            free = plan_redistribution(source, target, (4, 4), itemsize).peak_bytes
            if not source.same_slices(target):
                caps = range(2 * itemsize, free + 1, itemsize)
                assert free in [cap for cap in caps if is_kept(source, target, itemsize, cap)]
                with pytest.raises(LayoutError, match="too small to take a tensor of shape"):
                    plan_redistribution(source, target, (4, 4), itemsize, memory_cap_bytes=0)


def is_kept(source: Layout, target: Layout, itemsize: int, cap: int) -> bool:
    try:
        plan = plan_redistribution(source, target, (4, 4), itemsize, memory_cap_bytes=cap)
    except LayoutError:
        return False
    assert plan.peak_bytes <= cap
    return True


# --- mistakes ---


def test_a_target_with_terms_that_the_source_lacks_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"joins terms, it makes none. Redistribute to target.resolved\(\)"):
        plan_redistribution(Layout((2,), (0,)), Layout((2,), (-1,), partial=(0,)), (4,), 4)


def test_a_cut_that_does_not_divide_is_the_layouts_own_error() -> None:
    with pytest.raises(LayoutError, match=r"cannot cut into 4 equal slices\. Pad it to 8"):
        plan_redistribution(Layout((4,), (-1,)), Layout((4,), (0,)), (6,), 4)


def test_all_ways_to_place_two_device_axes_on_two_tensor_axes_are_tried() -> None:
    assert len(list(placements((0, 1), 2))) == 11
    assert len(all_layouts((2, 2), 2, combine="sum")) == 11 + 2 * 3 + 1
