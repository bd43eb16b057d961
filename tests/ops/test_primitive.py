"""Primitives: what ``shard`` takes and refuses, as MindSpore's does, and what the objects compute."""

from typing import Any

import numpy as np
import pytest

from simpar import dtype as types
from simpar import ops
from simpar.graph import Trace, tracing
from simpar.layout import Layout
from simpar.tensor import Tensor

X = np.arange(1.0, 13.0, dtype=np.float32).reshape(3, 4)


class Face:
    """Stands for MindSpore's face of a layout."""

    def to_layout(self) -> Layout:
        return Layout((2, 4), (1, 0))


# --- shard ---


def test_shard_keeps_the_strategies_and_returns_the_primitive() -> None:
    matmul = ops.MatMul()
    assert matmul.shard(((2, 1), (1, 4)), ((2, 4),)) is matmul
    assert matmul.in_strategy == ((2, 1), (1, 4))
    assert matmul.out_strategy == ((2, 4),)


def test_shard_takes_layouts_and_their_faces() -> None:
    layout = Layout((2, 4), (1, 0))
    assert ops.Add().shard((layout, Face())).in_strategy == (layout, layout)


def test_shard_without_arguments_is_allowed() -> None:
    assert ops.ReLU().shard(None).in_strategy is None


@pytest.mark.parametrize(
    "wrong",
    [[(2, 1), (1, 4)], ([2, 1], (1, 4)), ((2.0, 1), (1, 4)), ((True, 1), (1, 4)), "2", (2, 1), (Face(), (1, 2))],
)
def test_shard_refuses_what_is_no_tuple_of_tuples_of_ints_or_of_layouts(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"MatMul\.shard"):
        ops.MatMul().shard(wrong)


def test_out_strategy_needs_in_strategy() -> None:
    with pytest.raises(ValueError, match="Give in_strategy as well"):
        ops.MatMul().shard(None, ((2, 1),))


def test_the_strategy_stands_on_the_node() -> None:
    with tracing(Trace()) as trace:
        x = Tensor.wrap(trace.argument((8, 8), types.float32, "x"))
        ops.MatMul(transpose_b=True).shard(((2, 1), (4, 1)), ((2, 4),))(x, x)
    node = trace.nodes[0]
    assert (node.op, node.strategy, node.out_strategy) == ("matmul", ((2, 1), (4, 1)), ((2, 4),))
    assert node.attrs == {"transpose_a": False, "transpose_b": True}


def test_added_attributes_are_kept_and_change_nothing() -> None:
    add = ops.Add().add_prim_attr("keep_alive", True).set_stage(1).recompute()
    assert add.get_attr_dict() == {"keep_alive": True, "stage": 1, "recompute": True}
    assert add(Tensor([1.0]), 2).tolist() == [3.0]
    assert "stage" not in add.del_prim_attr("stage").get_attr_dict()


def test_a_primitive_shows_itself() -> None:
    assert repr(ops.ReduceSum(keep_dims=True)) == "ReduceSum(keep_dims=True)"


# --- what they compute ---

NUMPY_OF: dict[str, Any] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "RealDiv": np.divide,
    "FloorDiv": np.floor_divide, "Mod": np.mod, "FloorMod": np.mod, "Pow": np.power, "Maximum": np.maximum,
    "Minimum": np.minimum, "Equal": np.equal, "NotEqual": np.not_equal, "Less": np.less, "LessEqual": np.less_equal,
    "Greater": np.greater, "GreaterEqual": np.greater_equal, "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or, "LogicalXor": np.logical_xor,
    "Neg": np.negative, "Abs": np.abs, "Exp": np.exp, "Expm1": np.expm1, "Log": np.log, "Log1p": np.log1p,
    "Sqrt": np.sqrt, "Rsqrt": lambda x: 1 / np.sqrt(x), "Square": np.square, "Reciprocal": lambda x: 1 / x,
    "Inv": lambda x: 1 / x, "Sin": np.sin, "Cos": np.cos, "Sign": np.sign, "Floor": np.floor, "Ceil": np.ceil,
    "Round": np.rint, "LogicalNot": np.logical_not, "IsNan": np.isnan, "IsFinite": np.isfinite,
    "ReLU": lambda x: np.maximum(x, 0), "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Tanh": np.tanh,
    "SiLU": lambda x: x / (1 + np.exp(-x)), "StopGradient": lambda x: x, "Identity": lambda x: x,
    "ZerosLike": np.zeros_like, "OnesLike": np.ones_like,
}  # fmt: skip
TWO = {
    "Add", "Sub", "Mul", "Div", "RealDiv", "FloorDiv", "Mod", "FloorMod", "Pow", "Maximum", "Minimum", "Equal",
    "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "LogicalAnd", "LogicalOr", "LogicalXor",
}  # fmt: skip


