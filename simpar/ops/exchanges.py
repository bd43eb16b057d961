"""Collectives in which ranks give and get unlike parts, as messages from rank to rank that the user writes.

Places are those within the group. Their gradients are the messages turned round; parts of no elements are not sent.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import Any, cast

from simpar.context import current
from simpar.dtype import DType, bool_
from simpar.errors import DTypeError, RuleError, WorldError
from simpar.ops.communication import WORLD_GROUPS, ReduceOp, ranks_of_group
from simpar.ops.messages import Message
from simpar.tensor import Tensor, as_tensor, call, filled

__all__ = [
    "AllGatherV",
    "AlltoAllV",
    "AlltoAllVC",
    "Barrier",
    "BatchISendIRecv",
    "CollectiveGather",
    "CollectiveScatter",
    "Reduce",
    "ReduceScatterV",
]

Shape = tuple[int, ...]
Sizes = Sequence[int] | Tensor

_COMBINE = {"sum": "add", "max": "maximum", "min": "minimum", "prod": "mul"}


class _Exchange(Message):
    """What they share: the places of a group, and parts by place."""

    def __init__(self, group: str | None) -> None:
        super().__init__(WORLD_GROUPS[0] if group is None else group)
        named = ranks_of_group(self.group)
        self._ranks = tuple(range(current().device_num)) if named is None else named

    @property
    def _here(self) -> int:
        rank = current().rank
        if rank not in self._ranks:
            raise WorldError(f"{self.name}: rank {rank} is not in the group {self._ranks}; only its ranks call it.")
        return self._ranks.index(rank)

    def _place(self, name: str, given: object) -> int:
        if isinstance(given, bool) or not isinstance(given, int):
            raise DTypeError(f"{self.name}: {name} is {given!r}; give the place of a rank in the group.")
        if not 0 <= given < len(self._ranks):
            raise WorldError(f"{self.name}: {name} is {given}, but the group's places are 0 to {len(self._ranks) - 1}.")
        return given

    def _swapped(self, x: Tensor, gives: Mapping[int, Tensor], shapes: Mapping[int, Shape]) -> dict[int, Tensor]:
        """Give places their parts, and return what comes from each; at -1 a scalar 0 if nothing does.

        Whoever gives or gets nothing still has an operand and a result, through which gradients find their way.
        """
        source = [place for place, shape in shapes.items() if prod(shape)]
        to, came_from = ([self._ranks[place] for place in places] for places in (gives, source))
        given = tuple(gives.values()) or (x,)
        came = self._moved(given, to, came_from, [shapes[place] for place in source], x.dtype)
        return dict(zip(source or [-1], came, strict=True))

    def _on_one(self, place: int, x: Tensor) -> dict[int, Tensor]:
        """Give the Tensors of all ranks to one of them."""
        everyone = range(len(self._ranks)) if self._here == place else ()
        return self._swapped(x, {place: x}, dict.fromkeys(everyone, x.shape))

    def _each(self, name: str, sizes: Sizes, x: Tensor, least: int = 1) -> list[int]:
        """Return the lengths that the user gives, one for each place, or for each pair of places."""
        found = numbers_of(name, sizes)
        wanted = len(self._ranks) ** least
        if len(found) != wanted or min(found) < 0:
            raise RuleError(f"{self.name}: {name} is {found}; the group wants {wanted} lengths of at least 0.")
        if x.ndim != 1:
            raise RuleError(f"{self.name} moves parts of a flat Tensor, not of shape {x.shape}; write x.reshape(-1).")
        return found

    def _parts(self, x: Tensor, sizes: Sequence[int], name: str) -> dict[int, Tensor]:
        """Cut a flat Tensor into parts of these lengths; those of no elements are left out."""
        if sum(sizes) > x.size:
            raise RuleError(f"{self.name}: {name} {list(sizes)} adds up to {sum(sizes)}, but x has {x.size} elements.")
        bounds = pairwise(accumulate(sizes, initial=0))
        return {place: x[start:stop] for place, (start, stop) in enumerate(bounds) if stop > start}


def numbers_of(name: str, sizes: Sizes) -> list[int]:
    """Return lengths that are given as a list, a tuple or a Tensor."""
    found: object = sizes.asnumpy().reshape(-1).tolist() if isinstance(sizes, Tensor) else sizes
    if not isinstance(found, list | tuple) or not all(isinstance(n, int) for n in cast("list[object]", found)):
        raise DTypeError(f"{name} is {sizes!r}; give a list of whole numbers.")
    return list(cast("list[int]", found))


def joined(parts: Mapping[int, Tensor]) -> Tensor:
    """Join parts along axis 0, in the order of their places."""
    held = [parts[place] for place in sorted(parts)]
    return held[0] if len(held) == 1 else as_tensor(call("concat", *held, axis=0))


class Reduce(_Exchange):
    """Combines the Tensors of all ranks of a group on one of them; the others get a 0 of shape (1,).

    Args:
        dest_rank: the place of that rank.
        op: ``ReduceOp.SUM``, ``MAX``, ``MIN`` or ``PROD``.
        group: the name of the group.
    """

    def __init__(self, dest_rank: int, op: str = ReduceOp.SUM, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)
        self.dest_rank, self.op = self._place("dest_rank", dest_rank), _combine(self.name, op)

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the combined Tensor, of the same shape, on one rank."""
        came = self._on_one(self.dest_rank, input_x)
        return _nothing(came) if -1 in came else _combined(came, self.op)


