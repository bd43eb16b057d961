"""The ops as functions, under MindSpore's lower-case names: element by element, and products."""

from collections.abc import Sequence
from typing import Any, overload

from simpar.errors import RuleError
from simpar.ops._faces import Operand, applied, first_tensor
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "abs",
    "absolute",
    "add",
    "add_n",
    "addn",
    "bias_add",
    "bmm",
    "cast",
    "ceil",
    "clamp",
    "clip_by_value",
    "cos",
    "div",
    "divide",
    "eq",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_div",
    "floor_divide",
    "floor_mod",
    "ge",
    "gelu",
    "greater",
    "greater_equal",
    "gt",
    "identity",
    "isfinite",
    "isnan",
    "le",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "matmul",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "ne",
    "neg",
    "negative",
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
    "subtract",
    "tanh",
    "tensor_add",
    "tensor_div",
    "tensor_mul",
    "tensor_pow",
    "tensor_sub",
    "true_divide",
    "where",
]

# --- element by element ---


def add(x: Operand, y: Operand) -> Tensor:
    """Return x + y."""
    return applied("add", x, y)


def sub(x: Operand, y: Operand) -> Tensor:
    """Return x - y."""
    return applied("sub", x, y)


def mul(x: Operand, y: Operand) -> Tensor:
    """Return x * y."""
    return applied("mul", x, y)


