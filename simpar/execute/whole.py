"""A value from the slices of all ranks, to look at."""

import numpy as np

from simpar.collectives import World
from simpar.context import current
from simpar.tensor import Tensor

__all__ = ["full_tensor"]


def full_tensor(x: Tensor) -> Tensor:
    """Return the whole of a value of which each rank holds a slice: a Parameter, a gradient, a result.

    A collective: every rank must call it. Inside a compiled function it is not needed, as there values are whole.

    Args:
        x: a Tensor; one that is whole already is copied.

    >>> full_tensor(Tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    layout, shape = x.layout, x.full_shape_of_slice or x.shape
    if current().trace is not None:
        return x
    world: World | None = current().world
    if world is None or layout is None or (layout.size == world.size and x.full_shape_of_slice is None):
        return Tensor.wrap(x.asnumpy().copy())
    whole = np.empty(shape, x.dtype.numpy)
    ranks = tuple(layout.ranks)
    if world.rank in ranks:
        array = np.ascontiguousarray(x.asnumpy())
        gathered = np.empty((len(ranks), *array.shape), array.dtype)
        world.group(ranks).all_gather(array, gathered)
        for rank, part in zip(ranks, gathered, strict=True):
            whole[tuple(slice(start, stop) for start, stop in layout.box(shape, rank))] = part
    if len(ranks) < world.size:  # a value of one stage of a pipeline
        world.communicator.broadcast(whole, ranks[0])
    return Tensor.wrap(whole)