@pytest.mark.parametrize("name", NUMPY_OF)
def test_an_elementwise_primitive_computes_what_numpy_does(name: str) -> None:
    operands = (X / 4, np.full(4, 1.5, np.float32)) if name in TWO else (X / 4,)
    made = getattr(ops, name)()(*map(Tensor, operands))
    np.testing.assert_allclose(made.asnumpy(), NUMPY_OF[name](*operands), rtol=1e-6)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda x: ops.ReduceSum()(x), X.sum()),
        (lambda x: ops.ReduceSum(keep_dims=True)(x, 0), X.sum(0, keepdims=True)),
        (lambda x: ops.ReduceMean()(x, (0, 1)), X.mean()),
        (lambda x: ops.ReduceMax()(x, -1), X.max(-1)),
        (lambda x: ops.ReduceMin()(x, 1), X.min(1)),
        (lambda x: ops.ReduceProd()(x, 1), X.prod(1)),
        (lambda x: ops.ReduceAny()(x > 11, 0), (X > 11).any(0)),
        (lambda x: ops.ReduceAll()(x > 1), (X > 1).all()),
        (lambda x: ops.Argmax()(x), X.argmax(-1)),
        (lambda x: ops.CumSum()(x, 1), X.cumsum(1)),
        (lambda x: ops.MatMul(transpose_b=True)(x, x), X @ X.T),
        (lambda x: ops.MatMul(transpose_a=True)(x, x), X.T @ X),
        (lambda x: ops.BatchMatMul()(x.reshape(3, 2, 2), x.reshape(3, 2, 2)), X.reshape(3, 2, 2) @ X.reshape(3, 2, 2)),
        (lambda x: ops.BiasAdd()(x, Tensor(X[0])), X + X[0]),
        (lambda x: ops.Reshape()(x, (2, -1)), X.reshape(2, 6)),
        (lambda x: ops.Flatten()(x.reshape(3, 2, 2)), X),
        (lambda x: ops.Transpose()(x, (1, 0)), X.T),
        (lambda x: ops.ExpandDims()(x, -1), X[:, :, None]),
        (lambda x: ops.Squeeze(0)(x.reshape(1, 12)), X.reshape(12)),
        (lambda x: ops.Squeeze()(x.reshape(1, 12, 1)), X.reshape(12)),
        (lambda x: ops.BroadcastTo((2, -1, 4))(x), np.stack([X, X])),
        (lambda x: ops.Tile()(x, (2, 1)), np.tile(X, (2, 1))),
        (lambda x: ops.Concat(1)((x, x)), np.concatenate([X, X], 1)),
        (lambda x: ops.Stack(-1)([x, x]), np.stack([X, X], -1)),
        (lambda x: ops.Split(1, 2)(x)[1], X[:, 2:]),
        (lambda x: ops.StridedSlice()(x, (0, 1), (3, 4), (2, 1)), X[0:3:2, 1:4]),
        (lambda x: ops.Pad(((1, 0), (0, 2)))(x), np.pad(X, ((1, 0), (0, 2)))),
        (lambda x: ops.Cast()(x, types.int32), X.astype(np.int32)),
        (lambda x: ops.Select()(x > 6, x, 0.0), np.where(X > 6, X, 0)),
    ],
)
def test_a_primitive_computes_what_numpy_does(made: Any, expected: Any) -> None:
    got = made(Tensor(X)).asnumpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert got.shape == np.shape(expected)
