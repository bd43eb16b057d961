"""The ops as functions, under MindSpore's lower-case names: element by element, and products."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from simpar.errors import RuleError
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "abs",
    "add",
    "add_n",
    "bias_add",
    "bmm",
    "cast",
    "ceil",
    "clamp",
    "clip_by_value",
    "cos",
    "div",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_div",
    "floor_mod",
    "gelu",
    "greater",
    "greater_equal",
    "isfinite",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "not_equal",
    "pow",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "select",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sqrt",
    "square",
    "stop_gradient",
    "sub",
    "tanh",
    "where",
]

Operand = Tensor | NDArray[Any] | float


def _first(*given: object) -> Tensor | None:
    return next((x for x in given if isinstance(x, Tensor)), None)


def _apply(name: str, *operands: object, **attrs: Any) -> Tensor:
    like = _first(*operands)
    return one(name, *(as_tensor(x, like) for x in operands), **attrs)


# --- element by element ---


def add(x: Operand, y: Operand) -> Tensor:
    """Return x + y."""
    return _apply("add", x, y)


def sub(x: Operand, y: Operand) -> Tensor:
    """Return x - y."""
    return _apply("sub", x, y)


def mul(x: Operand, y: Operand) -> Tensor:
    """Return x * y."""
    return _apply("mul", x, y)


def div(x: Operand, y: Operand) -> Tensor:
    """Return x / y; whole numbers are divided as float32."""
    return _apply("div", x, y)


def floor_div(x: Operand, y: Operand) -> Tensor:
    """Return x / y rounded down."""
    return _apply("floor_div", x, y)


def maximum(x: Operand, y: Operand) -> Tensor:
    """Return the larger of two elements."""
    return _apply("maximum", x, y)


def minimum(x: Operand, y: Operand) -> Tensor:
    """Return the smaller of two elements."""
    return _apply("minimum", x, y)


def equal(x: Operand, y: Operand) -> Tensor:
    """Return where x == y."""
    return _apply("equal", x, y)


def not_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x != y."""
    return _apply("not_equal", x, y)


def less(x: Operand, y: Operand) -> Tensor:
    """Return where x < y."""
    return _apply("less", x, y)


def less_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x <= y."""
    return _apply("less_equal", x, y)


def greater(x: Operand, y: Operand) -> Tensor:
    """Return where x > y."""
    return _apply("greater", x, y)


def greater_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x >= y."""
    return _apply("greater_equal", x, y)


def logical_and(x: Operand, y: Operand) -> Tensor:
    """Return where x and y."""
    return _apply("logical_and", x, y)


def logical_or(x: Operand, y: Operand) -> Tensor:
    """Return where x or y."""
    return _apply("logical_or", x, y)


def logical_xor(x: Operand, y: Operand) -> Tensor:
    """Return where either x or y."""
    return _apply("logical_xor", x, y)


def floor_mod(x: Operand, y: Operand) -> Tensor:
    """Return x - y * floor(x / y)."""
    return _apply("mod", x, y)


def pow(x: Operand, exponent: Operand) -> Tensor:
    """Return x to a power."""
    return as_tensor(x, _first(exponent)) ** exponent


def neg(x: Operand) -> Tensor:
    """Return -x."""
    return _apply("neg", x)


def abs(x: Operand) -> Tensor:
    """Return |x|."""
    return _apply("abs", x)


def exp(x: Operand) -> Tensor:
    """Return e to the power of x."""
    return _apply("exp", x)


def expm1(x: Operand) -> Tensor:
    """Return exp(x) - 1, exact for small x."""
    return _apply("expm1", x)


def log(x: Operand) -> Tensor:
    """Return the natural logarithm of x."""
    return _apply("log", x)


def log1p(x: Operand) -> Tensor:
    """Return log(1 + x), exact for small x."""
    return _apply("log1p", x)


def sqrt(x: Operand) -> Tensor:
    """Return the square root of x."""
    return _apply("sqrt", x)


def rsqrt(x: Operand) -> Tensor:
    """Return 1 / sqrt(x)."""
    return _apply("rsqrt", x)


def square(x: Operand) -> Tensor:
    """Return x * x."""
    return _apply("square", x)


def reciprocal(x: Operand) -> Tensor:
    """Return 1 / x."""
    return _apply("reciprocal", x)


def sin(x: Operand) -> Tensor:
    """Return the sine of x."""
    return _apply("sin", x)


def cos(x: Operand) -> Tensor:
    """Return the cosine of x."""
    return _apply("cos", x)


def sign(x: Operand) -> Tensor:
    """Return -1, 0 or 1."""
    return _apply("sign", x)


def floor(x: Operand) -> Tensor:
    """Return x rounded down."""
    return _apply("floor", x)


def ceil(x: Operand) -> Tensor:
    """Return x rounded up."""
    return _apply("ceil", x)


def round(x: Operand) -> Tensor:
    """Return x rounded, halves to even."""
    return _apply("round", x)


def logical_not(x: Operand) -> Tensor:
    """Return where not x."""
    return _apply("logical_not", x)


def isnan(x: Operand) -> Tensor:
    """Return where x is not a number."""
    return _apply("isnan", x)


def isfinite(x: Operand) -> Tensor:
    """Return where x is finite."""
    return _apply("isfinite", x)


def relu(x: Operand) -> Tensor:
    """Return max(x, 0)."""
    return _apply("relu", x)


def sigmoid(x: Operand) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return _apply("sigmoid", x)


def tanh(x: Operand) -> Tensor:
    """Return the hyperbolic tangent of x."""
    return _apply("tanh", x)


def silu(x: Operand) -> Tensor:
    """Return x * sigmoid(x)."""
    return _apply("silu", x)


def stop_gradient(x: Operand) -> Tensor:
    """Return x, through which no gradient flows."""
    return _apply("stop_gradient", x)


def gelu(x: Operand, approximate: str = "none") -> Tensor:
    """Return x times the probability that a standard normal number is below x; ``"tanh"`` approximates it.

    Source: https://arxiv.org/abs/1606.08415.

    Raises:
        RuleError: ``approximate`` is neither ``"none"`` nor ``"tanh"``.
    """
    if approximate not in ("none", "tanh"):
        raise RuleError(f"gelu approximates by 'none' or 'tanh', not by {approximate!r}.")
    return _apply("gelu", x, approximate=approximate)


def clamp(x: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Return x with elements below ``min`` and above ``max`` set to these."""
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


clip_by_value = clamp


def select(condition: Operand, x: Operand, y: Operand) -> Tensor:
    """Return x where the condition holds, else y."""
    like = _first(x, y)
    return one("select", as_tensor(condition), as_tensor(x, like), as_tensor(y, like))


where = select


def cast(x: Operand, dtype: object) -> Tensor:
    """Return x in another element type."""
    return as_tensor(x).astype(dtype)


def add_n(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape."""
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return total


# --- products ---


def matmul(x: Operand, y: Operand) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast.

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])).tolist()
    [[11.0]]
    """
    return _apply("matmul", x, y)


def bmm(x: Tensor, y: Tensor) -> Tensor:
    """Return the matrix product of each pair of a batch."""
    return _apply("matmul", x, y)


def bias_add(x: Tensor, bias: Tensor) -> Tensor:
    """Return x plus a bias for each index of axis 1."""
    return one("bias_add", x, bias, axis=1)
