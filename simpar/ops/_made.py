"""Ops that make a tensor: the indices along each axis of the result are operands, so that a strategy can cut them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.context import current
from simpar.graph import Strategy, Trace
from simpar.layout import Layout
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, as_tensor

__all__ = ["Made", "lengths", "places"]


def lengths(shape: int | Sequence[int] | Tensor) -> tuple[int, ...]:
    """Return a shape as users give it, a number or a Tensor included, as a tuple.

    >>> lengths(3), lengths([2, 3])
    ((3,), (2, 3))
    """
    if isinstance(shape, int):
        return (shape,)
    given: Sequence[int] = np.ravel(shape.asnumpy()).tolist() if isinstance(shape, Tensor) else shape
    return tuple(int(n) for n in given)


def places(shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the indices along each axis.

    >>> [p.tolist() for p in places((2, 3))]
    [[0, 1], [0, 1, 2]]
    """
    return tuple(Tensor(np.arange(n, dtype=np.int64)) for n in shape)


class Made(Primitive):
    """Makes a tensor; as in MindSpore, the first entry of ``shard`` cuts the *result*."""

    scalars = 1
    """How many operands without axes stand before the indices."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Made":
        """Say how the result is cut; see ``Primitive.shard``."""
        super().shard(in_strategy or None, out_strategy if in_strategy else None)
        if self.in_strategy:
            self.in_strategy = _of_places(self.in_strategy[0], self.scalars)
        return self

    def apply(self, *operands: object, **attrs: Any) -> Tensor | tuple[Tensor, ...]:
        """Apply the op; one with a strategy is recorded also where all operands are constants."""
        trace: Trace | None = current().trace
        if trace is None or self.in_strategy is None:
            return super().apply(*operands, **attrs)
        bound = (Tensor.wrap(trace.bind(as_tensor(x).operand())) for x in operands)
        return super().apply(*bound, **attrs)


def _of_places(result: tuple[int, ...] | Layout, scalars: int) -> Strategy:
    """Turn the cut of the result into those of the indices along each axis."""
    if isinstance(result, Layout):
        dev_mat, ranks = result.dev_mat, result.rank_list
        axes = tuple(Layout(dev_mat, (axis,), ranks) for axis in result.tensor_map)
        return (*(Layout(dev_mat, (), ranks),) * scalars, *axes)
    return (*((),) * scalars, *((n,) for n in result))
