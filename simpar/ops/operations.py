"""The ops as objects, under MindSpore's class names: made once, cut by ``.shard``, called many times."""

from collections.abc import Sequence
from math import prod

from simpar.dtype import as_dtype
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, as_tensor, axes_of, axis_of, bounds_of, lengths_of

__all__ = [
    "Abs",
    "Add",
    "Argmax",
    "BatchMatMul",
    "BiasAdd",
    "BroadcastTo",
    "Cast",
    "Ceil",
    "Concat",
    "Cos",
    "CumSum",
    "Div",
    "Equal",
    "Exp",
    "ExpandDims",
    "Expm1",
    "Flatten",
    "Floor",
    "FloorDiv",
    "FloorMod",
    "GeLU",
    "Greater",
    "GreaterEqual",
    "Identity",
    "Inv",
    "IsFinite",
    "IsNan",
    "Less",
    "LessEqual",
    "Log",
    "Log1p",
    "LogicalAnd",
    "LogicalNot",
    "LogicalOr",
    "LogicalXor",
    "MatMul",
    "Maximum",
    "Minimum",
    "Mod",
    "Mul",
    "Neg",
    "NotEqual",
    "OnesLike",
    "Pad",
    "Pow",
    "ReLU",
    "RealDiv",
    "Reciprocal",
    "ReduceAll",
    "ReduceAny",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "Reshape",
    "Round",
    "Rsqrt",
    "Select",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Sin",
    "Split",
    "Sqrt",
    "Square",
    "Squeeze",
    "Stack",
    "StopGradient",
    "StridedSlice",
    "Sub",
    "Tanh",
    "Tile",
    "Transpose",
    "ZerosLike",
]

Axes = int | Sequence[int] | None


class _Unary(Primitive):
    """Is an op of one tensor."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class _Binary(Primitive):
    """Is an op of two tensors or numbers that broadcast."""

    def __call__(self, x: Tensor | float, y: Tensor | float) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)


# --- element by element ---


class Add(_Binary, op="add"):
    """Adds."""


class Sub(_Binary, op="sub"):
    """Subtracts."""


class Mul(_Binary, op="mul"):
    """Multiplies."""


class Div(_Binary, op="div"):
    """Divides."""


class RealDiv(_Binary, op="div"):
    """Divides."""


class FloorDiv(_Binary, op="floor_div"):
    """Divides and rounds down."""


class Mod(_Binary, op="mod"):
    """Is the remainder of a division rounded down."""


class FloorMod(_Binary, op="mod"):
    """Is the remainder of a division rounded down."""


class Pow(_Binary, op="pow"):
    """Raises to a power."""


class Maximum(_Binary, op="maximum"):
    """Takes the larger element."""


class Minimum(_Binary, op="minimum"):
    """Takes the smaller element."""


class Equal(_Binary, op="equal"):
    """Tells where x == y."""


class NotEqual(_Binary, op="not_equal"):
    """Tells where x != y."""


class Less(_Binary, op="less"):
    """Tells where x < y."""


class LessEqual(_Binary, op="less_equal"):
    """Tells where x <= y."""


class Greater(_Binary, op="greater"):
    """Tells where x > y."""


class GreaterEqual(_Binary, op="greater_equal"):
    """Tells where x >= y."""


class LogicalAnd(_Binary, op="logical_and"):
    """Tells where both are true."""


class LogicalOr(_Binary, op="logical_or"):
    """Tells where one is true."""


class LogicalXor(_Binary, op="logical_xor"):
    """Tells where exactly one is true."""


class Neg(_Unary, op="neg"):
    """Changes the sign."""


class Abs(_Unary, op="abs"):
    """Takes the absolute value."""


class Exp(_Unary, op="exp"):
    """Raises e to the power x."""


class Expm1(_Unary, op="expm1"):
    """Is exp(x) - 1."""


class Log(_Unary, op="log"):
    """Takes the natural logarithm."""


class Log1p(_Unary, op="log1p"):
    """Is log(1 + x)."""


class Sqrt(_Unary, op="sqrt"):
    """Takes the square root."""


class Rsqrt(_Unary, op="rsqrt"):
    """Is 1 / sqrt(x)."""


class Square(_Unary, op="square"):
    """Multiplies by itself."""


class Reciprocal(_Unary, op="reciprocal"):
    """Is 1 / x."""


class Inv(_Unary, op="reciprocal"):
    """Is 1 / x."""


class Sin(_Unary, op="sin"):
    """Takes the sine."""


class Cos(_Unary, op="cos"):
    """Takes the cosine."""


class Sign(_Unary, op="sign"):
    """Is -1, 0 or 1."""


class Floor(_Unary, op="floor"):
    """Rounds down."""


class Ceil(_Unary, op="ceil"):
    """Rounds up."""


class Round(_Unary, op="round"):
    """Rounds to the nearest whole number, halves to even."""


class LogicalNot(_Unary, op="logical_not"):
    """Tells where x is false."""


class IsNan(_Unary, op="isnan"):
    """Tells where x is not a number."""


class IsFinite(_Unary, op="isfinite"):
    """Tells where x is finite."""


class ReLU(_Unary, op="relu"):
    """Is max(x, 0)."""


class Sigmoid(_Unary, op="sigmoid"):
    """Is 1 / (1 + exp(-x))."""


class Tanh(_Unary, op="tanh"):
    """Takes the hyperbolic tangent."""


class SiLU(_Unary, op="silu"):
    """Is x * sigmoid(x)."""


class StopGradient(_Unary, op="stop_gradient"):
    """Lets no gradient through."""


class Identity(_Unary, op="identity"):
    """Passes x through."""


class GeLU(Primitive, op="gelu"):
    """Is x times the probability that a standard normal number is below x, approximated by tanh as MindSpore's."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)


