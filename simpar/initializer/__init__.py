"""Initializers: how a new tensor is filled, slice by slice and the same under every layout.

``initializer("normal", (4, 6))`` returns a Tensor that has a shape, a type and a recipe, but no data. The values come
later, box by box, from random numbers that are addressed by the global index of each element; so a rank makes its own
slice and no more, and all slices together are what one device would make.

Modules, in reading order: ``base`` (recipe, and recipe bound to a tensor), ``values`` (the recipes).
"""

from collections.abc import Sequence
from numbers import Number
from typing import Any, cast

import numpy as np

from simpar import dtype as types
from simpar.dtype import DType, as_dtype
from simpar.errors import DTypeError, LayoutError
from simpar.initializer.base import Draw, Filling, Initializer, bind, register, registered
from simpar.initializer.values import (
    Constant,
    Dirac,
    HeNormal,
    HeUniform,
    Identity,
    Normal,
    One,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
    Zero,
)
from simpar.tensor import Tensor

__all__ = [
    "Constant",
    "Dirac",
    "Draw",
    "Filling",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "Normal",
    "One",
    "Orthogonal",
    "Sparse",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zero",
    "bind",
    "initializer",
    "recipe",
    "register",
]


def initializer(init: object, shape: int | Sequence[int] | None = None, dtype: DType = types.float32) -> Tensor:
    """Return a Tensor of this shape and type that has an initializer and no data yet.

    Args:
        init: an alias in any case (``"normal"``, ``"XavierUniform"``, ``"zeros"``, ...), a number, an ``Initializer``,
            or a Tensor, which is returned as it is.
        shape: an int, or a list or tuple of positive ints.
        dtype: the element type.

    Raises:
        DTypeError: ``init`` is none of these, or ``dtype`` is no element type.
        LayoutError: ``shape`` is no shape, or not that of the given Tensor.
        ParameterError: there is no initializer of this name.

    >>> initializer("ones", (2, 3)).init_data().asnumpy().tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if isinstance(init, Tensor):
        return _checked_tensor(init, shape)
    made, full, kind = recipe(init), _shape(shape), _element_type(dtype)
    return Tensor(shape=full, dtype=kind, init=bind(made, full))


def recipe(init: object) -> Initializer:
    """Return the initializer that an alias, a number, or an initializer stands for.

    Raises:
        DTypeError: it is none of these.
        ParameterError: there is no initializer of this name.
    """
    if isinstance(init, Initializer):
        return init
    if isinstance(init, str):
        return registered(init)()
    if isinstance(init, Number) and not isinstance(init, complex):
        return Constant(init)
    hint = f" Call it: {init.__name__}()." if isinstance(init, type) else ""
    raise DTypeError(f"init is {init!r}; give an alias such as 'normal', a number, an Initializer or a Tensor.{hint}")


def _checked_tensor(given: Tensor, shape: int | Sequence[int] | None) -> Tensor:
    if shape is not None and _shape(shape) != given.shape:
        raise LayoutError(
            f"init is a Tensor of shape {given.shape}, but shape is {shape}. Leave shape out or make them equal."
        )
    return given


def _shape(given: Any) -> tuple[int, ...]:
    lengths: tuple[Any, ...] = (given,)
    if given is None or isinstance(given, list | tuple):
        lengths = tuple(cast("Sequence[Any]", given or ()))
    if any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in lengths):
        raise LayoutError(f"shape is {given!r}; give a whole number of at least 1, or a list or tuple of them.")
    return tuple(int(n) for n in lengths)


def _element_type(given: Any) -> DType:
    if isinstance(given, str):
        raise DTypeError(f"dtype is the string {given!r}; give the element type itself, e.g. simpar.{given}.")
    return as_dtype(given)
