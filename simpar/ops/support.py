"""What the families of ops share: the rule of broadcasting, its reverse, and kernels that work in blocks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType, float32, promote
from simpar.layout import Rule, parse_rule
from simpar.tensor import Tensor, as_tensor, call

__all__ = [
    "BLOCK",
    "Array",
    "Attrs",
    "Shape",
    "blockwise",
    "broadcast_rule",
    "constant_dtype",
    "float_dtype",
    "letters",
    "like",
    "one",
    "pick_dtype",
    "sum_to",
    "write",
    "zeros_like",
]

Array = NDArray[Any]
Attrs = Mapping[str, Any]
Shape = tuple[int, ...]

BLOCK = 1 << 16
"""Elements per block of a chain of passes: 256 KiB of float32, which stay in the second-level cache."""


def one(name: str, *operands: Tensor, **attrs: Any) -> Tensor:
    """Apply an op that has one result."""
    made = call(name, *operands, **attrs)
    assert isinstance(made, Tensor), f"op {name} has one result"
    return made


def broadcast_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return the rule of an element-wise op: axes matched from the right, device axes in the order of the result's.

    >>> str(broadcast_rule(((3,), (2, 3), (2, 1)), {}))
    '_0, _1 _0, _1 1 -> _1 _0'
    """
    axes = max(map(len, shapes))
    text = ", ".join("..." for _ in shapes) + " -> ..."
    return parse_rule(text, shapes, order=tuple(f"_{i}" for i in reversed(range(axes))))


def letters(count: int, prefix: str = "a") -> list[str]:
    """Return names for factors.

    >>> letters(3)
    ['a0', 'a1', 'a2']
    """
    return [f"{prefix}{i}" for i in range(count)]


# --- gradients ---


def sum_to(g: Tensor | None, given: Tensor) -> Tensor | None:
    """Return a cotangent summed over what was broadcast, in the operand's shape and type; None for whole numbers."""
    if g is None or not given.dtype.has_gradient:
        return None
    shape, lead = given.shape, g.ndim - given.ndim
    stretched = [lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1]
    if lead or stretched:
        g = one("reduce_sum", g, axis=(*range(lead), *stretched), keep_dims=False)
    if g.shape != shape:
        g = one("reshape", g, shape=shape)
    return g.astype(given.dtype)


def like(number: float, given: Tensor) -> Tensor:
    """Return a number as a Tensor of the type of ``given``."""
    return as_tensor(number, given)


def zeros_like(given: Tensor) -> Tensor:
    """Return zeros in the shape, type and cut of a Tensor."""
    return one("full_like", given, value=0)


# --- element types ---


def float_dtype(types: Sequence[DType], attrs: Attrs) -> DType:
    """Return the type of the results of exp, div and the like: float32 for whole numbers."""
    found = promote(types)
    return found if found.has_gradient else float32


def constant_dtype(dtype: DType) -> Callable[[Sequence[DType], Attrs], DType]:
    """Return the ``dtype`` of an op whose result always has this type."""
    return lambda types, attrs: dtype


def pick_dtype(index: int) -> Callable[[Sequence[DType], Attrs], DType]:
    """Return the ``dtype`` of an op whose result has the type of one of its operands."""
    return lambda types, attrs: types[index]


# --- kernels ---


def write(made: Array, out: Array | None) -> Array:
    """Return ``made`` itself, or copied into ``out`` if that is given."""
    if out is None:
        return made
    np.copyto(out, made, casting="unsafe")
    return out


def blockwise(function: Callable[..., None], out: Array | None, *operands: Array, scratch: int = 0) -> Array:
    """Call ``function(target, *parts, *scratch)`` on flat blocks of operands of one shape and return the result.

    Args:
        function: writes a block of the result; it must read each part before it writes over it.
        out: the array to write into, which may be an operand; None to make one.
        operands: arrays of one shape.
        scratch: how many blocks of working space the function gets, made once.
    """
    dtype = np.result_type(*operands)
    dtype = dtype if dtype.kind in "fc" else np.dtype(np.float32)
    operands = tuple(x if x.dtype.kind in "fc" else x.astype(dtype) for x in operands)
    made = np.empty(operands[0].shape, dtype) if out is None else out
    flat = made if made.flags.c_contiguous else np.empty(made.shape, made.dtype)
    target, parts = flat.reshape(-1), [np.ascontiguousarray(x).reshape(-1) for x in operands]
    space = [np.empty(min(BLOCK, target.size), made.dtype) for _ in range(scratch)]
    for start in range(0, target.size, BLOCK):
        block = target[start : start + BLOCK]
        cut = (p[start : start + BLOCK] for p in parts)
        function(block, *cut, *(w[: block.size] for w in space))
    return made if flat is made else write(flat, made)
