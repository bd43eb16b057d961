"""place: a program lets a Parameter hold the slice of a layout, in storage of its own or the program's."""

import numpy as np
import pytest
from hypothesis import given

from simpar.context import Context, entered
from simpar.errors import LayoutError
from simpar.layout import Layout
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.parameter.making import counted, lazy
from tests.parameter.test_init_data import layouts, whole_values

ROWS = Layout((2, 2), (1, -1))
BLOCKS = Layout((2, 2), (1, 0))


def test_values_go_into_the_storage_given() -> None:
    made, flat = counted(4, 4), np.zeros(10, np.float32)
    made.place(BLOCKS, 3, flat[2:6].reshape(2, 2))
    assert flat.tolist() == [0, 0, 10, 11, 14, 15, 0, 0, 0, 0]
    made.asnumpy()[0, 0] = 99
    assert flat[2] == 99


def test_placed_parameter_knows_its_layout_and_shapes() -> None:
    made = counted(4, 4)
    made.place(ROWS, 2)
    assert (made.shape, made.full_shape, made.full_shape_of_slice) == ((2, 4), (4, 4), (4, 4))
    assert made.layout == made.spec().layout == ROWS
    assert made.sliced is True


def test_whole_parameter_is_not_sliced() -> None:
    made = counted(4, 4)
    made.place(Layout((2, 2), (-1, -1)), 2)
    assert (made.sliced, made.full_shape_of_slice) == (False, None)


@given(layouts())
def test_initial_values_are_those_of_one_device(place: tuple[tuple[int, ...], Layout]) -> None:
    shape, layout = place
    whole = whole_values(shape)
    for rank in range(layout.size):
        with entered(Context(seed=11)):
            made = lazy(*shape)
            made.place(layout, rank)
        box = tuple(slice(low, high) for low, high in layout.box(shape, rank))
        assert np.array_equal(made.asnumpy(), whole[box])
        assert made.inited_param is made


def test_optimizers_cut_comes_with_the_layout() -> None:
    """Page: "parallel_optimizer [...] filter the weight shard operation": init_data leaves the cut to the program."""
    made = lazy(4, 4)
    made.place(Layout((2, 2), ((1, 0), -1)), 3)
    assert made.shape == (1, 4)


def test_slice_can_be_cut_further_but_not_joined() -> None:
    made = counted(4, 4)
    made.place(ROWS, 3)
    made.place(BLOCKS, 3)
    assert made.asnumpy().tolist() == [[10, 11], [14, 15]]
    with pytest.raises(LayoutError, match=r"holds the box \(\(2, 4\), \(2, 4\)\)"):
        made.place(ROWS, 3)


def test_placing_again_in_the_same_storage_changes_nothing() -> None:
    made, storage = counted(4, 4), np.zeros((2, 4), np.float32)
    made.place(ROWS, 0, storage)
    made.place(ROWS, 0, storage)
    assert storage.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_slice_filled_by_init_data_is_placed() -> None:
    made = lazy(4, 4).init_data(([2, 2], [1, -1], [2, 4]), set_sliced=True)
    values = made.asnumpy().copy()
    made.place(ROWS, 0)
    assert np.array_equal(made.asnumpy(), values)


def test_parameter_of_a_slice_is_that_slice() -> None:
    made = counted(4, 4)
    made.place(ROWS, 0)
    twin = Parameter(made)
    assert (twin.shape, twin.full_shape, twin.layout) == ((2, 4), (4, 4), ROWS)
    sliced = Tensor(np.ones((2, 4)))
    sliced.layout, sliced.full_shape_of_slice = ROWS, (4, 4)
    assert Parameter(sliced).full_shape == (4, 4)
