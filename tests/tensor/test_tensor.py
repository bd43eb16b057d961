"""Tensor: what it is made of, its operators, its shapes, and what a traced one refuses."""

from typing import Any

import numpy as np
import pytest

import simpar.ops  # noqa: F401 - makes the records known
from simpar import dtype as types
from simpar.errors import DTypeError, LayoutError, ValueDependentError
from simpar.graph import Trace, tracing
from simpar.initializer import initializer
from simpar.tensor import Tensor, as_tensor, axes_of, axis_of, bounds_of, filled, lengths_of

X = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)


# --- what it is made of ---


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, types.int64),
        (1.5, types.float32),
        (True, types.bool_),
        ([1.0, 2.0], types.float32),
        ([1, 2], types.int64),
        (np.zeros(2), types.float64),
        (np.zeros(2, np.int8), types.int8),
    ],
)
def test_element_types_are_mindspores(data: Any, dtype: types.DType) -> None:
    assert Tensor(data).dtype == dtype


@pytest.mark.parametrize("data", [None, "text", {}, [[1, 2], [3]]])
def test_what_is_no_number_is_refused(data: Any) -> None:
    with pytest.raises(DTypeError):
        Tensor(data)


def test_a_tensor_has_data_of_its_own() -> None:
    data = np.zeros(2)
    made = Tensor(data)
    data[:] = 1
    assert made.tolist() == [0, 0]


def test_sizes() -> None:
    x = Tensor(X)
    assert (x.shape, x.ndim, x.dim(), x.size, x.itemsize, x.nbytes, len(x)) == ((2, 3, 4), 3, 3, 24, 4, 96, 2)
    with pytest.raises(TypeError):
        len(Tensor(1))


# --- operators ---


