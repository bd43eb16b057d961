"""init_data; the page: "Initialize the parameter's data", for a whole value or the slice of a layout."""

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpar import dtype as types
from simpar.context import Context, entered, set_seed
from simpar.errors import LayoutError, ModeError
from simpar.initializer import initializer
from simpar.layout import NOT_CUT, Layout
from simpar.parameter import Parameter
from tests.parameter.making import Array, as_rank, counted, lazy, mode


def whole_values(shape: tuple[int, ...], init: object = "normal") -> Array:
    """Return what one device would hold."""
    with entered(Context()):
        set_seed(11)
        return Parameter(initializer(init, shape)).asnumpy()


def slice_values(shape: tuple[int, ...], layout: tuple[Any, ...], rank: int, init: object = "normal") -> Parameter:
    with entered(Context()):
        set_seed(11)
        mode("semi_auto_parallel", device_num=8, global_rank=rank)
        return Parameter(initializer(init, shape), name="w").init_data(layout, set_sliced=True)


def test_whole_value_without_a_layout() -> None:
    made = lazy(2, 2, init="ones")
    assert made.init_data() is made
    assert made.asnumpy().tolist() == [[1, 1], [1, 1]]
    assert (made.sliced, made.has_init) == (False, False)


def test_second_call_returns_the_same_parameter() -> None:
    """Page: "If current Parameter was already initialized before, returns the same initialized Parameter"."""
    made = lazy(2, 2)
    values = made.init_data().asnumpy().copy()
    assert made.init_data() is made
    assert np.array_equal(made.asnumpy(), values)


def test_inited_param_records_the_parameter_with_values() -> None:
    """Page: "Default is a None [...] after call the init_data the initialized Parameter [...] will be recorded"."""
    made = lazy(2, 2)
    assert made.inited_param is None
    made.init_data()
    assert made.inited_param is made
    assert counted(2).init_data().inited_param is None


def test_set_sliced_marks_the_parameter() -> None:
    """Page: "True if the parameter is set sliced after initializing the data. Default: False"."""
    layout = ([2], [0, -1], [1, 2])
    assert lazy(2, 2).init_data(layout, set_sliced=True).sliced is True
    assert lazy(2, 2).init_data(layout).sliced is False


# Slices of MINDSPORE's own layout arithmetic: shape (8, 16); rank, box of its slice.
SLICES = [
    ([2, 4], [1, 0], [4, 4], 3, ((0, 4), (12, 16))),
    ([2, 4], [1, 0], [4, 4], 4, ((4, 8), (0, 4))),
    ([2, 4], [0, 1], [2, 8], 1, ((2, 4), (0, 8))),
    ([2, 4], [0, 1], [2, 8], 7, ((6, 8), (8, 16))),
    ([2, 4], [-1, 0], [8, 4], 6, ((0, 8), (8, 12))),
    ([2, 4], [1, -1], [4, 16], 2, ((0, 4), (0, 16))),
    ([2, 2, 2], [(2, 0), -1], [2, 16], 5, ((6, 8), (0, 16))),
]


@pytest.mark.parametrize(("dev_mat", "tensor_map", "slice_shape", "rank", "box"), SLICES)
def test_slice_is_that_of_the_rank(
    dev_mat: list[int], tensor_map: list[Any], slice_shape: list[int], rank: int, box: tuple[tuple[int, int], ...]
) -> None:
    """Page: "dev_mat (list(int)): Device matrix. tensor_map (list(int)): Tensor map. slice_shape: Shape of slice"."""
    made = slice_values((8, 16), (dev_mat, tensor_map, slice_shape), rank)
    assert made.shape == tuple(slice_shape)
    assert made.full_shape == made.full_shape_of_slice == (8, 16)
    expected = whole_values((8, 16))[tuple(slice(low, high) for low, high in box)]
    assert np.array_equal(made.asnumpy(), expected)


def test_six_members_are_taken_as_three() -> None:
    """MindSpore's compiler gives field size, uniform slices, and the optimizer's group, which cuts later."""
    short, long = ([2, 4], [1, 0], [4, 4]), ([2, 4], [1, 0], [4, 4], 0, True, "4-5-6-7")
    assert np.array_equal(slice_values((8, 16), short, 5).asnumpy(), slice_values((8, 16), long, 5).asnumpy())


