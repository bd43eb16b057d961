"""The functions that make, shape and reduce tensors, against numpy."""

from typing import Any

import numpy as np
import pytest

from simpar import dtype as types
from simpar import ops
from simpar.errors import LayoutError, RuleError
from simpar.tensor import Tensor

X = np.arange(1.0, 13.0, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (ops.zeros((2, 3)), np.zeros((2, 3), np.float32)),
        (ops.ones(2, types.int32), np.ones(2, np.int32)),
        (ops.full((2, 1), 1.5), np.full((2, 1), 1.5, np.float32)),
        (ops.full((2,), 3), np.full(2, 3)),
        (ops.zeros_like(Tensor(X)), np.zeros_like(X)),
        (ops.ones_like(Tensor(X), dtype=types.int8), np.ones((3, 4), np.int8)),
        (ops.full_like(Tensor(X), 2.5), np.full_like(X, 2.5)),
        (ops.arange(3), np.arange(3)),
        (ops.arange(1, 7, 2), np.arange(1, 7, 2)),
        (ops.arange(0, 1, 0.25), np.array([0, 0.25, 0.5, 0.75], np.float32)),
    ],
)
def test_new_tensors(made: Tensor, expected: Any) -> None:
    np.testing.assert_array_equal(made.asnumpy(), expected)
    assert made.asnumpy().dtype == expected.dtype


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda x: ops.flatten(x.reshape(3, 2, 2)), X),
        (lambda x: ops.flatten(x.reshape(3, 2, 2), start_dim=0, end_dim=1), X.reshape(6, 2)),
        (lambda x: ops.flatten(x[0]), X[0]),
        (lambda x: ops.chunk(x, 2, 1)[1], X[:, 2:]),
        (lambda x: ops.split(x, 3, 1)[1], X[:, 3:]),
        (lambda x: ops.split(x, (1, 3), 1)[1], X[:, 1:]),
        (lambda x: ops.permute(x, (1, 0)), X.T),
        (lambda x: ops.swapaxes(x, 0, 1), X.T),
        (lambda x: ops.tile(x, (2,)), np.tile(X, (2,))),
        (lambda x: ops.add_n([x, x, x]), 3 * X),
        (lambda x: ops.strided_slice(x, (0, 1), (3, 3)), X[0:3, 1:3]),
        (lambda x: ops.pad(x, (1, 0, 0, 2), value=5), np.pad(X, ((0, 2), (1, 0)), constant_values=5)),
        (lambda x: ops.max(x, 1)[0], X.max(1)),
        (lambda x: ops.max(x, 1)[1], X.argmax(1)),
        (lambda x: ops.min(x, 0, True)[1], X.argmin(0, keepdims=True)),
        (lambda x: ops.sum(x, dtype=types.float64), X.sum(dtype=np.float64)),
        (lambda x: ops.sum(x > 3, 1), (X > 3).sum(1)),
        (lambda x: ops.mean(x.astype(types.int32), 1), X.mean(1)),
        (lambda x: ops.all(x > 0), True),
        (lambda x: ops.any(x > 99, 0), np.zeros(4, bool)),
        (lambda x: ops.argmin(x, 1, True), X.argmin(1, keepdims=True)),
        (lambda x: ops.clip_by_value(x, 2, 5), np.clip(X, 2, 5)),
        (lambda x: ops.clamp(x, max=Tensor(4.0)), np.clip(X, None, 4)),
        (lambda x: ops.cast(x, types.float16), X.astype(np.float16)),
        (lambda x: ops.floor_mod(x, 5), np.mod(X, 5)),
        (lambda x: ops.maximum(2, x), np.maximum(2, X)),
        (lambda x: ops.where(x > 3, 1.0, x), np.where(X > 3, 1, X)),
        (lambda x: ops.bmm(x.reshape(3, 2, 2), x.reshape(3, 2, 2)), X.reshape(3, 2, 2) @ X.reshape(3, 2, 2)),
    ],
)
def test_a_function_computes_what_numpy_does(made: Any, expected: Any) -> None:
    got = made(Tensor(X)).asnumpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert got.shape == np.shape(expected)


@pytest.mark.parametrize("name", ["sqrt", "exp", "sigmoid", "gelu", "tanh", "reciprocal", "log"])
def test_functions_of_whole_numbers_are_float32(name: str) -> None:
    made = getattr(ops, name)(Tensor([1, 2], types.int32))
    assert made.dtype == types.float32
    np.testing.assert_allclose(made.asnumpy(), getattr(ops, name)(Tensor([1.0, 2.0])).asnumpy())


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["relu", "gelu", "sigmoid", "silu", "square", "abs"])
def test_functions_keep_the_type_of_floats(name: str, dtype: str) -> None:
    assert getattr(ops, name)(Tensor(X.astype(dtype))).dtype.name == dtype


def test_sigmoid_is_quiet_far_from_zero() -> None:
    made = ops.sigmoid(Tensor([-1000.0, 0.0, 1000.0]))
    assert made.tolist() == [0.0, 0.5, 1.0]


def test_large_blocks_join_without_a_seam() -> None:
    x = np.linspace(-4, 4, 200_001, dtype=np.float32)
    whole = ops.gelu(Tensor(x), approximate="tanh").asnumpy()
    parts = [ops.gelu(Tensor(p), approximate="tanh").asnumpy() for p in np.split(x, [3, 70_000])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda x: ops.gelu(x, approximate="erf"), RuleError, "'none' or 'tanh'"),
        (lambda x: ops.pad(x, (1, 1), mode="mirror"), RuleError, "constant"),
        (lambda x: ops.flatten(x, order="F"), RuleError, "order 'C'"),
        (lambda x: ops.reshape(x, (5, -1)), LayoutError, "12 elements"),
        (lambda x: ops.sum(x, 2), LayoutError, "axis 2 of a tensor that has 2 axes"),
        (lambda x: ops.matmul(x, x), RuleError, "3 long in shape"),
        (lambda x: ops.concat([x, x[:, :2]], 0), RuleError, "2 long"),
        (lambda x: ops.broadcast_to(x, (3, 5)), RuleError, "cannot be broadcast to"),
        (lambda x: ops.squeeze(x, 0), RuleError, "3 long in shape"),
        (lambda x: ops.split(x, (1, 1), 0), RuleError, "they add up to 2"),
    ],
)
def test_mistakes_are_named(wrong: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        wrong(Tensor(X))


def test_pad_refuses_a_pair_for_each_axis() -> None:
    with pytest.raises(RuleError, match=r"takes up to 4 numbers in pairs.*use ops.Pad"):
        ops.pad(Tensor([[1.0]]), ((1, 1), (2, 2)))  # type: ignore[arg-type]