def div(x: Operand, y: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """Return x / y; whole numbers are divided as float32.

    Args:
        rounding_mode: ``"floor"`` rounds down, ``"trunc"`` towards zero.

    Raises:
        RuleError: another rounding mode is wanted.
    """
    kinds = {None: "div", "floor": "floor_div", "trunc": "truncate_div"}
    if rounding_mode not in kinds:
        raise RuleError(f"rounding_mode is {rounding_mode!r}; choose None, 'floor' or 'trunc'.")
    return applied(kinds[rounding_mode], x, y)


def floor_div(x: Operand, y: Operand) -> Tensor:
    """Return x / y rounded down."""
    return applied("floor_div", x, y)


def maximum(x: Operand, y: Operand) -> Tensor:
    """Return the larger of two elements."""
    return applied("maximum", x, y)


def minimum(x: Operand, y: Operand) -> Tensor:
    """Return the smaller of two elements."""
    return applied("minimum", x, y)


def equal(x: Operand, y: Operand) -> Tensor:
    """Return where x == y."""
    return applied("equal", x, y)


def not_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x != y."""
    return applied("not_equal", x, y)


def less(x: Operand, y: Operand) -> Tensor:
    """Return where x < y."""
    return applied("less", x, y)


def less_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x <= y."""
    return applied("less_equal", x, y)


def greater(x: Operand, y: Operand) -> Tensor:
    """Return where x > y."""
    return applied("greater", x, y)


def greater_equal(x: Operand, y: Operand) -> Tensor:
    """Return where x >= y."""
    return applied("greater_equal", x, y)


def logical_and(x: Operand, y: Operand) -> Tensor:
    """Return where x and y."""
    return applied("logical_and", x, y)


def logical_or(x: Operand, y: Operand) -> Tensor:
    """Return where x or y."""
    return applied("logical_or", x, y)


def logical_xor(x: Operand, y: Operand) -> Tensor:
    """Return where either x or y."""
    return applied("logical_xor", x, y)


def floor_mod(x: Operand, y: Operand) -> Tensor:
    """Return x - y * floor(x / y)."""
    return applied("mod", x, y)


def pow(x: Operand, exponent: Operand) -> Tensor:
    """Return x to a power."""
    return as_tensor(x, first_tensor(exponent)) ** exponent


def neg(x: Operand) -> Tensor:
    """Return -x."""
    return applied("neg", x)


def abs(x: Operand) -> Tensor:
    """Return |x|."""
    return applied("abs", x)


def exp(x: Operand) -> Tensor:
    """Return e to the power of x."""
    return applied("exp", x)


def expm1(x: Operand) -> Tensor:
    """Return exp(x) - 1, exact for small x."""
    return applied("expm1", x)


def log(x: Operand) -> Tensor:
    """Return the natural logarithm of x."""
    return applied("log", x)


def log1p(x: Operand) -> Tensor:
    """Return log(1 + x), exact for small x."""
    return applied("log1p", x)


def sqrt(x: Operand) -> Tensor:
    """Return the square root of x."""
    return applied("sqrt", x)


def rsqrt(x: Operand) -> Tensor:
    """Return 1 / sqrt(x)."""
    return applied("rsqrt", x)


def square(x: Operand) -> Tensor:
    """Return x * x."""
    return applied("square", x)


def reciprocal(x: Operand) -> Tensor:
    """Return 1 / x."""
    return applied("reciprocal", x)


def sin(x: Operand) -> Tensor:
    """Return the sine of x."""
    return applied("sin", x)


def cos(x: Operand) -> Tensor:
    """Return the cosine of x."""
    return applied("cos", x)


def sign(x: Operand) -> Tensor:
    """Return -1, 0 or 1."""
    return applied("sign", x)


def floor(x: Operand) -> Tensor:
    """Return x rounded down."""
    return applied("floor", x)


def ceil(x: Operand) -> Tensor:
    """Return x rounded up."""
    return applied("ceil", x)


def round(x: Operand) -> Tensor:
    """Return x rounded, halves to even."""
    return applied("round", x)


def logical_not(x: Operand) -> Tensor:
    """Return where not x."""
    return applied("logical_not", x)


def isnan(x: Operand) -> Tensor:
    """Return where x is not a number."""
    return applied("isnan", x)


def isfinite(x: Operand) -> Tensor:
    """Return where x is finite."""
    return applied("isfinite", x)


def relu(x: Operand) -> Tensor:
    """Return max(x, 0)."""
    return applied("relu", x)


def sigmoid(x: Operand) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return applied("sigmoid", x)


def tanh(x: Operand) -> Tensor:
    """Return the hyperbolic tangent of x."""
    return applied("tanh", x)


def silu(x: Operand) -> Tensor:
    """Return x * sigmoid(x)."""
    return applied("silu", x)


@overload
def stop_gradient(x: None) -> None: ...
@overload
def stop_gradient(x: Operand) -> Tensor: ...
def stop_gradient(x: Operand | None) -> Tensor | None:
    """Return x, through which no gradient flows; None, an operand that is left out, stays None."""
    return None if x is None else applied("stop_gradient", x)


def gelu(x: Operand, approximate: str = "none") -> Tensor:
    """Return x times the probability that a standard normal number is below x; ``"tanh"`` approximates it.

    Source: https://arxiv.org/abs/1606.08415.

    Raises:
        RuleError: ``approximate`` is neither ``"none"`` nor ``"tanh"``.
    """
    if approximate not in ("none", "tanh"):
        raise RuleError(f"gelu approximates by 'none' or 'tanh', not by {approximate!r}.")
    return applied("gelu", x, approximate=approximate)


def clamp(x: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Return x with elements below ``min`` and above ``max`` set to these."""
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


clip_by_value = clamp


def select(condition: Operand, x: Operand, y: Operand) -> Tensor:
    """Return x where the condition holds, else y."""
    like = first_tensor(x, y)
    return one("select", as_tensor(condition), as_tensor(x, like), as_tensor(y, like))


where = select

subtract, multiply, divide, true_divide, floor_divide = sub, mul, div, div, floor_div
eq, ne, lt, le, gt, ge = equal, not_equal, less, less_equal, greater, greater_equal
absolute, negative, tensor_pow = abs, neg, pow
tensor_add, tensor_sub, tensor_mul, tensor_div = add, sub, mul, div


def identity(x: Any) -> Any:
    """Return x as it is, whatever it is."""
    return applied("identity", x) if isinstance(x, Tensor) else x


def cast(x: Operand, dtype: object) -> Tensor:
    """Return x in another element type."""
    return as_tensor(x).astype(dtype)


def addn(x: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape.

    >>> addn([Tensor([1.0]), Tensor([2.0]), Tensor([3.0])]).tolist()
    [6.0]
    """
    return one("add_n", *x)


add_n = addn


# --- products ---


def matmul(x: Operand, y: Operand) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast.

    >>> matmul(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])).tolist()
    [[11.0]]
    """
    return applied("matmul", x, y)


def bmm(x: Tensor, y: Tensor) -> Tensor:
    """Return the matrix product of each pair of a batch."""
    return applied("matmul", x, y)


def bias_add(x: Tensor, bias: Tensor) -> Tensor:
    """Return x plus a bias for each index of axis 1."""
    return one("bias_add", x, bias, axis=1)
