"""``mindspore.mint.distributed``: collectives that run at once and write into Tensors they are given.

``group`` is the name of a group (None for all ranks); ranks are numbers in the world. With ``async_op`` a function
returns a ``CommHandle`` whose ``wait()`` ends it, else None. In compiled functions the operators of ``ops`` take their
place. ``op`` is ``"sum"``, ``"prod"``, ``"min"``, ``"max"`` or ``"avg"``.
"""

from collections.abc import Sequence

import numpy as np

from simpar.communication.handles import (
    Array,
    CommHandle,
    combined_by,
    divide,
    finish,
    group_of,
    memory,
    place_in,
    rows_by_place,
    swap,
    tensors,
)
from simpar.errors import DTypeError, RuleError
from simpar.tensor import Tensor

__all__: list[str] = [
    "CommHandle",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_into_tensor_uneven",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "all_to_all_v_c",
    "barrier",
    "broadcast",
    "gather",
    "gather_into_tensor",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "reduce_scatter_tensor_uneven",
    "scatter",
    "scatter_tensor",
]

# --- values combined ---


def all_reduce(tensor: Tensor, op: str = "sum", group: str | None = None, async_op: bool = False) -> CommHandle | None:
    """Replace a Tensor on every rank by those of all ranks, combined."""
    ranks, x, how = group_of("all_reduce", group), memory("all_reduce", tensor), combined_by("all_reduce", op)
    return finish([ranks.start_all_reduce(x, how)], async_op, lambda: divide(x, op, ranks.size))


