"""Functions of elements, and products."""

from typing import Any

from simpar import ops
from simpar.errors import RuleError
from simpar.ops import (
    abs,
    bmm,
    ceil,
    clamp,
    cos,
    exp,
    expm1,
    floor,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    maximum,
    minimum,
    mul,
    neg,
    not_equal,
    pow,
    reciprocal,
    round,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    tanh,
    where,
)
from simpar.tensor import Tensor

__all__ = [
    "abs",
    "add",
    "bmm",
    "ceil",
    "clamp",
    "cos",
    "div",
    "divide",
    "eq",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isfinite",
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
    "mm",
    "mul",
    "ne",
    "neg",
    "negative",
    "not_equal",
    "pow",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "square",
    "sub",
    "tanh",
    "where",
]

Operand = Tensor | float

eq, ne, gt, ge, lt, le = ops.equal, not_equal, greater, greater_equal, less, less_equal
floor_divide, negative, mm = ops.floor_div, neg, matmul


def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """Return input + alpha * other.

    >>> add(Tensor([1.0]), Tensor([2.0]), alpha=3).tolist()
    [7.0]
    """
    return ops.add(input, other if alpha == 1 else ops.mul(other, alpha))


def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """Return input - alpha * other."""
    return ops.sub(input, other if alpha == 1 else ops.mul(other, alpha))


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """Return input / other, rounded down for ``"floor"`` and towards zero for ``"trunc"``.

    Raises:
        RuleError: another rounding mode is wanted.
    """
    kinds: dict[str | None, Any] = {None: ops.div, "floor": ops.floor_div}
    if rounding_mode not in kinds:
        raise RuleError(f"rounding_mode is {rounding_mode!r}; choose None or 'floor'.")
    return kinds[rounding_mode](input, other)


divide = div