class Select(Primitive, op="select"):
    """Takes x where the condition holds, else y."""

    def __call__(self, condition: Tensor, x: Tensor | float, y: Tensor | float) -> Tensor:
        """Apply the op."""
        like = next((t for t in (x, y) if isinstance(t, Tensor)), None)
        return self.apply_one(condition, as_tensor(x, like), as_tensor(y, like))


class Cast(Primitive, op="cast"):
    """Changes the element type."""

    def __call__(self, x: Tensor, dtype: object) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, dtype=as_dtype(dtype).name)


class ZerosLike(Primitive, op="full_like"):
    """Makes zeros of the shape and type of x."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, value=0)


class OnesLike(Primitive, op="full_like"):
    """Makes ones of the shape and type of x."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, value=1)


# --- products ---


class MatMul(Primitive, op="matmul"):
    """Multiplies two matrices.

    Args:
        transpose_a: whether the first is given transposed.
        transpose_b: whether the second is.

    >>> MatMul(transpose_b=True).shard(((2, 1), (4, 1)))
    MatMul(transpose_a=False, transpose_b=True)
    """

    def __init__(self, transpose_a: bool = False, transpose_b: bool = False) -> None:
        super().__init__(transpose_a=transpose_a, transpose_b=transpose_b)

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, y)


class BatchMatMul(MatMul):
    """Multiplies each pair of matrices of a batch; arguments as of ``MatMul``."""


class BiasAdd(Primitive, op="bias_add"):
    """Adds a bias for each index of the channel axis.

    Args:
        data_format: ``"NCHW"`` if channels are axis 1, ``"NHWC"`` if they are the last axis.
    """

    def __init__(self, data_format: str = "NCHW") -> None:
        super().__init__(axis=1 if data_format.startswith("NC") else -1)

    def __call__(self, x: Tensor, bias: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, bias)


# --- reductions ---


class _Reduction(Primitive):
    """Is a reduction over some axes, over all for ``()``.

    Args:
        keep_dims: whether reduced axes stay, with length one.
    """

    def __init__(self, keep_dims: bool = False) -> None:
        super().__init__(keep_dims=keep_dims)

    def __call__(self, x: Tensor, axis: Axes = ()) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(axis, x.ndim))


class ReduceSum(_Reduction, op="reduce_sum"):
    """Sums over axes."""


