"""What a Parameter can be made of; the page: "default_input (Union[Tensor, int, float, numpy.ndarray, list])"."""

import copy
from typing import Any

import numpy as np
import pytest

from simpar import dtype as types
from simpar.errors import DTypeError, ParameterError
from simpar.initializer import initializer
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.parameter.making import CUTTING, OTHER_MODES, counted, lazy, mode, ones


def test_parameter_is_a_subtype_of_tensor() -> None:
    """Page: "after initialized Parameter is a subtype of Tensor"."""
    assert isinstance(ones(1, 2), Tensor)


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (3, types.int32, ()),
        (2.5, types.float32, ()),
        ([1, 2], types.int64, (2,)),
        ([1.5, 2], types.float32, (2,)),
        ([True, False], types.bool_, (2,)),
        ([[1, 2], [3, 4]], types.int64, (2, 2)),
        (np.ones((2, 3)), types.float64, (2, 3)),
        (np.ones(2, np.int8), types.int8, (2,)),
        (Tensor([1, 2], types.float16), types.float16, (2,)),
        (Parameter(7), types.int32, ()),
    ],
)
def test_type_of_the_data_is_the_type_of_the_parameter(
    data: object, dtype: types.DType, shape: tuple[int, ...]
) -> None:
    made = Parameter(data)
    assert (made.dtype, made.shape) == (dtype, shape)
    assert made.asnumpy().dtype == dtype.numpy


def test_bool_is_refused() -> None:
    with pytest.raises(ValueError, match="the bool True"):
        Parameter(True)


@pytest.mark.parametrize("data", [(1, 2), 1j, "ones", None, {1}, object(), [[1], [2, 3]], ["a"]], ids=repr)
def test_data_of_another_kind_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        Parameter(data)


def test_unknown_length_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"\(-1, 2\)"):
        Parameter(Tensor(shape=(-1, 2), dtype=types.float32, init=initializer("zeros", (1, 2)).init))


def test_missing_data_and_unknown_keywords_are_refused() -> None:
    make: Any = Parameter
    with pytest.raises(TypeError):
        make()
    with pytest.raises(TypeError):
        make(1, trainable=True)


def test_arguments_stand_in_the_order_of_the_page() -> None:
    """Page: "Parameters: default_input, name, requires_grad, layerwise_parallel, parallel_optimizer"."""
    made = Parameter(1, "w", False, True, False)
    assert (made.name, made.requires_grad, made.layerwise_parallel, made.parallel_optimizer) == (
        "w",
        False,
        True,
        False,
    )


def test_arguments_have_the_defaults_of_the_page() -> None:
    """Page: "Default: None", "Default: True", "Default: False", "Default: True"."""
    made = Parameter(1)
    assert (made.name, made.requires_grad, made.layerwise_parallel, made.parallel_optimizer) == (
        "Parameter",
        True,
        False,
        True,
    )


@pytest.mark.parametrize("argument", ["requires_grad", "layerwise_parallel", "parallel_optimizer"])
@pytest.mark.parametrize("value", [1, 0, None, "True", 1.0])
def test_flag_that_is_no_bool_is_refused(argument: str, value: object) -> None:
    options: Any = {argument: value}
    with pytest.raises(DTypeError, match=argument):
        Parameter(1, **options)


def test_data_is_copied() -> None:
    array = np.zeros(2, np.float32)
    tensor = Tensor(array)
    from_array, from_tensor = Parameter(array), Parameter(tensor)
    array[:] = 5
    tensor.asnumpy()[:] = 6
    assert from_array.asnumpy().tolist() == from_tensor.asnumpy().tolist() == [0, 0]


def test_parameter_of_a_parameter_has_no_name() -> None:
    assert Parameter(ones(2, name="w")).name == "Parameter"


@pytest.mark.parametrize("data", [3, 2.5, [1, 2], np.ones((2, 3))], ids=repr)
def test_data_is_the_parameter_itself(data: object) -> None:
    """Page: "property data: Return the parameter object"."""
    made = Parameter(data)
    assert made.data is made


def test_text_tells_name_shape_type_and_training_but_no_values() -> None:
    made = ones(1, 2)
    assert repr(made) == str(made) == "Parameter (name=w, shape=(1, 2), dtype=Float32, requires_grad=True)"
    assert f"{made}" == str(made)


def test_arithmetic_gives_a_tensor() -> None:
    __import__("simpar.ops")
    made: Any = ones(2)
    made += 1
    assert type(made) is Tensor
    assert made.asnumpy().tolist() == [2, 2]


def test_value_shares_and_copy_does_not() -> None:
    made = ones(2)
    value, copied = made.value(), made.copy()
    made.asnumpy()[:] = 4
    assert type(value) is Tensor
    assert value.asnumpy().tolist() == [4, 4]
    assert type(copied) is Parameter
    assert copied.asnumpy().tolist() == [1, 1]


# --- laziness ---


@pytest.mark.parametrize("name", CUTTING)
def test_initializer_leaves_it_without_values_where_programs_are_cut(name: str) -> None:
    """Page: "Tensor will save the shape and type info of a tensor with no memory usage"."""
    mode(name)
    made = Parameter(initializer("normal", (1 << 20, 1 << 20), types.float16))
    assert (made.shape, made.dtype, made.has_init) == ((1 << 20, 1 << 20), types.float16, True)


@pytest.mark.parametrize("name", OTHER_MODES)
def test_initializer_fills_it_at_once_in_other_modes(name: str) -> None:
    mode(name)
    made = Parameter(initializer("ones", (2, 2)))
    assert not made.has_init
    assert made.asnumpy().tolist() == [[1, 1], [1, 1]]
    assert made.inited_param is None


def test_real_tensor_is_never_lazy() -> None:
    mode("semi_auto_parallel")
    made = counted(2, 2)
    assert not made.has_init
    assert made.init_data(([2], [0, -1], [1, 2])) is made
    assert made.shape == (2, 2)


def test_reading_values_fills_it_whole() -> None:
    assert lazy(2, 2, init="ones").asnumpy().tolist() == [[1, 1], [1, 1]]


def test_two_parameters_of_one_recipe_differ_and_of_one_tensor_do_not() -> None:
    mode("semi_auto_parallel")
    shared = initializer("normal", (4,))
    one, two = Parameter(shared), Parameter(shared)
    other = Parameter(initializer("normal", (4,)))
    assert np.array_equal(one.asnumpy(), two.asnumpy())
    assert not np.array_equal(one.asnumpy(), other.asnumpy())


def test_deepcopy_keeps_name_and_training_only() -> None:
    made = Parameter([1.0], "w", requires_grad=False, layerwise_parallel=True, parallel_optimizer=False)
    made.comm_fusion = 3
    twin = copy.deepcopy(made)
    made.asnumpy()[:] = 9
    assert twin.asnumpy().tolist() == [1]
    assert (twin.name, twin.requires_grad, twin.state_of) == ("w", False, None)
    assert (twin.layerwise_parallel, twin.parallel_optimizer, twin.comm_fusion) == (False, True, 1)
