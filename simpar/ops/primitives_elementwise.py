"""The ops as objects, under MindSpore's class names: element by element, and products.

An object is made once, cut by ``.shard``, and called many times.
"""

from simpar.dtype import as_dtype
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "Abs",
    "Add",
    "BatchMatMul",
    "BiasAdd",
    "Cast",
    "Ceil",
    "Cos",
    "Div",
    "Equal",
    "Exp",
    "Expm1",
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
    "Pow",
    "ReLU",
    "RealDiv",
    "Reciprocal",
    "Round",
    "Rsqrt",
    "Select",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sqrt",
    "Square",
    "StopGradient",
    "Sub",
    "Tanh",
    "ZerosLike",
]


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