class ReduceMean(_Reduction, op="reduce_mean"):
    """Takes the mean over axes."""

    def __call__(self, x: Tensor, axis: Axes = ()) -> Tensor:
        """Apply the op."""
        over = axes_of(axis, x.ndim)
        return self.apply_one(x, axis=over, count=prod(x.shape[a] for a in over))


class ReduceMax(_Reduction, op="reduce_max"):
    """Takes the largest element along axes."""


class ReduceMin(_Reduction, op="reduce_min"):
    """Takes the smallest element along axes."""


class ReduceProd(_Reduction, op="reduce_prod"):
    """Multiplies over axes."""


class ReduceAny(_Reduction, op="reduce_any"):
    """Tells whether any element along axes is true."""


class ReduceAll(_Reduction, op="reduce_all"):
    """Tells whether all elements along axes are true."""


class Argmax(Primitive, op="argmax"):
    """Tells where the largest element stands along an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(self.axis, x.ndim), keep_dims=False)


class CumSum(Primitive, op="cumsum"):
    """Sums all elements up to each, along an axis."""

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(axis, x.ndim))


# --- shape ---


class Reshape(Primitive, op="reshape"):
    """Gives the elements another shape; one length may be -1."""

    def __call__(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, shape=lengths_of(shape, x.size))


class Flatten(Primitive, op="reshape"):
    """Merges all axes but the first."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, shape=lengths_of((x.shape[0], -1), x.size))


class Transpose(Primitive, op="transpose"):
    """Puts axes in another order."""

    def __call__(self, x: Tensor, input_perm: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, perm=tuple(axis_of(a, x.ndim) for a in input_perm))


class ExpandDims(Primitive, op="expand_dims"):
    """Inserts an axis of length one."""

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(axis, x.ndim + 1))


class Squeeze(Primitive, op="squeeze"):
    """Takes axes of length one away, all of them for ``()``."""

    def __init__(self, axis: int | tuple[int, ...] = ()) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        ones = tuple(i for i, n in enumerate(x.shape) if n == 1)
        return self.apply_one(x, axis=ones if self.axis == () else axes_of(self.axis, x.ndim))


class BroadcastTo(Primitive, op="broadcast_to"):
    """Repeats a tensor to a shape; -1 keeps an axis."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        lead = len(self.shape) - x.ndim
        return self.apply_one(x, shape=tuple(x.shape[i - lead] if n == -1 else n for i, n in enumerate(self.shape)))


class Tile(Primitive, op="tile"):
    """Repeats a tensor so many times along each axis."""

    def __call__(self, x: Tensor, multiples: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, multiples=(*(1,) * (x.ndim - len(multiples)), *multiples))


class Concat(Primitive, op="concat"):
    """Joins tensors along an axis."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*tensors, axis=axis_of(self.axis, tensors[0].ndim))


class Stack(Primitive, op="stack"):
    """Joins tensors along a new axis."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*tensors, axis=axis_of(self.axis, tensors[0].ndim + 1))


class Split(Primitive, op="split"):
    """Cuts a tensor into equal parts along an axis."""

    def __init__(self, axis: int = 0, output_num: int = 1) -> None:
        super().__init__(parts=output_num)
        self.axis = axis

    def __call__(self, x: Tensor) -> tuple[Tensor, ...]:
        """Apply the op."""
        made = self.apply(x, axis=axis_of(self.axis, x.ndim))
        return made if isinstance(made, tuple) else (made,)


class StridedSlice(Primitive, op="strided_slice"):
    """Takes the elements from ``begin`` to ``end`` in steps of ``strides``, along each axis."""

    def __call__(self, x: Tensor, begin: Sequence[int], end: Sequence[int], strides: Sequence[int]) -> Tensor:
        """Apply the op."""
        bounds = bounds_of(x.shape, tuple(map(slice, begin, end, strides)))
        return self.apply_one(x, begin=bounds.begin, end=bounds.end, strides=bounds.strides)


class Pad(Primitive, op="pad"):
    """Puts zeros around a tensor."""

    def __init__(self, paddings: tuple[tuple[int, int], ...]) -> None:
        super().__init__(paddings=paddings)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)
