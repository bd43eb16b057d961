"""Messages from rank to rank that the user writes, for programs that hold their own slices.

All are one record, ``neighbor_exchange``: tensors go to some ranks while others come from some. Its gradient is the
exchange turned round; so that every rank has one, a rank that sends nothing may give a Tensor that stays where it is.
``Send`` and ``Receive``, whose ranks run different programs, pass no gradient on.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, cast

from simpar.context import current
from simpar.dtype import DType, as_dtype
from simpar.errors import DTypeError, RuleError
from simpar.graph import op
from simpar.ops.communication import WORLD_GROUPS, ranks_of_group
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, call, filled

__all__ = ["NeighborExchange", "NeighborExchangeV2", "Receive", "Send"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]


def _shapes(shapes: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
    """Return the shapes of what comes; one scalar, 0, if nothing does."""
    if len(shapes) != len(attrs["to"]) and (attrs["to"] or len(shapes) > 1):
        raise RuleError(f"{len(shapes)} Tensors are sent to ranks {attrs['to']}; give one for each rank.")
    return attrs["shapes"] or ((),)


def _bprop(
    g: Any, *inputs: Tensor, to: Shape, source: Shape, shapes: tuple[Shape, ...], dtype: str, tag: int, group: Shape
) -> tuple[Tensor | None, ...]:
    """Send each cotangent to where its value came from, and receive those of what was sent."""
    if not inputs or tag:
        return (None,) * len(inputs)
    given = cast("tuple[Tensor, ...]", g if isinstance(g, tuple) else (g,))
    sent = inputs[: len(to)]
    back = _exchange(given[: len(source)], source, to, tuple(x.shape for x in sent), dtype, tag, group)
    return back[: len(inputs)] if sent else tuple(filled(x.shape, x.dtype, 0) for x in inputs)


def _type(_: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


op(
    "neighbor_exchange",
    infer_shape=_shapes,
    dtype=_type,
    bprop=_bprop,
    effect=True,
)


def _exchange(
    given: Sequence[Tensor], to: Shape, source: Shape, shapes: tuple[Shape, ...], dtype: str, tag: int, group: Shape
) -> tuple[Tensor, ...]:
    how: dict[str, Any] = {"to": to, "source": source, "shapes": shapes, "dtype": dtype, "tag": tag, "group": group}
    made = call("neighbor_exchange", *given, **how)
    return made if isinstance(made, tuple) else (made,)


class Message(Primitive):
    """What the messages share: ranks of a group, by their numbers in the world."""

    def __init__(self, group: str) -> None:
        super().__init__()
        self.group = group

    def _moved(
        self,
        given: Sequence[Tensor],
        to: Sequence[int],
        source: Sequence[int],
        shapes: Sequence[Sequence[int]],
        dtype: DType,
        tag: int = 0,
    ) -> tuple[Tensor, ...]:
        """Send each Tensor to its rank, and return what comes."""
        here, ranks = current().rank, ranks_of_group(self.group)
        known = range(current().device_num) if ranks is None else ranks
        strange = [r for r in (*to, *source) if r not in known]
        if strange:
            raise RuleError(f"{self.name}: rank {strange[0]} is none of the group's, {tuple(known)}; name one.")
        everyone = tuple(sorted({here, *to, *source}))
        sizes = tuple(tuple(int(n) for n in shape) for shape in shapes)
        return _exchange(given, tuple(to), tuple(source), sizes, as_dtype(dtype).name, tag, everyone)


class NeighborExchange(Message):
    """Sends Tensors to some ranks while others come from some.

    Args:
        send_rank_ids: to which rank each Tensor goes.
        recv_rank_ids: from which rank each comes.
        recv_shapes, send_shapes: their shapes.
        recv_type: the element type of what comes.
        group: the name of the group.

    The arguments are checked at the call, as in MindSpore: lists of ranks and lengths, tuples of shapes.
    """

    def __init__(
        self,
        send_rank_ids: Sequence[int],
        recv_rank_ids: Sequence[int],
        recv_shapes: Sequence[Sequence[int]],
        send_shapes: Sequence[Sequence[int]],
        recv_type: DType,
        group: str = WORLD_GROUPS[0],
    ) -> None:
        super().__init__(group)
        self.send_rank_ids, self.recv_rank_ids = send_rank_ids, recv_rank_ids
        self.recv_shapes, self.send_shapes = recv_shapes, send_shapes
        self.recv_type: Any = recv_type

    def __call__(self, tensor: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
        """Return what comes, in the order of ``recv_rank_ids``.

        Raises:
            DTypeError: an argument has another type.
            RuleError: ranks and shapes are not as many, a Tensor has another shape, or a rank is not in the group.
        """
        self._check()
        wanted = [tuple(shape) for shape in self.send_shapes]
        if [x.shape for x in tensor] != wanted:
            raise RuleError(f"NeighborExchange sends Tensors of {wanted}, but was given {[x.shape for x in tensor]}.")
        made = self._moved(tensor, self.send_rank_ids, self.recv_rank_ids, self.recv_shapes, self.recv_type)
        return made[: len(self.recv_rank_ids)]

    def _check(self) -> None:
        sides = (("send", self.send_rank_ids, self.send_shapes), ("recv", self.recv_rank_ids, self.recv_shapes))
        for side, ranks, shapes in sides:
            _check_list(f"{side}_rank_ids", ranks)
            if not isinstance(shapes, tuple) or not all(isinstance(shape, list) for shape in shapes):
                raise DTypeError(f"NeighborExchange's {side}_shapes is {shapes!r}; give a tuple of lists.")
            if len(ranks) != len(shapes):
                raise RuleError(
                    f"NeighborExchange has {len(ranks)} {side}_rank_ids and {len(shapes)} {side}_shapes; give one "
                    "shape for each rank."
                )
        if not isinstance(self.recv_type, DType):
            raise DTypeError(f"NeighborExchange's recv_type is {self.recv_type!r}; give a type such as float32.")


def _check_list(name: str, given: object, count: int = 0, least: int = 0) -> None:
    """Check a list of whole numbers; of ranks, -1 apart, none may come twice."""
    numbers = cast("list[object]", given) if isinstance(given, list) else [None]
    if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
        raise DTypeError(f"{name} is {given!r}; give a list of whole numbers.")
    whole = [n for n in numbers if isinstance(n, int)]
    named = [n for n in whole if n >= 0]
    if (count and len(whole) != count) or any(n < least for n in whole):
        raise RuleError(f"{name} is {given}; give {count or 'some'} numbers of at least {least}.")
    if "rank" in name and len(set(named)) != len(named):
        raise RuleError(f"{name} is {given}, which names a rank twice.")


class NeighborExchangeV2(Message):
    """Sends the rows and columns at the border of images (n, c, h, w) to neighbours, and puts theirs round the images.

    Args:
        send_rank_ids: the rank in each of eight directions, from the top round to the right; -1 for none.
        send_lens: how many rows or columns go: from the top, the bottom, the left and the right.
        recv_rank_ids, recv_lens: the same of what comes.
        data_format: ``"NCHW"``.
        group: the name of the group.

    The arguments are checked at the call, as in MindSpore.
    """

    _TURNS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    """For each direction, which way it lies along rows and along columns."""

    def __init__(
        self,
        send_rank_ids: Sequence[int],
        send_lens: Sequence[int],
        recv_rank_ids: Sequence[int],
        recv_lens: Sequence[int],
        data_format: str,
        group: str = WORLD_GROUPS[0],
    ) -> None:
        super().__init__(group)
        self.data_format = data_format
        self.send_rank_ids, self.send_lens = send_rank_ids, send_lens
        self.recv_rank_ids, self.recv_lens = recv_rank_ids, recv_lens

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the images with what comes round them; a side without a neighbour stays as it is.

        Raises:
            DTypeError: an argument is not a list of whole numbers.
            RuleError: there are not one Tensor, eight ranks and four lengths, or one of them is out of range.
        """
        (x,) = self._checked(inputs)
        lens = [n if self.recv_rank_ids[k] >= 0 else 0 for n, k in zip(self.recv_lens, (0, 4, 6, 2), strict=True)]
        rows, columns = x.shape[2:]
        given = [self._border(x, down, right) for (down, right), _ in self._neighbours(self.send_rank_ids)]
        ways = list(product((-1, 0, 1), (-1, 0, 1)))
        sizes = {(d, r): (_long(rows, d, lens[:2]), _long(columns, r, lens[2:])) for d, r in ways}
        coming = self._neighbours(self.recv_rank_ids)
        to, source = ([r for r in ranks if r >= 0] for ranks in (self.send_rank_ids, self.recv_rank_ids))
        made = self._moved(given, to, source, [(*x.shape[:2], *sizes[way]) for way, _ in coming], x.dtype)
        came = {way: part for (way, _), part in zip(coming, made, strict=False)} | {(0, 0): x}
        bands: list[Tensor] = []
        for down in (-1, 0, 1):
            band = [way for way in ways if way[0] == down and all(sizes[way])]
            bands += [_joined([_part(came.get(way), x, sizes[way]) for way in band], 3)] if band else []
        return _joined(bands, 2)

    def _checked(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        for side, ranks, lens in (
            ("send", self.send_rank_ids, self.send_lens),
            ("recv", self.recv_rank_ids, self.recv_lens),
        ):
            _check_list(f"{side}_rank_ids", ranks, 8, -1)
            _check_list(f"{side}_lens", lens, 4)
        if len(inputs) != 1 or inputs[0].ndim != 4 or self.data_format != "NCHW":
            raise RuleError(
                f"NeighborExchangeV2 takes one Tensor (n, c, h, w), not {[x.shape for x in inputs]} in "
                f"{self.data_format!r}."
            )
        rows, columns = inputs[0].shape[2:]
        if max(self.send_lens[:2]) > rows or max(self.send_lens[2:]) > columns:
            raise RuleError(f"send_lens {self.send_lens} are more than there are: {rows} rows, {columns} columns.")
        return inputs

    def _neighbours(self, ranks: Sequence[int]) -> list[tuple[tuple[int, int], int]]:
        return [(way, rank) for way, rank in zip(self._TURNS, ranks, strict=True) if rank >= 0]

    def _border(self, x: Tensor, down: int, right: int) -> Tensor:
        rows, columns = x.shape[2:]
        here = (_border(rows, down, self.send_lens[:2]), _border(columns, right, self.send_lens[2:]))
        return x[(slice(None), slice(None), *here)]


def _part(came: Tensor | None, x: Tensor, size: Shape) -> Tensor:
    return filled((*x.shape[:2], *size), x.dtype, 0) if came is None else came


def _joined(parts: Sequence[Tensor], axis: int) -> Tensor:
    made = parts[0] if len(parts) == 1 else call("concat", *parts, axis=axis)
    assert isinstance(made, Tensor), "an op with one result"
    return made


def _border(length: int, way: int, lens: Sequence[int]) -> slice:
    """Return the first indices of an axis, all, or the last."""
    return slice(None) if way == 0 else slice(0, lens[0]) if way < 0 else slice(length - lens[1], length)


def _long(length: int, way: int, lens: Sequence[int]) -> int:
    return length if way == 0 else lens[0] if way < 0 else lens[1]


class Send(Message):
    """Sends a Tensor to another rank, which calls ``Receive``; no gradient passes.

    Args:
        sr_tag: tells messages between two ranks apart.
        dest_rank: the rank that it goes to.
        group, group_back: the name of the group; the second has no meaning here.
    """

    def __init__(
        self, sr_tag: int, dest_rank: int, group: str = WORLD_GROUPS[0], group_back: str = WORLD_GROUPS[0]
    ) -> None:
        del group_back
        super().__init__(group)
        self.sr_tag, self.rank = sr_tag, dest_rank

    def __call__(self, input_x: Tensor) -> Tensor:
        """Send it, and return it."""
        self._moved((input_x,), (self.rank,), (), (), input_x.dtype, 1 + self.sr_tag)
        return input_x


class Receive(Message):
    """Returns the Tensor that another rank sends with ``Send``; no gradient passes.

    Args:
        sr_tag: tells messages between two ranks apart.
        src_rank: the rank that it comes from.
        shape, dtype: of the Tensor.
        group, group_back: the name of the group; the second has no meaning here.
    """

    def __init__(
        self,
        sr_tag: int,
        src_rank: int,
        shape: Sequence[int],
        dtype: DType,
        group: str = WORLD_GROUPS[0],
        group_back: str = WORLD_GROUPS[0],
    ) -> None:
        del group_back
        super().__init__(group)
        self.sr_tag, self.rank, self.shape, self.dtype = sr_tag, src_rank, tuple(shape), dtype

    def __call__(self) -> Tensor:
        """Return what comes."""
        return self._moved((), (), (self.rank,), (self.shape,), self.dtype, 1 + self.sr_tag)[0]
