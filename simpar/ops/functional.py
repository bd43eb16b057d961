"""The ops as functions, under MindSpore's lower-case names."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, as_dtype, float32
from simpar.errors import RuleError
from simpar.ops.shape import call_split
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor, axis_of, filled

__all__ = [
    "abs",
    "add",
    "add_n",
    "all",
    "amax",
    "amin",
    "any",
    "arange",
    "argmax",
    "argmin",
    "bias_add",
    "bmm",
    "broadcast_to",
    "cast",
    "ceil",
    "chunk",
    "clamp",
    "clip_by_value",
    "concat",
    "cos",
    "cumsum",
    "div",
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "flatten",
    "floor",
    "floor_div",
    "floor_mod",
    "full",
    "full_like",
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
    "mean",
    "minimum",
    "mul",
    "neg",
    "not_equal",
    "ones",
    "ones_like",
    "pad",
    "permute",
    "pow",
    "prod",
    "reciprocal",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_sum",
    "relu",
    "reshape",
    "round",
    "rsqrt",
    "select",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "sub",
    "sum",
    "swapaxes",
    "tanh",
    "tile",
    "transpose",
    "unsqueeze",
    "where",
    "zeros",
    "zeros_like",
]

Axes = int | Sequence[int] | None
Operand = Tensor | np.ndarray[Any, Any] | float


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

    >>> matmul(ones((2, 3, 4)), ones((4, 5))).shape
    (2, 3, 5)
    """
    return _apply("matmul", x, y)


def bmm(x: Tensor, y: Tensor) -> Tensor:
    """Return the matrix product of each pair of a batch."""
    return _apply("matmul", x, y)


def bias_add(x: Tensor, bias: Tensor) -> Tensor:
    """Return x plus a bias for each index of axis 1."""
    return one("bias_add", x, bias, axis=1)


# --- reductions ---