@st.composite
def layouts(draw: st.DrawFn) -> tuple[tuple[int, ...], Layout]:
    dev_mat = tuple(draw(st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=3).filter(lambda d: prod(d) <= 8)))
    axes = draw(st.integers(1, 3))
    free = draw(st.permutations(range(len(dev_mat))))
    entries: list[Any] = [NOT_CUT] * axes
    for device_axis in free[: draw(st.integers(0, len(free)))]:
        at = draw(st.integers(0, axes - 1))
        entries[at] = device_axis if entries[at] == NOT_CUT else (*np.atleast_1d(entries[at]).tolist(), device_axis)
    layout = Layout(dev_mat, tuple(entries))
    shape = tuple(cut * draw(st.integers(1, 4)) for cut in layout.cuts)
    return shape, layout


@given(layouts(), st.sampled_from(["normal", "uniform", "truncated_normal"]))
def test_slices_under_any_layout_make_up_the_values_of_one_device(
    place: tuple[tuple[int, ...], Layout], init: str
) -> None:
    shape, layout = place
    whole, found = whole_values(shape, init), np.full(shape, np.nan, np.float32)
    tensor_map = [list(e) if isinstance(e, tuple) else e for e in layout.tensor_map]
    for rank in range(layout.size):
        made = slice_values(shape, (list(layout.dev_mat), tensor_map, list(layout.slice_shape(shape))), rank, init)
        found[tuple(slice(low, high) for low, high in layout.box(shape, rank))] = made.asnumpy()
    assert np.array_equal(found, whole)


def test_slice_of_a_huge_parameter_needs_only_its_memory() -> None:
    n = 1 << 20
    as_rank(0, 1 << 20)
    made = lazy(n, n).init_data(([1024, 1024], [1, 0], [1024, 1024]))
    assert made.nbytes == 4 << 20


def test_slice_shape_is_taken_as_given() -> None:
    """MindSpore does not hold it against the cuts: equal slice numbers give equal values."""
    made = [slice_values((8, 16), ([2, 4], [1, -1], [3, 5]), rank) for rank in (0, 1, 4)]
    assert made[0].shape == (3, 5)
    assert np.array_equal(made[0].asnumpy(), made[1].asnumpy())
    assert not np.array_equal(made[0].asnumpy(), made[2].asnumpy())


# --- mistakes ---


@pytest.mark.parametrize("layout", [[[2], [0, -1], [1, 2]], {"dev_mat": [2]}, 3, "layout"], ids=repr)
def test_layout_that_is_no_tuple_is_refused(layout: object) -> None:
    """Page: "TypeError - If layout is not tuple"."""
    with pytest.raises(TypeError, match="give a tuple"):
        lazy(2, 2).init_data(layout)


@pytest.mark.parametrize("layout", [([2],), ([2], [0, -1])])
def test_layout_of_less_than_three_members_is_refused(layout: object) -> None:
    """Page: "ValueError - If the length of the layout is less than 3"."""
    with pytest.raises(ValueError, match="members; give"):
        lazy(2, 2).init_data(layout)


def test_layout_of_other_members_is_refused() -> None:
    with pytest.raises(TypeError, match="three lists"):
        lazy(2, 2).init_data((2, 0, 1))


def test_tensor_map_of_another_length_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"tensor_map \(0,\) has 1 entries"):
        lazy(2, 2).init_data(([2], [0], [1, 2]))


@pytest.mark.parametrize("layout", [(), []])
def test_empty_layout_is_none(layout: object) -> None:
    assert lazy(2, 2).init_data(layout).shape == (2, 2)


def test_bad_layout_is_not_looked_at_if_there_are_values() -> None:
    mode("semi_auto_parallel")
    made = counted(2, 2)
    assert made.init_data("nonsense") is made


@pytest.mark.parametrize(
    ("before", "after"), [("stand_alone", "semi_auto_parallel"), ("auto_parallel", "data_parallel")]
)
def test_changed_parallel_mode_is_refused(before: str, after: str) -> None:
    """Page: "RuntimeError - If it is from Initializer, and parallel mode has changed after the Initializer created"."""
    mode(before)
    made, real = Parameter(initializer("normal", (2, 2)), name="w"), counted(2, 2)
    mode(after)
    with pytest.raises(RuntimeError, match=f"now it is '{after}'"):
        made.init_data()
    assert real.init_data() is real


def test_modes_that_cut_alike_may_change() -> None:
    mode("semi_auto_parallel")
    made = Parameter(initializer("ones", (2,)))
    mode("auto_parallel")
    assert made.init_data().asnumpy().tolist() == [1, 1]
    assert issubclass(ModeError, RuntimeError)


def test_slice_keeps_the_type() -> None:
    mode("semi_auto_parallel")
    made = Parameter(initializer("normal", (4, 2), types.float16)).init_data(([2], [0, -1], [2, 2]))
    assert made.asnumpy().dtype == np.float16
