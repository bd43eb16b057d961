"""clone; the page: "Clone the parameter. [...] Returns Parameter, a new parameter"."""

from typing import Any

import numpy as np
import pytest

from simpar import dtype as types
from simpar.errors import LayoutError, ParameterError
from simpar.initializer import Normal, initializer
from simpar.layout import Layout
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.parameter.making import counted, lazy, mode, ones


def test_same_gives_equal_values_of_its_own() -> None:
    """Page: "if init is 'same', clone a new parameter with the same data, shape, and dtype. Default: 'same'"."""
    made = counted(2, 3)
    twin = made.clone()
    made.asnumpy()[:] = 9
    assert (twin.shape, twin.dtype) == (made.shape, made.dtype)
    assert twin.asnumpy().tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("init", "value"),
    [("zeros", 0), ("Ones", 1), (2, 2), (2.5, 2.5), (Tensor([7.0, 7.0]), 7), (np.float32(3), 3)],
    ids=repr,
)
def test_init_says_the_values_and_keeps_shape_and_type(init: Any, value: float) -> None:
    """Page: "If init is a Tensor or numbers.Number, [...] same shape and dtype, [...] data [...] according to init"."""
    made = Parameter(Tensor([0, 1], types.float16), name="w")
    twin = made.clone(init)
    assert (twin.shape, twin.dtype) == ((2,), types.float16)
    assert twin.asnumpy().tolist() == [value, value]


def test_init_may_be_an_initializer() -> None:
    """Page: "If init is a str, the init should be the alias of the class inheriting from Initializer"."""
    assert ones(100).clone(Normal(0.5)).asnumpy().std() == pytest.approx(0.5, rel=0.4)
    assert ones(2).clone(initializer("zeros", (2,))).asnumpy().tolist() == [0, 0]


def test_settings_and_name_carry_over() -> None:
    made = Parameter([[1.0]], "w", requires_grad=False, layerwise_parallel=True, parallel_optimizer=False)
    made.comm_fusion, made.parallel_optimizer_comm_recompute, made.requires_aggr = 4, True, False
    made.cache_enable, made.cache_shape = True, [3, 1]
    made.set_param_fl(push_to_server=True)
    twin = made.clone("zeros")
    for name in (
        *("name", "requires_grad", "layerwise_parallel", "parallel_optimizer", "comm_fusion", "requires_aggr"),
        *("parallel_optimizer_comm_recompute", "cache_enable", "cache_shape", "push_weight_to_server"),
    ):
        assert getattr(twin, name) == getattr(made, name)


def test_marks_start_anew() -> None:
    made = ones(2)
    made.is_init = made.sliced = made.unique = True
    made.key = 4
    twin = made.clone()
    assert (twin.is_init, twin.sliced, twin.unique, twin.key) == (False, False, False, -1)


def test_cached_clones_have_keys_of_their_own() -> None:
    made = ones(2, 2)
    made.cache_enable = True
    assert made.clone().key != made.clone().key


def test_settings_of_the_clone_are_its_own() -> None:
    made = ones(2)
    twin = made.clone()
    twin.comm_fusion, twin.name = 5, "other"
    assert (made.comm_fusion, made.name) == (1, "w")


def test_state_follows_the_name_of_its_weight() -> None:
    made = ones(2)
    state = made.clone("zeros")
    state.name = "moments.w"
    made.name = "dense.w"
    assert state.state_of == state.spec().state_of == "dense.w"
    assert made.state_of is None


def test_clone_of_a_parameter_without_values_has_none_and_both_can_be_filled() -> None:
    made = lazy(3)
    twin, zeros = made.clone(), made.clone("zeros")
    assert twin.has_init
    assert zeros.has_init
    assert np.array_equal(made.init_data().asnumpy(), twin.init_data().asnumpy())
    assert zeros.init_data().asnumpy().tolist() == [0, 0, 0]


def test_state_of_a_huge_weight_needs_no_memory() -> None:
    made = lazy(1 << 20, 1 << 20)
    assert made.clone("zeros").has_init


def test_clone_of_a_slice_is_a_slice() -> None:
    made = counted(4, 2)
    made.place(Layout((2,), (0, -1)), 1)
    assert made.clone().asnumpy().tolist() == [[4, 5], [6, 7]]
    assert made.clone("zeros").asnumpy().tolist() == [[0, 0], [0, 0]]
    assert made.clone(Tensor(np.arange(8.0).reshape(4, 2))).asnumpy().tolist() == [[4, 5], [6, 7]]
    assert made.clone().full_shape == (4, 2)
    mode("semi_auto_parallel")
    state = made.clone("zeros")
    assert (state.has_init, state.shape) == (True, (4, 2))


def test_tensor_of_another_shape_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"shape \(3,\), but Parameter 'w' has shape \(2,\)"):
        ones(2).clone(Tensor([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("init", [None, [1, 2], (1,), Normal], ids=repr)
def test_init_of_another_kind_is_refused(init: object) -> None:
    with pytest.raises(TypeError, match="give 'same'"):
        ones(2).clone(init)


def test_unknown_alias_is_refused() -> None:
    with pytest.raises(ParameterError, match="'gauss' is no initializer"):
        ones(2).clone("gauss")
