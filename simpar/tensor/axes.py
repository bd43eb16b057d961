"""Axes and lengths as users give them, made plain: no negative axes, no ``-1`` lengths."""

from collections.abc import Sequence
from math import prod

from simpar.errors import LayoutError, Misfit

__all__ = ["axes_of", "axis_of", "lengths_of"]

Shape = tuple[int, ...]


def axis_of(axis: int, ndim: int) -> int:
    """Return an axis counted from the left.

    Raises:
        LayoutError: the tensor has no such axis.

    >>> axis_of(-1, 3)
    2
    """
    if not -ndim <= axis < ndim:
        raise LayoutError(f"axis {axis} of a tensor that has {ndim} axes: give one from {-ndim} to {ndim - 1}.")
    return axis % ndim


def axes_of(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return axes counted from the left, in order; all of them for None and for ``()``.

    Raises:
        LayoutError: there is no such axis, or one is named twice.

    >>> axes_of((-1, 0), 3), axes_of(None, 2)
    ((0, 2), (0, 1))
    """
    if axis is None or axis == ():
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int) else axis
    made = tuple(sorted(axis_of(int(a), ndim) for a in given))
    if len(set(made)) < len(made):
        raise LayoutError(f"axes {tuple(given)} name an axis twice. Name each once.")
    return made


def lengths_of(shape: Sequence[int], size: int) -> Shape:
    """Return a shape whose ``-1`` is replaced by the length that keeps the number of elements.

    Raises:
        LayoutError: more than one length is -1, or no length keeps the number.

    >>> lengths_of((2, -1), 12)
    (2, 6)
    """
    given = tuple(int(n) for n in shape)
    known = prod(n for n in given if n != -1)
    open_axes = given.count(-1)
    if any(n < -1 for n in given) or open_axes > 1 or (open_axes and (not known or size % known)):
        raise LayoutError(
            f"shape {given} for {size} elements: at most one length may be -1, and the others must divide {size}.",
            misfits=(Misfit(size, known, is_multiple=True),),
        )
    return tuple(size // known if n == -1 else n for n in given)