def reduce(
    tensor: Tensor, dst: int, op: str = "sum", group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Replace a Tensor on rank ``dst`` by those of all ranks, combined; the others keep theirs."""
    ranks, how = group_of("reduce", group), combined_by("reduce", op)
    x, place = memory("reduce", tensor), place_in("reduce", ranks, dst)
    total = x.copy()

    def keep() -> None:
        if ranks.rank == place:
            divide(total, op, ranks.size)
            x[...] = total

    return finish([ranks.start_all_reduce(total, how)], async_op, keep)


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: str = "sum", group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Combine the inputs of all ranks, and write this rank's equal part of axis 0 into ``output``."""
    name, ranks = "reduce_scatter_tensor", group_of("reduce_scatter_tensor", group)
    y, x = memory(name, output), memory(name, input)
    _check_same_size(name, y, rows_by_place(name, x, None, ranks.size)[ranks.rank])
    how = combined_by(name, op)
    return finish([ranks.start_reduce_scatter(x, y, how)], async_op, lambda: divide(y, op, ranks.size))


def reduce_scatter_tensor_uneven(
    output: Tensor,
    input: Tensor,
    input_split_sizes: Sequence[int] | None = None,
    op: str = "sum",
    group: str | None = None,
    async_op: bool = False,
) -> CommHandle | None:
    """Combine the inputs of all ranks, and write this rank's part of axis 0, of its own length, into ``output``."""
    name, ranks = "reduce_scatter_tensor_uneven", group_of("reduce_scatter_tensor_uneven", group)
    y, total, how = memory(name, output), memory(name, input).copy(), combined_by(name, op)
    mine = rows_by_place(name, total, input_split_sizes, ranks.size)[ranks.rank]
    _check_same_size(name, y, mine)

    def keep() -> None:
        divide(mine, op, ranks.size)
        y[...] = mine.reshape(y.shape)

    return finish([ranks.start_all_reduce(total, how)], async_op, keep)


def reduce_scatter(
    output: Tensor, input_list: Sequence[Tensor], op: str = "sum", group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Combine element i of the lists of all ranks on rank i, in ``output``."""
    ranks, y = group_of("reduce_scatter", group), memory("reduce_scatter", output)
    parts, how = tensors("reduce_scatter", input_list, ranks.size), combined_by("reduce_scatter", op)
    _check_same_size("reduce_scatter", y, parts[ranks.rank])
    total = np.concatenate([part.reshape(-1) for part in parts])
    mine = rows_by_place("reduce_scatter", total, [part.size for part in parts], ranks.size)[ranks.rank]

    def keep() -> None:
        divide(mine, op, ranks.size)
        y[...] = mine.reshape(y.shape)

    return finish([ranks.start_all_reduce(total, how)], async_op, keep)


# --- values gathered and dealt out ---


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write the inputs of all ranks into ``output_tensor``, one after the other along axis 0."""
    name, ranks = "all_gather_into_tensor", group_of("all_gather_into_tensor", group)
    y, x = memory(name, output_tensor), memory(name, input_tensor)
    _check_same_size(name, rows_by_place(name, y, None, ranks.size)[ranks.rank], x)
    return finish([ranks.start_all_gather(x, y)], async_op)


def all_gather_into_tensor_uneven(
    output: Tensor,
    input: Tensor,
    output_split_sizes: Sequence[int] | None = None,
    group: str | None = None,
    async_op: bool = False,
) -> CommHandle | None:
    """Write the inputs of all ranks, which may be of unlike length, into ``output``, one after the other."""
    name, ranks = "all_gather_into_tensor_uneven", group_of("all_gather_into_tensor_uneven", group)
    takes, x = rows_by_place(name, memory(name, output), output_split_sizes, ranks.size), memory(name, input)
    _check_same_size(name, takes[ranks.rank], x)
    return finish(swap(ranks, dict.fromkeys(range(ranks.size), x), takes), async_op)


def all_gather(
    tensor_list: Sequence[Tensor], tensor: Tensor, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write the Tensor of rank i into element i of the list."""
    ranks, x = group_of("all_gather", group), memory("all_gather", tensor)
    takes = tensors("all_gather", tensor_list, ranks.size)
    _check_same_size("all_gather", takes[ranks.rank], x)
    return finish(swap(ranks, dict.fromkeys(range(ranks.size), x), dict(enumerate(takes))), async_op)


def gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, dst: int = 0, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write the inputs of all ranks into the output of rank ``dst``, one after the other along axis 0."""
    name, ranks = "gather_into_tensor", group_of("gather_into_tensor", group)
    place, y, x = place_in(name, ranks, dst), memory(name, output_tensor), memory(name, input_tensor)
    takes = rows_by_place(name, y, None, ranks.size) if place == ranks.rank else {}
    return finish(swap(ranks, {place: x}, takes), async_op)


def gather(
    tensor: Tensor, gather_list: Sequence[Tensor], dst: int = 0, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write the Tensor of rank i into element i of the list of rank ``dst``."""
    ranks, x = group_of("gather", group), memory("gather", tensor)
    place = place_in("gather", ranks, dst)
    takes = tensors("gather", gather_list, ranks.size) if place == ranks.rank else []
    return finish(swap(ranks, {place: x}, dict(enumerate(takes))), async_op)


def scatter_tensor(
    output_tensor: Tensor, input_tensor: Tensor, src: int = 0, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write into each rank's output its equal part of axis 0 of the input of rank ``src``."""
    name, ranks = "scatter_tensor", group_of("scatter_tensor", group)
    place, y, x = place_in(name, ranks, src), memory(name, output_tensor), memory(name, input_tensor)
    gives = rows_by_place(name, x, None, ranks.size) if place == ranks.rank else {}
    return finish(swap(ranks, gives, {place: y}), async_op)


def scatter(
    tensor: Tensor, scatter_list: Sequence[Tensor], src: int = 0, group: str | None = None, async_op: bool = False
) -> CommHandle | None:
    """Write into the Tensor of rank i element i of the list of rank ``src``."""
    ranks, y = group_of("scatter", group), memory("scatter", tensor)
    place = place_in("scatter", ranks, src)
    gives = tensors("scatter", scatter_list, ranks.size) if place == ranks.rank else []
    return finish(swap(ranks, dict(enumerate(gives)), {place: y}), async_op)


def broadcast(tensor: Tensor, src: int, group: str | None = None, async_op: bool = False) -> CommHandle | None:
    """Replace a Tensor on every rank by that of rank ``src``."""
    ranks, x = group_of("broadcast", group), memory("broadcast", tensor)
    ranks.broadcast(x, place_in("broadcast", ranks, src))
    return finish([], async_op)


def all_to_all(
    output_tensor_list: Sequence[Tensor],
    input_tensor_list: Sequence[Tensor],
    group: str | None = None,
    async_op: bool = False,
) -> CommHandle | None:
    """Send element i of the inputs to rank i, and write what comes from it into element i of the outputs."""
    ranks = group_of("all_to_all", group)
    gives = tensors("all_to_all", input_tensor_list, ranks.size)
    takes = tensors("all_to_all", output_tensor_list, ranks.size)
    return finish(swap(ranks, dict(enumerate(gives)), dict(enumerate(takes))), async_op)


def all_to_all_single(
    output: Tensor,
    input: Tensor,
    output_split_sizes: Sequence[int] | None = None,
    input_split_sizes: Sequence[int] | None = None,
    group: str | None = None,
    async_op: bool = False,
) -> CommHandle | None:
    """Send part i of the input's axis 0 to rank i, and write what comes into ``output``, one after the other."""
    name, ranks = "all_to_all_single", group_of("all_to_all_single", group)
    gives = rows_by_place(name, memory(name, input), input_split_sizes, ranks.size)
    takes = rows_by_place(name, memory(name, output), output_split_sizes, ranks.size)
    return finish(swap(ranks, gives, takes), async_op)


def all_to_all_v_c(
    output: Tensor,
    input: Tensor,
    send_count_matrix: Sequence[int],
    group: str | None = None,
    async_op: bool = False,
) -> CommHandle | None:
    """Do what ``all_to_all_single`` does; row i of the flat matrix tells how many rows rank i sends to each."""
    name, ranks = "all_to_all_v_c", group_of("all_to_all_v_c", group)
    n, counts = ranks.size, list(send_count_matrix)
    if len(counts) != n * n:
        raise RuleError(f"{name}: send_count_matrix has {len(counts)} numbers; a group of {n} ranks wants {n * n}.")
    given, taken = counts[ranks.rank * n : (ranks.rank + 1) * n], counts[ranks.rank :: n]
    x, y = memory(name, input), memory(name, output)
    gives = rows_by_place(name, x[: sum(given)], given, n)
    return finish(swap(ranks, gives, rows_by_place(name, y[: sum(taken)], taken, n)), async_op)


def barrier(group: str | None = None, async_op: bool = False, device_ids: object = None) -> CommHandle | None:
    """Return when every rank of the group has come here."""
    group_of("barrier", group).barrier()
    return finish([], async_op)


def _check_same_size(name: str, y: Array, x: Array) -> None:
    if y.size != x.size or y.dtype != x.dtype:
        raise DTypeError(f"{name}: {x.dtype} of shape {x.shape} does not fit into {y.dtype} of shape {y.shape}.")
