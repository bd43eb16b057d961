"""All ranks in one process: numpy slices, and the steps of a redistribution carried out on them by definition."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from simpar.layout import (
    AllGather,
    AllReduce,
    AllToAll,
    Box,
    Layout,
    Redistribution,
    ReduceScatter,
    Slice,
    Step,
)

Array = NDArray[np.int64]
Slices = dict[int, Array]
REDUCE = {"sum": np.add.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce}


def placements(device_axes: Sequence[int], tensor_axes: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Give every way to put some of the device axes, in every order, on the tensor axes."""
    if not device_axes:
        yield ((),) * tensor_axes
        return
    for cuts in placements(device_axes[1:], tensor_axes):
        yield cuts
        for i, cut in enumerate(cuts):
            for j in range(len(cut) + 1):
                yield (*cuts[:i], (*cut[:j], device_axes[0], *cut[j:]), *cuts[i + 1 :])


def all_layouts(dev_mat: tuple[int, ...], tensor_axes: int, *, combine: str | None = None) -> list[Layout]:
    """Return every layout over a device matrix, the partial ones too if it is said what joins their terms."""
    axes, found = range(len(dev_mat)), list[Layout]()
    for n in range(len(dev_mat) + 1 if combine else 1):
        for partial in combinations(axes, n):
            cut = [a for a in axes if a not in partial]
            found += [
                Layout(dev_mat, cuts, partial=partial, combine=combine if partial and combine else "sum")
                for cuts in placements(cut, tensor_axes)
            ]
    return found


def slices_of(box: Box) -> tuple[slice, ...]:
    return tuple(slice(start, stop) for start, stop in box)


@cache
def whole_tensor(shape: tuple[int, ...]) -> Array:
    tensor = (np.arange(int(np.prod(shape)), dtype=np.int64) * 7 % 1009).reshape(shape)
    tensor.flags.writeable = False
    return tensor


def distributed(tensor: Array, layout: Layout, seed: int = 0) -> Slices:
    """Return what each rank holds: its box, or a random term of it, such that the terms of a group join to it."""
    slices = {r: np.array(tensor[slices_of(layout.box(tensor.shape, r))]) for r in layout.ranks}
    if not layout.is_partial:
        return slices
    random = np.random.default_rng(seed)
    for group in {layout.group(r, layout.partial) for r in layout.ranks}:
        _, copies = group[0], slices[group[0]]
        terms = random.integers(0, 100, (len(group), *copies.shape))
        terms = -terms if layout.combine == "max" else terms
        terms[-1] = copies - terms[:-1].sum(axis=0) if layout.combine == "sum" else copies
        if layout.combine != "sum":
            terms[:-1] += copies
        random.shuffle(terms)
        slices |= dict(zip(group, terms, strict=True))
    return agree_on_copies(layout, slices)


def agree_on_copies(layout: Layout, slices: Slices) -> Slices:
    """Give ranks that repeat a term the same term."""
    return {r: slices[layout.replicas(r)[0]] for r in slices}


def carry_out(plan: Redistribution, slices: Slices) -> Slices:
    for step in plan.steps:
        slices = {r: after(step, r, slices, plan.shape) for r in step.after.ranks}
        for r in step.after.ranks:
            assert slices[r].shape == step.after.slice_shape(plan.shape, r), step
    return slices


def after(step: Step, rank: int, slices: Slices, shape: tuple[int, ...]) -> Array:
    """Return what a rank holds after a step, computed as the collective of that name is defined."""
    match step:
        case Slice():
            return slices[rank][slices_of(step.box(shape, rank))]
        case AllGather():
            return np.concatenate([slices[r] for r in step.group(rank)], axis=step.tensor_axis)
        case AllReduce():
            return REDUCE[step.combine]([slices[r] for r in step.group(rank)])
        case ReduceScatter():
            group = step.group(rank)
            joined = REDUCE[step.combine]([slices[r] for r in group])
            return np.split(joined, step.blocks, axis=step.tensor_axis)[group.index(rank)]
        case AllToAll():
            group = step.group(rank)
            blocks = [np.split(slices[r], len(group), axis=step.to_axis)[group.index(rank)] for r in group]
            return np.concatenate(blocks, axis=step.from_axis)
        case _:
            return received(step, rank, slices, shape)


def received(step: Step, rank: int, slices: Slices, shape: tuple[int, ...]) -> Array:
    """Return what a rank receives, after proving that each sender lists the same box, and that none is missing."""
    out = np.full(step.after.slice_shape(shape, rank), -1, np.int64)
    filled = np.zeros(out.shape, np.int64)
    for peer, box in step.transfers(shape, rank)[1]:
        assert peer in step.group(rank), "a peer stands outside of the group"
        sent = [b for r, b in transfers_of(step, shape, peer)[0] if r == rank]
        assert len(sent) == 1, "a sender does not know what its receiver waits for"
        out[slices_of(box)] = slices[peer][slices_of(sent[0])]
        filled[slices_of(box)] += 1
    assert (filled == 1).all(), "an element comes twice or not at all"
    return out


@cache
def transfers_of(step: Step, shape: tuple[int, ...], rank: int) -> tuple[tuple[tuple[int, Box], ...], ...]:
    return step.transfers(shape, rank)


def assert_holds(layout: Layout, tensor: Array, slices: Slices) -> None:
    """Say whether every rank holds what a layout promises of a tensor."""
    assert set(slices) == set(layout.ranks)
    for r in layout.ranks:
        held = slices[r]
        if layout.is_partial:
            held = REDUCE[layout.combine]([slices[p] for p in layout.group(r, layout.partial)])
        np.testing.assert_array_equal(held, tensor[slices_of(layout.box(tensor.shape, r))], err_msg=f"rank {r}")
