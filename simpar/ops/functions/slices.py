"""The ops as functions, under MindSpore's lower-case names: parts of a tensor, and padding."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from simpar.errors import RuleError
from simpar.ops.functions.arrays import split
from simpar.ops.shape import call_split
from simpar.ops.support import one
from simpar.tensor import Tensor, as_tensor, axis_of

__all__ = [
    "mirror_index",
    "narrow",
    "pad",
    "slice",
    "strided_index",
    "strided_slice",
    "tensor_split",
    "unbind",
    "unstack",
]

_slice = slice


def strided_index(
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int] | None = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> tuple[Any, ...]:
    """Return the index that a strided slice means; bit i of each mask speaks of entry i.

    Args:
        begin, end, strides: one number per entry.
        begin_mask, end_mask: the entry begins, or ends, where the axis does.
        ellipsis_mask: the entry stands for all axes that are not named.
        new_axis_mask: the entry is a new axis of length one.
        shrink_axis_mask: the entry takes one index, and its axis goes away.

    Raises:
        RuleError: the numbers of entries differ.

    >>> strided_index((0, 2), (4, 3), (1, 1), end_mask=1, shrink_axis_mask=2)
    (slice(0, None, 1), 2)
    """
    steps = tuple(strides or (1,) * len(begin))
    if not len(begin) == len(end) == len(steps):
        raise RuleError(f"begin {tuple(begin)}, end {tuple(end)} and strides {steps} must have as many entries.")

    def entry(i: int, low: int, high: int, step: int) -> Any:
        bit = 1 << i
        if ellipsis_mask & bit:
            return Ellipsis
        if new_axis_mask & bit:
            return None
        if shrink_axis_mask & bit:
            return int(low)
        return _slice(None if begin_mask & bit else int(low), None if end_mask & bit else int(high), int(step))

    return tuple(entry(i, *bounds) for i, bounds in enumerate(zip(begin, end, steps, strict=True)))


def strided_slice(
    x: Tensor,
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int] | None = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Tensor:
    """Return the elements from ``begin`` to ``end`` in steps of ``strides``; for the masks see ``strided_index``."""
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return x[strided_index(begin, end, strides, *masks)]


def slice(input_x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """Return ``size`` elements of each axis from ``begin`` on; -1 takes all that follow.

    >>> slice(Tensor([[1.0, 2.0], [3.0, 4.0]]), (0, 1), (-1, 1)).tolist()
    [[2.0], [4.0]]
    """
    ends = (None if n == -1 else low + n for low, n in zip(begin, size, strict=True))
    return input_x[tuple(_slice(low, high) for low, high in zip(begin, ends, strict=True))]


def narrow(input: Tensor, axis: int, start: int, length: int) -> Tensor:
    """Return ``length`` elements of one axis from ``start`` on."""
    at = axis_of(axis, input.ndim)
    return input[(*(_slice(None),) * at, _slice(start, start + length))]


def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Return so many pieces of an axis, the first ones longer if it does not divide; or the pieces between places."""
    at, given = axis_of(axis, input.ndim), indices_or_sections
    length = input.shape[at]
    if isinstance(given, int):
        each, more = divmod(length, given)
        return call_split(input, at, (*(each + 1,) * more, *(each,) * (given - more)))
    places = [0, *(min(p % length if p < 0 else p, length) for p in given), length]
    return split(input, [high - low for low, high in pairwise(places)], at)


def unstack(input_x: Tensor, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the tensors that stand along an axis, without it."""
    at = axis_of(axis, input_x.ndim)
    return tuple(one("squeeze", part, axis=(at,)) for part in call_split(input_x, at, input_x.shape[at]))


unbind = unstack


def mirror_index(length: int, low: int, high: int, mode: str) -> list[int]:
    """Return which elements of an axis stand where when it is padded from its own elements.

    Args:
        length: of the axis.
        low, high: how many elements are put before and after it.
        mode: ``"reflect"`` (the end is not repeated), ``"symmetric"`` (it is), ``"replicate"`` or ``"circular"``.

    >>> mirror_index(3, 2, 1, "reflect"), mirror_index(3, 1, 1, "circular")
    ([2, 1, 0, 1, 2, 1], [2, 0, 1, 2, 0])
    """
    ways = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "edge": "edge", "circular": "wrap"}
    if mode not in ways:
        raise RuleError(f"pad mode is {mode!r}; choose 'constant', 'reflect', 'replicate' or 'circular'.")
    if max(low, high) >= length + (mode in ("symmetric", "circular")) and ways[mode] != "edge":
        raise RuleError(f"mode {mode!r} pads an axis of length {length} by {low} and {high}: that is more than it has.")
    return [int(i) for i in np.pad(np.arange(length), (low, high), mode=cast("Any", ways[mode]))]


def pad(input_x: Tensor, padding: Sequence[int] | Tensor, mode: str = "constant", value: float | None = None) -> Tensor:
    """Return x with elements around it; ``padding`` holds low and high of the last axis first, as in PyTorch.

    Args:
        input_x: the tensor.
        padding: pairs of whole numbers, none below 0, for at most all axes.
        mode: ``"constant"``, or ``"reflect"``, ``"replicate"``, ``"circular"``: from the tensor's own elements.
        value: the constant, 0 if None.

    Raises:
        RuleError: another mode is wanted, or the numbers are not pairs for at most all axes.

    >>> pad(Tensor([1.0, 2.0]), (1, 0), "replicate").tolist()
    [1.0, 1.0, 2.0]
    """
    given: Any = padding.tolist() if isinstance(padding, Tensor) else padding
    if not all(isinstance(n, int) for n in given) or len(given) % 2 or len(given) > 2 * input_x.ndim:
        raise RuleError(
            f"pad of a tensor with {input_x.ndim} axes takes up to {2 * input_x.ndim} numbers in pairs, low and high "
            f"of the last axis first, not {tuple(given)!r}. To give a pair for each axis, first axis first, use "
            f"ops.Pad(pairs)."
        )
    pairs: list[tuple[int, int]] = [(given[i], given[i + 1]) for i in range(0, len(given), 2)][::-1]
    every = [(0, 0)] * (input_x.ndim - len(pairs)) + pairs
    if mode == "constant":
        return one("pad", input_x, paddings=tuple(every), value=as_tensor(value or 0).item())
    made = input_x
    for axis, (low, high) in enumerate(every):
        if (low, high) != (0, 0):
            made = one("gather", made, Tensor(mirror_index(made.shape[axis], low, high, mode)), axis=axis)
    return made
