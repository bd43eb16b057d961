"""The functions that are methods of Tensors, too: ``x.erf()`` is ``ops.erf(x)``."""

from simpar.dtype import bfloat16, float16, float64, int64
from simpar.ops import functional
from simpar.ops._faces import Operand
from simpar.tensor import Tensor, register_methods

__all__ = ["TENSOR_METHODS"]

_NAMES = """
    absolute acos acosh add addcdiv addcmul addmm addmv addr adjoint amax amin angle approximate_equal arccos arccosh
    arcsin arcsinh arctan arctan2 arctanh argsort asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_left_shift
    bitwise_or bitwise_right_shift bitwise_xor bmm ceil cholesky chunk clamp conj copysign cos cosh count_nonzero cummax
    cummin cumprod deg2rad digamma div divide dot eq equal erf erfc erfinv expm1 fills flip float_power floor
    floor_divide fmod frac gather gather_elements gather_nd gcd ge greater greater_equal gt hardshrink heaviside hypot
    i0 igamma igammac imag index_add index_select inverse invert is_complex isclose isfinite isinf isnan isneginf
    isposinf isreal lcm le lerp less less_equal lgamma log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
    logical_or logical_xor logit logsumexp lt masked_fill maximum minimum mm mul multiply mvlgamma nan_to_num nansum
    narrow ne neg negative nextafter norm not_equal numel outer rad2deg real reciprocal remainder repeat_interleave
    reverse roll round rsqrt sign signbit sin sinc sinh softmax sort split sub subtract tan tensor_split tile topk tril
    triu true_divide trunc unbind unsorted_segment_max unsorted_segment_min unsorted_segment_prod xdivy xlogy
"""
"""Those whose first argument is the Tensor, and whose others are the method's."""


def _where(x: Tensor, condition: Tensor, y: Operand) -> Tensor:
    return functional.where(condition, x, y)


def _long(x: Tensor) -> Tensor:
    return x.astype(int64)


def _half(x: Tensor) -> Tensor:
    return x.astype(float16)


def _bfloat16(x: Tensor) -> Tensor:
    return x.astype(bfloat16)


def _double(x: Tensor) -> Tensor:
    return x.astype(float64)


_FUNCTIONS = {name: getattr(functional, name) for name in _NAMES.split()}
_OWN = {"where": _where, "long": _long, "half": _half, "double": _double, "bfloat16": _bfloat16}
register_methods({**_FUNCTIONS, **_OWN})

TENSOR_METHODS = (*_FUNCTIONS, *_OWN)
"""The names of all methods that come from here."""
