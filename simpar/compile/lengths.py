"""Inputs of unknown length: a program is traced for one length that fits, and for another if that one does not."""

from collections.abc import Callable, Iterator, Sequence
from math import gcd
from typing import Any, Protocol, TypeVar, runtime_checkable

from simpar.errors import LayoutError, RuleError
from simpar.tensor import Tensor

__all__ = ["divisors", "with_lengths"]

Traced = TypeVar("Traced")


@runtime_checkable
class _Described(Protocol):
    """A length of which something is known (``simpar.Symbol``)."""

    def fits(self, length: int) -> bool:
        """Return whether it may be this one."""
        ...


def with_lengths(trace: Callable[[list[Tensor]], Traced], tensors: list[Tensor], owner: object) -> Traced:
    """Return what ``trace`` makes of the inputs, with other lengths in place of unknown ones until the ops agree.

    Args:
        trace: runs the program on Tensors of known shapes.
        tensors: the inputs; those made of a shape with ``None`` or a ``Symbol`` have unknown lengths.
        owner: the Cell, whose Parameters have the lengths that are likely to be meant.

    Raises:
        RuleError, LayoutError: no length fits the ops; the error is that of the first try.
    """
    try:
        return trace(tensors)
    except (RuleError, LayoutError):
        for length in _likely(tensors, owner) if any(t.unknown for t in tensors) else ():
            try:
                return trace([_of_length(t, length) for t in tensors])
            except (RuleError, LayoutError):
                continue
        raise


def divisors(tensor: Tensor) -> dict[int, int]:
    """Return the axes of unknown length, each with a number that is known to divide it."""
    described = tensor.unknown.items()
    return {axis: gcd(getattr(d, "divisor", 1), getattr(d, "remainder", 0)) for axis, d in described}


def _likely(tensors: Sequence[Tensor], owner: object) -> Iterator[int]:
    """Give the lengths of the program's other axes, those of the Parameters first, each once."""
    parameters: Sequence[Any] = list(getattr(owner, "get_parameters", list)())
    known = (n for t in (*parameters, *tensors) for n in t.shape if n > 1)
    yield from dict.fromkeys(known)


def _of_length(tensor: Tensor, length: int) -> Tensor:
    if not tensor.unknown:
        return tensor
    shape = list(tensor.shape)
    for axis, described in tensor.unknown.items():
        if not isinstance(described, _Described) or described.fits(length):
            shape[axis] = length
    made = Tensor(shape=shape, dtype=tensor.dtype)
    made.unknown = tensor.unknown
    return made