class CollectiveGather(_Exchange):
    """Joins the Tensors of all ranks of a group along axis 0 on one of them; the others get a 0 of shape (1,).

    Args:
        dest_rank: the place of that rank.
        group: the name of the group.
    """

    def __init__(self, dest_rank: int, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)
        self.dest_rank = self._place("dest_rank", dest_rank)

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return the joined Tensor, on one rank."""
        if not input_x.shape:
            raise RuleError("CollectiveGather joins along axis 0, but this Tensor has no axes. Reshape it to (1,).")
        came = self._on_one(self.dest_rank, input_x)
        return _nothing(came) if -1 in came else joined(came)


class CollectiveScatter(_Exchange):
    """Cuts one rank's Tensor along axis 0 and gives each rank of the group its part.

    Args:
        src_rank: the place of that rank; the values of the others do not matter, their shape does.
        group: the name of the group.
    """

    def __init__(self, src_rank: int = 0, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)
        self.src_rank = self._place("src_rank", src_rank)

    def __call__(self, input_x: Tensor) -> Tensor:
        """Return this rank's part."""
        n, shape = len(self._ranks), input_x.shape
        if not shape or shape[0] % n:
            raise RuleError(f"CollectiveScatter cannot cut axis 0 of shape {shape} among {n} ranks. Pad it.")
        rows = shape[0] // n
        gives: dict[int, Tensor] = {}
        if self._here == self.src_rank:
            gives = {place: input_x[place * rows : (place + 1) * rows] for place in range(n)}
        return self._swapped(input_x, gives, {self.src_rank: (rows, *shape[1:])})[self.src_rank]


class Barrier(_Exchange):
    """Lets no rank of a group go on before all have come here.

    Args:
        group: the name of the group.
    """

    def __init__(self, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)

    def __call__(self) -> Tensor:
        """Wait for the others, and return a 0 of shape (1,)."""
        n = len(self._ranks)
        word = filled((1,), bool_, 1)
        self._swapped(word, dict.fromkeys(range(n), word), dict.fromkeys(range(n), (1,)))
        return Tensor([0.0])


class AlltoAllV(_Exchange):
    """Cuts each rank's flat Tensor into parts, sends part i to rank i, and joins what comes.

    Args:
        group: the name of the group.
        block_size: how many elements each number of the lists stands for.
    """

    def __init__(self, group: str | None = WORLD_GROUPS[0], block_size: int = 1) -> None:
        super().__init__(group)
        self.block_size = block_size

    def __call__(self, input_x: Tensor, send_numel_list: Sizes, recv_numel_list: Sizes) -> Tensor:
        """Return the joined parts, flat; a scalar 0 if nothing comes.

        Args:
            send_numel_list: how much goes to each rank.
            recv_numel_list: how much comes from each.
        """
        send = self._each("send_numel_list", send_numel_list, input_x)
        receive = self._each("recv_numel_list", recv_numel_list, input_x)
        gives = self._parts(input_x, [n * self.block_size for n in send], "send_numel_list")
        shapes = {place: (n * self.block_size,) for place, n in enumerate(receive)}
        return joined(self._swapped(input_x, gives, shapes))


class AlltoAllVC(_Exchange):
    """``AlltoAllV`` whose lengths every rank knows: row i of a matrix tells how much rank i sends to each.

    Args:
        group: the name of the group.
        block_size: how many elements each number of the matrix stands for.
        transpose: whether column i tells it instead.
    """

    def __init__(self, group: str | None = WORLD_GROUPS[0], block_size: int = 1, transpose: bool = False) -> None:
        super().__init__(group)
        self.block_size, self.transpose = block_size, transpose

    def __call__(self, input_x: Tensor, send_count_matrix: Sizes) -> Tensor:
        """Return the joined parts, flat; a scalar 0 if nothing comes."""
        counts, n = self._each("send_count_matrix", send_count_matrix, input_x, 2), len(self._ranks)
        row, column = counts[self._here * n : (self._here + 1) * n], counts[self._here :: n]
        send, receive = (column, row) if self.transpose else (row, column)
        gives = self._parts(input_x, [k * self.block_size for k in send], "send_count_matrix")
        shapes = {place: (k * self.block_size,) for place, k in enumerate(receive)}
        return joined(self._swapped(input_x, gives, shapes))


