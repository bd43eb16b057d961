"""The ops as functions, under MindSpore's lower-case names: elements in another order, or more often."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.errors import NotYetError
from simpar.ops.support import one
from simpar.tensor import Tensor, axes_of, axis_of, call

__all__ = [
    "argsort",
    "flip",
    "repeat_elements",
    "repeat_interleave",
    "reverse",
    "roll",
    "sort",
    "topk",
]

Axes = int | Sequence[int]


def _pair(name: str, x: Tensor, **attrs: Any) -> tuple[Tensor, Tensor]:
    made = call(name, x, **attrs)
    assert isinstance(made, tuple), f"{name} has two results"
    return made[0], made[1]


def topk(
    input: Tensor, k: int, dim: int | None = None, largest: bool = True, sorted: bool = True
) -> tuple[Tensor, Tensor]:
    """Return the largest or smallest elements along an axis, in order, and where they stand; of equal ones the first.

    >>> values, places = topk(Tensor([1.0, 3.0, 2.0]), 2)
    >>> values.tolist(), places.tolist()
    ([3.0, 2.0], [1, 2])
    """
    del sorted
    axis = axis_of(-1 if dim is None else dim, input.ndim)
    return _pair("top_k", input, axis=axis, k=int(k), largest=largest)


def sort(input_x: Tensor, axis: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
    """Return the elements along an axis in order, and where they stood; equal ones keep theirs."""
    return _pair("sort", input_x, axis=axis_of(axis, input_x.ndim), descending=descending)


def argsort(input: Tensor, axis: int = -1, descending: bool = False) -> Tensor:
    """Return where the elements along an axis stood before they are put in order."""
    return sort(input, axis, descending)[1]


def flip(input: Tensor, dims: Axes) -> Tensor:
    """Return the tensor with the order of its elements turned round along these axes."""
    return one("reverse", input, axis=axes_of(dims, input.ndim))


reverse = flip


def roll(input: Tensor, shifts: Axes, dims: Axes | None = None) -> Tensor:
    """Return the tensor with its elements moved along axes, round the end; as a flat tensor if no axis is named."""
    numbers = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None:
        flat = one("roll", input.flatten(), axis=(0,), shifts=(sum(numbers),))
        return flat.reshape(input.shape)
    axes = (dims,) if isinstance(dims, int) else tuple(dims)
    return one("roll", input, axis=tuple(axis_of(a, input.ndim) for a in axes), shifts=numbers)


def repeat_interleave(input: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Return the tensor with each element repeated along an axis, or of the flat tensor if None.

    Args:
        input: the tensor.
        repeats: how many times, one number or one for each element of the axis.
        axis: the axis.

    Raises:
        NotYetError: ``repeats`` is only known when the program runs.

    >>> repeat_interleave(Tensor([1.0, 2.0]), 2).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    given = input.flatten() if axis is None else input
    at = axis_of(axis or 0, given.ndim)
    counts = counts_of(repeats)
    return one("repeat", given, axis=at, repeats=counts[0] if len(counts) == 1 else tuple(counts))


def repeat_elements(x: Tensor, rep: int, axis: int = 0) -> Tensor:
    """Return the tensor with each element repeated along an axis."""
    return repeat_interleave(x, rep, axis)


def counts_of(repeats: Any) -> list[int]:
    """Return numbers of repeats, which must be known when the program is made.

    Raises:
        NotYetError: they are not.
    """
    if isinstance(repeats, Tensor):
        if not isinstance(repeats.operand(), np.ndarray):
            raise NotYetError(
                "repeat_interleave: the size of the result depends on the values of repeats, which are not known when "
                "the program is made and cut. Give repeats as numbers."
            )
        repeats = repeats.tolist()
    return [repeats] if isinstance(repeats, int) else [int(n) for n in repeats]
