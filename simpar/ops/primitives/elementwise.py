"""The ops as objects, under MindSpore's class names: element by element, and products.

An object is made once, cut by ``.shard``, and called many times.
"""

from simpar.context import current
from simpar.dtype import as_dtype
from simpar.ops._faces import Binary, Unary
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


# --- element by element ---


class Add(Binary, op="add"):
    """Adds."""


class Sub(Binary, op="sub"):
    """Subtracts."""


class Mul(Binary, op="mul"):
    """Multiplies."""


class Div(Binary, op="div"):
    """Divides."""


class RealDiv(Binary, op="div"):
    """Divides."""


class FloorDiv(Binary, op="floor_div"):
    """Divides and rounds down."""


class Mod(Binary, op="fmod"):
    """Is the remainder of a division rounded towards zero, as C's ``%``."""


class FloorMod(Binary, op="mod"):
    """Is the remainder of a division rounded down."""


class Pow(Binary, op="pow"):
    """Raises to a power."""


class Maximum(Binary, op="maximum"):
    """Takes the larger element."""


class Minimum(Binary, op="minimum"):
    """Takes the smaller element."""


class Equal(Binary, op="equal"):
    """Tells where x == y."""


class NotEqual(Binary, op="not_equal"):
    """Tells where x != y."""


class Less(Binary, op="less"):
    """Tells where x < y."""


class LessEqual(Binary, op="less_equal"):
    """Tells where x <= y."""


class Greater(Binary, op="greater"):
    """Tells where x > y."""


class GreaterEqual(Binary, op="greater_equal"):
    """Tells where x >= y."""


class LogicalAnd(Binary, op="logical_and"):
    """Tells where both are true."""


class LogicalOr(Binary, op="logical_or"):
    """Tells where one is true."""


class LogicalXor(Binary, op="logical_xor"):
    """Tells where exactly one is true."""


class Neg(Unary, op="neg"):
    """Changes the sign."""


class Abs(Unary, op="abs"):
    """Takes the absolute value."""


class Exp(Unary, op="exp"):
    """Raises e to the power x."""


class Expm1(Unary, op="expm1"):
    """Is exp(x) - 1."""


class Log(Unary, op="log"):
    """Takes the natural logarithm."""


class Log1p(Unary, op="log1p"):
    """Is log(1 + x)."""


class Sqrt(Unary, op="sqrt"):
    """Takes the square root."""


class Rsqrt(Unary, op="rsqrt"):
    """Is 1 / sqrt(x)."""


class Square(Unary, op="square"):
    """Multiplies by itself."""


class Reciprocal(Unary, op="reciprocal"):
    """Is 1 / x."""


class Inv(Unary, op="reciprocal"):
    """Is 1 / x."""


class Sin(Unary, op="sin"):
    """Takes the sine."""


class Cos(Unary, op="cos"):
    """Takes the cosine."""


class Sign(Unary, op="sign"):
    """Is -1, 0 or 1."""


class Floor(Unary, op="floor"):
    """Rounds down."""


class Ceil(Unary, op="ceil"):
    """Rounds up."""


class Round(Unary, op="round"):
    """Rounds to the nearest whole number, halves to even."""


class LogicalNot(Unary, op="logical_not"):
    """Tells where x is false."""


class IsNan(Unary, op="isnan"):
    """Tells where x is not a number."""


class IsFinite(Unary, op="isfinite"):
    """Tells where x is finite."""


class ReLU(Unary, op="relu"):
    """Is max(x, 0)."""


class Sigmoid(Unary, op="sigmoid"):
    """Is 1 / (1 + exp(-x))."""


class Tanh(Unary, op="tanh"):
    """Takes the hyperbolic tangent."""


class SiLU(Unary, op="silu"):
    """Is x * sigmoid(x)."""


class StopGradient(Unary, op="stop_gradient"):
    """Lets no gradient through."""


class Identity(Unary, op="identity"):
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

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Cast":
        """Say how the operand is cut; under MindSpore's names it has no effect, as there. See ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        if current().mindspore:
            self.in_strategy = self.out_strategy = None
        return self

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

    cut_attrs = ("enable_nd_tp", "ndtp_reduce_scatter_axis")

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