class AllGatherV(_Exchange):
    """Joins the flat Tensors of all ranks of a group, which may be of unlike length; every rank gets the whole.

    Args:
        group: the name of the group.
    """

    def __init__(self, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)

    def __call__(self, input_x: Tensor, output_split_sizes: Sizes) -> Tensor:
        """Return the joined Tensor.

        Args:
            output_split_sizes: the length of each rank's Tensor.
        """
        sizes = self._each("output_split_sizes", output_split_sizes, input_x)
        if sizes[self._here] != input_x.size:
            raise RuleError(
                f"AllGatherV: output_split_sizes {sizes} says that the rank at place {self._here} gives "
                f"{sizes[self._here]} elements, but it gives {input_x.size}."
            )
        shapes = {place: (n,) for place, n in enumerate(sizes)}
        return joined(self._swapped(input_x, dict.fromkeys(shapes, input_x), shapes))


class ReduceScatterV(_Exchange):
    """Combines the flat Tensors of all ranks of a group and gives each rank its part, of unlike length.

    Args:
        op: ``ReduceOp.SUM``, ``MAX`` or ``MIN``.
        group: the name of the group.
    """

    def __init__(self, op: str = ReduceOp.SUM, group: str = WORLD_GROUPS[0]) -> None:
        super().__init__(group)
        self.op = _combine(self.name, op)

    def __call__(self, input_x: Tensor, input_split_sizes: Sizes) -> Tensor:
        """Return this rank's part; a scalar 0 if it has no elements.

        Args:
            input_split_sizes: the length of each rank's part.
        """
        sizes = self._each("input_split_sizes", input_split_sizes, input_x)
        parts = self._parts(input_x, sizes, "input_split_sizes")
        shapes = dict.fromkeys(range(len(sizes)), (sizes[self._here],))
        return _combined(self._swapped(input_x, parts, shapes), self.op)


class BatchISendIRecv(_Exchange):
    """Sends some Tensors and receives others, together.

    Args:
        op_types: of each message ``"isend"`` or ``"irecv"``.
        remote_ranks: the place of the rank that each goes to or comes from.
        receive_shapes, receive_dtypes: of those that come.
        group: the name of the group.
    """

    def __init__(
        self,
        op_types: Sequence[str],
        remote_ranks: Sequence[int],
        receive_shapes: Sequence[Sequence[int]] | None = None,
        receive_dtypes: Sequence[DType] | None = None,
        group: str | None = WORLD_GROUPS[0],
    ) -> None:
        super().__init__(group)
        self.receive_shapes = [tuple(shape) for shape in receive_shapes or ()]
        self.receive_dtypes = list(receive_dtypes or ())
        counts = len(self.receive_shapes), len(self.receive_dtypes), list(op_types).count("irecv")
        if len(op_types) != len(remote_ranks) or len(set(counts)) > 1:
            raise RuleError(
                f"BatchISendIRecv has {len(op_types)} op_types and {len(remote_ranks)} remote_ranks, and for its "
                f"{counts[2]} 'irecv' {counts[0]} receive_shapes and {counts[1]} receive_dtypes; give one for each."
            )
        if strange := set(op_types) - {"isend", "irecv"}:
            raise DTypeError(f"BatchISendIRecv: op_types names {sorted(strange)}; choose 'isend' or 'irecv'.")
        places = [self._ranks[self._place("a rank of remote_ranks", place)] for place in remote_ranks]
        self._remote = list(zip(op_types, places, strict=True))

    def __call__(self, input_x: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
        """Return what comes, in its place among the messages; a scalar 0 stands for each that goes."""
        to = [rank for kind, rank in self._remote if kind == "isend"]
        source = [rank for kind, rank in self._remote if kind == "irecv"]
        if len(input_x) != len(to):
            raise RuleError(f"BatchISendIRecv sends {len(to)} Tensors, but was given {len(input_x)}.")
        if len(set(self.receive_dtypes)) > 1:
            raise DTypeError(f"BatchISendIRecv receives one type at a time, not {self.receive_dtypes}; use several.")
        dtype = next(iter(self.receive_dtypes), input_x[0].dtype if input_x else bool_)
        came = iter(self._moved(input_x, to, source, self.receive_shapes, dtype))
        return tuple(next(came) if kind == "irecv" else filled((), dtype, 0) for kind, _ in self._remote)


def _combine(name: str, op: object) -> str:
    if op not in _COMBINE:
        kind = RuleError if isinstance(op, str) else DTypeError
        raise kind(f"{name}: op is {op!r}; choose ReduceOp.SUM, MAX, MIN or PROD.")
    return str(op)


def _nothing(came: Mapping[int, Tensor]) -> Tensor:
    return as_tensor(call("reshape", came[-1], shape=(1,)))


def _combined(parts: Mapping[int, Tensor], op: str) -> Tensor:
    """Combine parts in the order of their places."""
    first, *rest = (parts[place] for place in sorted(parts))
    made: Any = first
    for part in rest:
        made = call(_COMBINE[op], made, part)
    return made
