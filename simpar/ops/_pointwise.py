"""How families of element-wise ops make their records: one line for each op."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simpar.graph import Example, OpDef, op
from simpar.ops.support import Array, blockwise, broadcast_rule, like, one, sum_to
from simpar.tensor import Tensor

__all__ = ["BINARY_SHAPES", "UNARY_SHAPES", "Binary", "Unary", "binary", "in_blocks", "mask", "ternary", "unary"]

Unary = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``(g, x, out)`` to the cotangent of x."""
Binary = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor | None, Tensor | None]]
"""``(g, x, y, out)`` to the cotangents of x and y, before broadcasting is undone."""

UNARY_SHAPES = ((4, 6), (2, 3, 4))
BINARY_SHAPES = (((4, 6), (4, 6)), ((4, 6), (6,)), ((4, 1), (1, 6)), ((2, 1, 4), (4, 1)), ((4, 4), ()))


def unary(
    name: str, kernel: Callable[..., Any], gradient: Unary | None, low: float = -2.0, high: float = 2.0, **fields: Any
) -> OpDef:
    """Make the record of an op of one operand."""

    def bprop(g: Tensor, x: Tensor, *, out: Tensor) -> Tensor | None:
        return None if gradient is None else sum_to(gradient(g, x, out), x)

    examples = tuple(Example((shape,), low=low, high=high, grad=gradient is not None) for shape in UNARY_SHAPES)
    defaults: dict[str, Any] = {"rule": "... -> ...", "elementwise": not fields.get("view"), "examples": examples}
    return op(name, kernel=kernel, bprop=bprop, **{**defaults, **fields})


def binary(
    name: str, kernel: Callable[..., Any], gradient: Binary | None, low: float = -2.0, high: float = 2.0, **fields: Any
) -> OpDef:
    """Make the record of an op of two operands that broadcast."""

    def bprop(g: Tensor, x: Tensor, y: Tensor, *, out: Tensor) -> tuple[Tensor | None, Tensor | None]:
        dx, dy = (None, None) if gradient is None else gradient(g, x, y, out)
        return sum_to(dx, x), sum_to(dy, y)

    examples = tuple(Example(pair, low=low, high=high, grad=gradient is not None) for pair in BINARY_SHAPES)
    defaults: dict[str, Any] = {"rule": broadcast_rule, "elementwise": True, "examples": examples}
    return op(name, kernel=kernel, bprop=bprop, **{**defaults, **fields})


def ternary(
    name: str,
    kernel: Callable[..., Any],
    gradient: Callable[..., Any] | None,
    low: float = -2.0,
    high: float = 2.0,
    **fields: Any,
) -> OpDef:
    """Make the record of an op of three operands that broadcast; ``gradient(g, x, y, z, out)`` as of ``Binary``."""

    def bprop(g: Tensor, *operands: Tensor, out: Tensor) -> tuple[Tensor | None, ...]:
        made = (None,) * len(operands) if gradient is None else gradient(g, *operands, out)
        return tuple(sum_to(d, x) for d, x in zip(made, operands, strict=True))

    examples = tuple(Example((*pair, pair[0]), low=low, high=high, grad=gradient is not None) for pair in BINARY_SHAPES)
    defaults: dict[str, Any] = {"rule": broadcast_rule, "elementwise": True, "examples": examples}
    return op(name, kernel=kernel, bprop=bprop, **{**defaults, **fields})


def mask(condition: Tensor, g: Tensor) -> Tensor:
    """Return g where the condition holds, and 0 elsewhere."""
    return one("select", condition, g, like(0, g))


def in_blocks(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return the kernel of an op of one operand, made of an expression that is computed block by block."""

    def kernel(x: Array, *, out: Array | None = None, **attrs: Any) -> Array:
        def block(target: Array, part: Array) -> None:
            np.copyto(target, function(part, **attrs), casting="same_kind")

        return blockwise(block, out, x)

    return kernel