def test_operators_compute_what_numpy_does() -> None:
    x, y = X + 1, X[0, 0] + 2
    a, b = Tensor(x), Tensor(y)
    for got, expected in (
        (a + b, x + y), (a - b, x - y), (a * b, x * y), (a / b, x / y), (a // b, x // y), (a % b, x % y), (a**b, x**y),
        (1 + a, 1 + x), (1 - a, 1 - x), (2 * a, 2 * x), (1 / a, 1 / x), (30 // a, 30 // x), (30 % a, 30 % x),
        (2**a, 2**x), (-a, -x), (abs(-a), x), (a @ a.mT, x @ x.swapaxes(1, 2)), (a**2, x**2),
    ):  # fmt: skip
        np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-6)
        assert got.dtype == types.float32


def test_comparisons_are_tensors_of_bools() -> None:
    a = Tensor([1, 2, 3])
    assert (a == 2).tolist() == [False, True, False]
    assert (a != 2).tolist() == [True, False, True]
    assert ((a > 1) & (a <= 2)).tolist() == [False, True, False]
    assert ((a < 2) | ~(a >= 2)).tolist() == [True, False, False]
    assert ((a < 3) ^ (a > 1)).tolist() == [True, False, True]


def test_python_numbers_take_the_type_of_the_tensor_where_it_can_hold_them() -> None:
    assert (Tensor([1], types.int32) + 1).dtype == types.int32
    assert (Tensor([1], types.int32) + 1.5).dtype == types.float32
    assert (Tensor([1.0], types.float16) + 1.5).dtype == types.float16
    assert (np.float64(2) * Tensor([1.0])).dtype == types.float32


def test_whole_numbers_divide_as_float32() -> None:
    made = Tensor([3], types.int32) / Tensor([2], types.int32)
    assert (made.dtype, made.tolist()) == (types.float32, [1.5])


def test_tensors_can_be_keys() -> None:
    a = Tensor([1.0])
    assert {a: 1}[a] == 1


# --- shapes ---


INDICES: list[Any] = [
    0,
    -1,
    slice(1, None),
    slice(5, 9),
    (slice(None), 1),
    (Ellipsis, 1),
    (None, 1),
    (0, 1, 2),
    (slice(None, None, 2), Ellipsis, slice(1, 3)),
    (1, None, slice(None), -2),
    (),
]
REFUSED: list[tuple[Any, type[Exception]]] = [
    (5, IndexError),
    ((0, 0, 0, 0), IndexError),
    ([0, 1], DTypeError),
    (slice(None, None, -1), DTypeError),
]


@pytest.mark.parametrize("index", INDICES)
def test_indexing_is_numpys(index: Any) -> None:
    got = Tensor(X)[index].asnumpy()
    np.testing.assert_array_equal(got, X[index])
    assert got.shape == X[index].shape


@pytest.mark.parametrize(("index", "error"), REFUSED)
def test_other_indices_are_refused(index: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Tensor(X)[index]


def test_shapes_are_numpys() -> None:
    x = Tensor(X)
    for got, expected in (
        (x.T, X.T),
        (x.mT, X.swapaxes(1, 2)),
        (x.transpose(2, 0, 1), X.transpose(2, 0, 1)),
        (x.transpose((2, 0, 1)), X.transpose(2, 0, 1)),
        (x.swapaxes(0, -1), X.swapaxes(0, -1)),
        (x.reshape(-1, 4), X.reshape(-1, 4)),
        (x.reshape((4, 6)), X.reshape(4, 6)),
        (x.view(24), X.reshape(24)),
        (x.flatten(), X.reshape(24)),
        (x.expand_dims(-1), X[..., None]),
        (x.unsqueeze(1), X[:, None]),
        (x[:1].squeeze(0), X[0]),
        (x[:1].squeeze(), X[0]),
        (x.squeeze(), X),
        (x[:, :1].broadcast_to((2, 3, -1)), np.broadcast_to(X[:, :1], X.shape)),
        (x[0].expand_as(x), np.stack([X[0], X[0]])),
    ):
        np.testing.assert_array_equal(got.asnumpy(), expected)


def test_reductions_are_numpys() -> None:
    x = Tensor(X)
    for got, expected in (
        (x.sum(), X.sum()),
        (x.sum(0), X.sum(0)),
        (x.sum((0, -1)), X.sum((0, 2))),
        (x.mean(1), X.mean(1)),
        (x.mean(keep_dims=True), X.mean(keepdims=True)),
        (x.max(), X.max()),
        (x.min(-1), X.min(-1)),
        ((x + 1)[0].prod(1), (X + 1)[0].prod(1)),
        (x.argmax(), X.argmax()),
        (x.argmin(1), X.argmin(1)),
        ((x > 3).all(0), (X > 3).all(0)),
        ((x > 30).any(), False),
        (x.cumsum(-1), X.cumsum(-1)),
    ):
        np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-6)


def test_iteration_gives_the_slices_of_the_first_axis() -> None:
    assert [t.tolist() for t in Tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]


def test_a_cast_to_the_same_type_is_the_tensor_itself() -> None:
    x = Tensor([1.5])
    assert x.astype(types.float32) is x
    assert x.int().dtype == types.int32
    assert x.bool().tolist() == [True]
    assert x.to(np.float16).float().dtype == types.float32


# --- axes and lengths ---


def test_axes_are_counted_from_the_left() -> None:
    assert axis_of(-1, 3) == 2
    assert axes_of((-1, 0), 3) == (0, 2)
    assert axes_of(None, 2) == axes_of((), 2) == (0, 1)
    with pytest.raises(LayoutError, match="axis 3 of a tensor that has 3 axes: give one from -3 to 2"):
        axis_of(3, 3)
    with pytest.raises(LayoutError, match="name an axis twice"):
        axes_of((0, -3), 3)


def test_one_length_may_be_left_open() -> None:
    assert lengths_of((2, -1), 12) == (2, 6)
    assert lengths_of((3, 4), 12) == (3, 4)
    for wrong in ((-1, -1), (5, -1), (-2, 6)):
        with pytest.raises(LayoutError, match="at most one length may be -1"):
            lengths_of(wrong, 12)


def test_bounds_say_what_an_index_takes() -> None:
    bounds = bounds_of((4, 6), (1, slice(None, None, 2)))
    assert (bounds.begin, bounds.end, bounds.strides, bounds.shape) == ((1, 0), (2, 6), (1, 2), (3,))


# --- traced ---


@pytest.mark.parametrize("ask", [bool, float, int, lambda t: t.asnumpy(), lambda t: t.item(), lambda t: [0][t]])
def test_a_traced_tensor_has_no_numbers(ask: Any) -> None:
    with tracing(Trace()) as trace:
        traced = Tensor.wrap(trace.argument((), types.float32, "x")) + 1
    with pytest.raises(ValueDependentError):
        ask(traced)


def test_a_filled_tensor_is_a_node_while_tracing_and_an_array_otherwise() -> None:
    assert filled((2, 2), types.float32, 1).tolist() == [[1, 1], [1, 1]]
    with tracing(Trace()) as trace:
        made = filled((2, 2), types.float32, 1)
    assert [n.op for n in trace.nodes] == ["broadcast_to"]
    assert made.shape == (2, 2)


def test_as_tensor_keeps_tensors() -> None:
    x = Tensor([1])
    assert as_tensor(x) is x
    assert as_tensor(2, Tensor([1.0])).dtype == types.float32


# --- as MindSpore's scripts make and change them ---


def test_a_tensor_from_numpy_shares_the_memory_of_the_array() -> None:
    array = np.zeros((2, 3), np.float32)
    made = Tensor.from_numpy(array)
    array[1] = 2
    assert made.asnumpy().tolist() == [[0, 0, 0], [2, 2, 2]]
    assert made.strides == array.strides
    with pytest.raises(TypeError, match="from_numpy takes a numpy array"):
        Tensor.from_numpy([1, 2])  # pyright: ignore[reportArgumentType]


def test_a_tensor_takes_other_values_and_another_type() -> None:
    made = Tensor([1.5, 2.5])
    held = made.asnumpy()
    assert made.set_dtype(types.int32) is made
    assert (made.dtype, made.asnumpy().tolist()) == (types.int32, [1, 2])
    made.assign_value(Tensor([[7.0]]))
    assert (made.dtype, made.shape, made.asnumpy().tolist()) == (types.float32, (1, 1), [[7.0]])
    assert held.tolist() == [1.5, 2.5]


def test_a_tensor_of_an_initializer_is_filled_when_its_values_are_asked_for() -> None:
    made = initializer("ones", (2,), types.float32)
    assert made.has_init
    assert made.asnumpy().tolist() == [1, 1]
    assert not made.has_init


def test_whole_numbers_beside_bools_are_int64() -> None:
    flags = Tensor([True, False])
    assert ((flags + 2).dtype, (flags + 2).asnumpy().tolist()) == (types.int64, [3, 2])
    assert ((flags * 3).dtype, (flags * 3).asnumpy().tolist()) == (types.int64, [3, 0])
    assert (flags * 0.5).dtype == types.float32
    assert (flags & True).dtype == types.bool_
