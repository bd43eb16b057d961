"""What a Parameter can be made of, and what its settings may be."""

from numbers import Number
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar import dtype as types
from simpar.context import current
from simpar.dtype import DType
from simpar.errors import DTypeError, ParameterError
from simpar.initializer import Filling, Initializer, bind
from simpar.tensor import Tensor

__all__ = [
    "check_bool",
    "check_clone_init",
    "check_fusion",
    "check_int",
    "filling_of",
    "fitting",
    "number_like",
    "values_of",
]

Array = NDArray[Any]


def filling_of(given: object) -> Filling | None:
    """Return what fills ``given`` later, or None if it has values.

    Raises:
        ParameterError: an axis of its shape is not known.
    """
    if not isinstance(given, Tensor) or given.init is None:
        return None
    if any(n < 1 for n in given.shape):
        raise ParameterError(f"a Parameter needs a known shape, but {given.shape} has an axis of unknown length.")
    init = given.init
    return bind(init, given.shape) if isinstance(init, Initializer) else cast("Filling", init)


def values_of(given: object) -> Array:
    """Return the values of a new Parameter, in an array of its own.

    Raises:
        ParameterError: ``given`` is a bool.
        DTypeError: ``given`` is no Tensor, number, array or list of numbers.
    """
    if isinstance(given, bool):
        raise ParameterError(f"a Parameter cannot be made of the bool {given}. Give a Tensor([{given}]) or a number.")
    if isinstance(given, Tensor):
        return given.asnumpy().copy()
    if isinstance(given, np.ndarray):
        return Tensor(cast("Array", given)).asnumpy()
    if isinstance(given, int | float):
        return np.array(given, types.int32.numpy if isinstance(given, int) else types.float32.numpy)
    if isinstance(given, list):
        return Tensor(cast("list[object]", given)).asnumpy()
    raise DTypeError(
        f"a Parameter is made of a Tensor, a number, an array or a list, not of {given!r}, a {type(given).__name__}."
    )


def number_like(given: float, name: str, dtype: DType) -> Array:
    """Return a number as an array of a Parameter's type.

    Raises:
        DTypeError: a float for a Parameter of whole numbers.
    """
    if isinstance(given, float) and not dtype.has_gradient:
        raise DTypeError(f"Parameter {name!r} holds {dtype}, but was given the float {given}. Give a whole number.")
    return np.array(given, dtype.numpy)


def fitting(given: DType, name: str, dtype: DType) -> None:
    """Refuse data of a type above a Parameter's own, which could not hold all of its values.

    A script of MindSpore's may give floats of more bits, as there: they are rounded.

    Raises:
        DTypeError: the type is higher in MindSpore's order.
    """
    is_rounded = current().mindspore and given.is_float and dtype.is_float
    if given.rank > dtype.rank and not is_rounded:
        raise DTypeError(
            f"Parameter {name!r} holds {dtype}, but the new data is {given}, which it cannot hold without loss. "
            f"Convert it: data.astype(simpar.{dtype.name})."
        )


def check_clone_init(init: object) -> None:
    """Refuse what a clone cannot be filled with.

    Raises:
        DTypeError: it is no Tensor, alias, number or Initializer.
    """
    if not isinstance(init, Tensor | str | Number | Initializer):
        raise DTypeError(f"init is {init!r}; give 'same', an alias ('zeros'), a number, an Initializer or a Tensor.")


def check_bool(name: str, given: object) -> bool:
    """Return ``given`` if it is True or False.

    Raises:
        DTypeError: it is neither.
    """
    if not isinstance(given, bool):
        raise DTypeError(f"{name} is {given!r}, a {type(given).__name__}; give True or False.")
    return given


def check_int(name: str, given: object) -> int:
    """Return ``given`` if it is a whole number.

    Raises:
        DTypeError: it is not.
    """
    if isinstance(given, bool) or not isinstance(given, int):
        raise DTypeError(f"{name} is {given!r}, a {type(given).__name__}; give a whole number.")
    return given


def check_fusion(given: object) -> int:
    """Return a fusion index.

    Raises:
        DTypeError: it is no whole number.
        ParameterError: it is negative.
    """
    index = check_int("comm_fusion", given)
    if index < 0:
        raise ParameterError(f"comm_fusion is {index}; give 0 (never fuse) or the number of a group, 1 or more.")
    return index
