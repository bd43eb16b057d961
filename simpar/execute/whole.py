"""A value from the slices of all ranks, to look at."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import World
from simpar.context import current
from simpar.layout import Layout
from simpar.tensor import Tensor

__all__ = ["full_tensor", "gather_slices"]


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
    ranks = tuple(layout.ranks)
    is_ours = world.rank in ranks
    whole = gather_slices(world, layout, shape, x.asnumpy()) if is_ours else np.empty(shape, x.dtype.numpy)
    if len(ranks) < world.size:  # a value of one stage of a pipeline
        world.communicator.broadcast(whole, ranks[0])
    return Tensor.wrap(whole)


def gather_slices(world: World, layout: Layout, shape: tuple[int, ...], part: NDArray[Any]) -> NDArray[Any]:
    """Return the whole array of which each rank of a layout holds ``part``; all of them call it."""
    ranks = tuple(layout.ranks)
    sent = np.zeros(prod(layout.slice_shape(shape)), part.dtype)  # room for the largest, where they are not equal
    sent[: part.size] = part.reshape(-1)
    gathered = np.empty((len(ranks), sent.size), part.dtype)
    world.group(ranks).all_gather(sent, gathered)
    whole = np.empty(shape, part.dtype)
    for rank, held in zip(ranks, gathered, strict=True):
        box = tuple(slice(start, stop) for start, stop in layout.box(shape, rank))
        whole[box] = held[: whole[box].size].reshape(whole[box].shape)
    return whole
