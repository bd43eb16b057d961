"""What the updates of optimizers share: their rule, and the blocks in which they work."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType
from simpar.ops._rows import BLOCK_BYTES, Array, as_tuple

__all__ = ["dtype_of_update", "rule_of_update", "targets", "update_blocks"]

Attrs = Mapping[str, Any]


def rule_of_update(states: int) -> Any:
    """Return the rule of an update: weight, states and gradient alike, then scalars; weight and states result."""
    wide, results = ", ".join(["..."] * (states + 2)), ", ".join(["..."] * (states + 1))

    def rule(shapes: Sequence[Sequence[int]], attrs: Attrs) -> str:
        return f"{wide}{', ' * (len(shapes) - states - 2)} -> {results}"

    return rule


def dtype_of_update(states: int) -> Any:
    def types(given: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
        return tuple(given[: states + 1])

    return types


def targets(out: Any, operands: Sequence[Array]) -> tuple[Array, ...]:
    if out is None:
        return tuple(np.empty(a.shape, a.dtype) for a in operands)
    return as_tuple(out)


def update_blocks(*arrays: Array) -> Iterator[list[Array]]:
    """Give the same block of each array, as flat views; the whole arrays where one is not contiguous."""
    if not all(a.flags.c_contiguous for a in arrays):
        yield list(arrays)
        return
    flat = [a.reshape(-1) for a in arrays]
    step = BLOCK_BYTES // arrays[0].itemsize
    for start in range(0, flat[0].size, step):
        yield [a[start : start + step] for a in flat]
