"""Ops on the bits of whole numbers, and common divisors and multiples."""

import numpy as np

from simpar.dtype import uint8
from simpar.graph import Example
from simpar.ops._pointwise import BINARY_SHAPES, UNARY_SHAPES, binary, unary
from simpar.ops.support import constant_dtype

__all__: list[str] = []

_ONE = tuple(Example((shape,), dtypes=("int32",), low=-99, high=99, grad=False) for shape in UNARY_SHAPES)
_TWO = tuple(Example(pair, dtypes=("int32",) * 2, low=(-99, 1), high=(99, 20), grad=False) for pair in BINARY_SHAPES)

for _name, _kernel in (
    ("bitwise_and", np.bitwise_and),
    ("bitwise_or", np.bitwise_or),
    ("bitwise_xor", np.bitwise_xor),
    ("left_shift", np.left_shift),
    ("right_shift", np.right_shift),
    ("gcd", np.gcd),
    ("lcm", np.lcm),
):
    binary(_name, _kernel, None, examples=_TWO)

unary("invert", np.invert, None, examples=_ONE)
unary("population_count", np.bitwise_count, None, dtype=constant_dtype(uint8), examples=_ONE)
