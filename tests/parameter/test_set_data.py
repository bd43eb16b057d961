"""set_data; the page: "Set Parameter's data. [...] Returns Parameter, the parameter after set data"."""

from typing import Any

import numpy as np
import pytest

from simpar import dtype as types
from simpar.context import Context
from simpar.errors import DTypeError, LayoutError
from simpar.graph import Trace, tracing
from simpar.initializer import initializer
from simpar.layout import Layout
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.parameter.making import counted, lazy, mode, ones


def test_values_are_copied_in_and_the_parameter_returned() -> None:
    made, new = ones(1, 2), Tensor(np.zeros((1, 2)), types.float32)
    assert made.set_data(new) is made
    new.asnumpy()[:] = 8
    assert made.asnumpy().tolist() == [[0, 0]]


@pytest.mark.parametrize("data", [np.ones((1, 2)), [1.0, 2.0], None, "ones"], ids=repr)
def test_data_of_another_kind_is_refused(data: Any) -> None:
    """Page: "data (Union[Tensor, int, float]) - new data"."""
    with pytest.raises(TypeError, match="give a Tensor or a number"):
        ones(1, 2).set_data(data)


@pytest.mark.parametrize(("start", "data", "expected"), [(1, 5, 5), (1.5, 2, 2.0), (1.5, 2.5, 2.5), (1, True, 1)])
def test_number_becomes_a_scalar_of_the_parameters_type(start: float, data: float, expected: float) -> None:
    made = Parameter(start)
    before = made.dtype
    made.set_data(data)
    assert (made.item(), made.dtype, made.shape) == (expected, before, ())


def test_float_for_a_parameter_of_whole_numbers_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"holds Int32, but was given the float 2\.5"):
        Parameter(1).set_data(2.5)


def test_other_shape_is_refused() -> None:
    """Page: slice_shape "If [...] set to true, the shape is not checked for consistency. Default: False"."""
    with pytest.raises(ValueError, match=r"has shape \(1, 2\), but the new data has shape \(2, 1\)"):
        ones(1, 2).set_data(Tensor([[1.0], [2.0]]))
    with pytest.raises(LayoutError):
        ones(1, 2).set_data(1.0)


def test_slice_shape_lets_another_shape_in() -> None:
    made = ones(4, 2)
    made.set_data(Tensor(np.zeros((2, 2)), types.float32), slice_shape=True)
    assert made.shape == (2, 2)
    assert made.sliced is True


def test_sliced_is_what_the_last_call_said() -> None:
    made = ones(2)
    made.set_data(Tensor([1.0, 2.0]), slice_shape=True)
    assert made.sliced is True
    made.set_data(Tensor([1.0, 2.0]))
    assert made.sliced is False


@pytest.mark.parametrize("dtype", [types.bool_, types.int8, types.int64, types.float16])
def test_lower_type_is_cast_up(dtype: types.DType) -> None:
    made = ones(2).set_data(Tensor([0, 1], dtype))
    assert (made.dtype, made.asnumpy().tolist()) == (types.float32, [0, 1])


@pytest.mark.parametrize(("own", "dtype"), [(types.float32, types.float64), (types.int32, types.float16)])
def test_higher_type_is_refused(own: types.DType, dtype: types.DType) -> None:
    with pytest.raises(TypeError, match=r"Convert it: data\.astype"):
        Parameter(Tensor([1, 2], own)).set_data(Tensor([1, 2], dtype))


def test_initializer_tensor_is_evaluated() -> None:
    assert counted(2).set_data(initializer("ones", (2,))).asnumpy().tolist() == [1, 1]


def test_initializer_is_swapped_while_there_are_no_values() -> None:
    made = lazy(2, init="zeros")
    made.set_data(initializer("ones", (2,)))
    assert made.has_init
    assert made.init_data().asnumpy().tolist() == [1, 1]


def test_values_for_a_parameter_without_are_taken_at_once() -> None:
    made = lazy(2).set_data(Tensor([3.0, 4.0]))
    assert not made.has_init
    assert made.asnumpy().tolist() == [3, 4]


# --- where slices are held ---


def test_placed_parameter_is_written_in_place() -> None:
    made, storage = counted(4, 2), np.zeros((2, 2), np.float32)
    made.place(Layout((2,), (0, -1)), 1, storage)
    made.set_data(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert storage.tolist() == [[1, 2], [3, 4]]
    assert made.asnumpy() is storage


def test_whole_value_for_a_slice_is_cut() -> None:
    made, storage = ones(4, 2), np.zeros((2, 2), np.float32)
    made.place(Layout((2,), (0, -1)), 1, storage)
    made.set_data(Tensor(np.arange(8.0).reshape(4, 2), types.float32))
    assert storage.tolist() == [[4, 5], [6, 7]]
    made.set_data(initializer("zeros", (4, 2)))
    assert storage.tolist() == [[0, 0], [0, 0]]


def test_slice_of_another_layout_is_refused() -> None:
    made = ones(4, 4)
    made.place(Layout((2,), (0, -1)), 1)
    new = Tensor(np.zeros((2, 4)), types.float32)
    new.layout, new.full_shape_of_slice = Layout((2, 2), (0, -1)), (4, 4)
    with pytest.raises(LayoutError, match="cut by"):
        made.set_data(new)


def test_slice_given_by_the_user_is_placed_as_it_is() -> None:
    mode("semi_auto_parallel")
    made = ones(4, 2).set_data(Tensor([[1.0, 2.0], [3.0, 4.0]]), slice_shape=True)
    assert (made.shape, made.full_shape) == ((2, 2), (4, 2))
    made.place(Layout((2,), (0, -1)), 1)
    assert made.asnumpy().tolist() == [[1, 2], [3, 4]]
    other = ones(4, 2).set_data(Tensor([[1.0, 2.0]]), slice_shape=True)
    with pytest.raises(LayoutError, match=r"slice of shape \(1, 2\)"):
        other.place(Layout((2,), (0, -1)), 1)


# --- while a function is traced ---


def test_setting_while_tracing_is_recorded() -> None:
    made, trace = ones(2), Trace()
    with tracing(trace):
        entered = made.operand()
        made.set_data(Tensor([5.0, 6.0]))
        assert made.operand() is not entered
    assert made.asnumpy().tolist() == [1, 1]
    assert len(trace.graph(()).writes) == 1


def test_assign_value_sets_at_once_or_records() -> None:
    made, trace = ones(2), Trace()
    assert made.assign_value(Tensor([2.0, 3.0])).asnumpy().tolist() == [2, 3]
    with tracing(trace):
        made.assign_value(Tensor.wrap(made.operand()))
    assert len(trace.graph(()).writes) == 1


def test_values_cannot_be_read_while_tracing() -> None:
    made = ones(1)
    with tracing(Trace()), pytest.raises(RuntimeError, match=r"asnumpy\(\)"):
        made.asnumpy()


def test_traced_function_sees_the_whole_shape() -> None:
    made = ones(4, 2)
    made.place(Layout((2,), (0, -1)), 0)
    assert made.shape == (2, 2)
    with tracing(Trace()):
        assert made.shape == made.operand().shape == (4, 2)


def test_a_script_of_mindspores_may_give_floats_of_more_bits(own_context: Context) -> None:
    own_context.mindspore = True
    made = ones(2).set_data(Tensor(np.array([0.1, 2.0])))
    assert made.dtype == types.float32
    assert made.asnumpy().tolist() == np.array([0.1, 2.0], np.float32).tolist()
    with pytest.raises(TypeError, match="without loss"):
        Parameter(1).set_data(Tensor(2.0))