def sum(x: Tensor, dim: Axes = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Return the sum over some axes, all if None."""
    return (x if dtype is None else x.astype(dtype)).sum(dim, keepdim)


def mean(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return the mean over some axes, all if None."""
    return x.mean(axis, keep_dims)


def prod(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return the product over some axes, all if None."""
    return x.prod(axis, keep_dims)


def amax(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the largest element along some axes, all if None."""
    return x.max(axis, keepdims)


def amin(x: Tensor, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element along some axes, all if None."""
    return x.min(axis, keepdims)


def all(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return whether all elements along some axes are true."""
    return x.all(axis, keep_dims)


def any(x: Tensor, axis: Axes = None, keep_dims: bool = False) -> Tensor:
    """Return whether any element along some axes is true."""
    return x.any(axis, keep_dims)


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return where the largest element stands along an axis; among all elements if None."""
    return x.argmax(dim, keepdim)


def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the smallest element stands along an axis; among all elements if None."""
    return x.argmin(axis, keepdims)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """Return the sums of all elements up to each, along an axis."""
    return x.cumsum(axis)


reduce_sum, reduce_mean, reduce_max, reduce_min = sum, mean, amax, amin


# --- shape ---


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x with another shape; one length may be -1."""
    return x.reshape(tuple(shape))


def flatten(x: Tensor, order: str = "C", *, start_dim: int = 1, end_dim: int = -1) -> Tensor:
    """Return x with the axes from ``start_dim`` to ``end_dim`` merged into one."""
    if order != "C":
        raise RuleError(f"flatten reads in order 'C', not {order!r}. Transpose before it.")
    if x.ndim < 2:
        return x.flatten()
    first, last = axis_of(start_dim, x.ndim), axis_of(end_dim, x.ndim)
    return x.reshape((*x.shape[:first], -1, *x.shape[last + 1 :]))


def transpose(x: Tensor, input_perm: Sequence[int]) -> Tensor:
    """Return x with its axes in this order."""
    return x.transpose(tuple(input_perm))


def permute(x: Tensor, axis: Sequence[int]) -> Tensor:
    """Return x with its axes in this order."""
    return x.transpose(tuple(axis))


def swapaxes(x: Tensor, axis0: int, axis1: int) -> Tensor:
    """Return x with two axes swapped."""
    return x.swapaxes(axis0, axis1)


def expand_dims(x: Tensor, axis: int) -> Tensor:
    """Return x with an axis of length one inserted."""
    return x.expand_dims(axis)


unsqueeze = expand_dims


def squeeze(x: Tensor, axis: Axes = None) -> Tensor:
    """Return x without axes of length one; all of them if None."""
    return x.squeeze(axis)


def broadcast_to(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x repeated to a shape; -1 keeps an axis."""
    return x.broadcast_to(tuple(shape))


def tile(x: Tensor, multiples: Sequence[int]) -> Tensor:
    """Return x repeated so many times along each axis."""
    lead = x.ndim - len(multiples)
    return one("tile", x, multiples=(*(1,) * lead, *multiples))


def concat(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis."""
    return one("concat", *tensors, axis=axis_of(axis, tensors[0].ndim))


def stack(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along a new axis."""
    return one("stack", *tensors, axis=axis_of(axis, tensors[0].ndim + 1))


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Return pieces of this length (the last may be shorter), or of these lengths, along an axis."""
    axis = axis_of(axis, tensor.ndim)
    length, given = tensor.shape[axis], split_size_or_sections
    if not isinstance(given, int):
        return call_split(tensor, axis, tuple(given))
    if length % given == 0:
        return call_split(tensor, axis, length // given)
    return call_split(tensor, axis, (*(given,) * (length // given), length % given))


def chunk(x: Tensor, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Return so many pieces along an axis, of equal length but for the last."""
    return split(x, -(-x.shape[axis] // chunks), axis)


def strided_slice(x: Tensor, begin: Sequence[int], end: Sequence[int], strides: Sequence[int] | None = None) -> Tensor:
    """Return the elements from ``begin`` to ``end`` in steps of ``strides``, along each axis."""
    steps = strides or (1,) * len(begin)
    return x[tuple(slice(*bounds) for bounds in zip(begin, end, steps, strict=True))]


def pad(x: Tensor, padding: Sequence[int], mode: str = "constant", value: float = 0) -> Tensor:
    """Return x with a constant around it; ``padding`` holds low and high of the last axis first, as in PyTorch."""
    if mode != "constant":
        raise RuleError(f"pad puts a constant around a tensor; mode {mode!r} is not known.")
    pairs = [(padding[i], padding[i + 1]) for i in range(0, len(padding), 2)][::-1]
    return one("pad", x, paddings=(*((0, 0),) * (x.ndim - len(pairs)), *pairs), value=value)


# --- new tensors ---


def full(size: int | Sequence[int], fill_value: float, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor that holds one number everywhere."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return filled(shape, as_tensor(fill_value).dtype if dtype is None else as_dtype(dtype), fill_value)


def zeros(size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
    """Return a Tensor of zeros, float32 if no type is given."""
    return full(size, 0, dtype=dtype or float32)


def ones(size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
    """Return a Tensor of ones, float32 if no type is given."""
    return full(size, 1, dtype=dtype or float32)


def full_like(x: Tensor, fill_value: float, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of the shape of x that holds one number everywhere."""
    return one("full_like", x if dtype is None else x.astype(dtype), value=fill_value)


def zeros_like(x: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of zeros in the shape and type of x."""
    return full_like(x, 0, dtype=dtype)


def ones_like(x: Tensor, *, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of ones in the shape and type of x."""
    return full_like(x, 1, dtype=dtype)


def arange(start: float = 0, end: float | None = None, step: float = 1, *, dtype: DType | None = None) -> Tensor:
    """Return numbers from ``start`` to below ``end``; from 0 to below ``start`` if no end is given."""
    first, last = (0, start) if end is None else (start, end)
    return Tensor(np.arange(first, last, step).tolist(), dtype)
