"""Rows of a table by number, where table and numbers have the same fields: MindSpore's manual cut of ``Gather``.

The rows of the table are divided into fields, which need not be equally long, and the last axis of the numbers into as
many equal parts: numbers of a field name rows of that field. Both are cut by field, so that nobody ever asks for a row
that it does not hold, and no terms are summed. A number of another field gives zeros.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import cast

import numpy as np

from simpar.context import current
from simpar.errors import StrategyError
from simpar.graph import Example, Local, lookup, op
from simpar.layout import Rule, parse_rule
from simpar.ops.primitive import Primitive
from simpar.ops.support import Array, Attrs, Shape, letters, one, pick_dtype
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["RowLookup"]


class RowLookup(Primitive, op="gather"):
    """An op that takes rows of a table, which ``manual_split`` may cut by field together with their numbers."""

    def rows(self, table: Tensor, ids: Tensor, axis: int) -> Tensor:
        """Return the slices of the table along an axis.

        Raises:
            StrategyError: the fields do not fit the table or its numbers, or have no strategy.
        """
        fields = _fields_of(self.attrs, table.shape, axis) if current().is_partitioned else ()
        if not fields:
            return self.apply_one(table, ids, axis=axis)
        has_values = isinstance(table, Parameter) and table.init is None and table.placed is None
        if has_values and current().mindspore:
            raise self.refused(
                "the table is a Parameter that has its values already, and MindSpore does not cut such a table by "
                "manual_split. Give it initializer(...); simpar itself can: run the script without the alias."
            )
        if self.in_strategy is None:
            raise self.refused(
                f"{self.name} has a manual_split but no strategy. Cut table and numbers by field, for numbers of two "
                f"axes by shard((({len(fields)}, 1), (1, {len(fields)})))."
            )
        if not ids.shape or ids.shape[-1] % len(fields):
            raise self.refused(
                f"manual_split has {len(fields)} fields, into which the last axis of the numbers {ids.shape} does not "
                "divide. Give each field as many numbers."
            )
        self.op_name = "gather_fields"
        return self.apply_one(table, ids, fields=fields)


def _fields_of(attrs: Attrs, table: Shape, axis: int) -> tuple[int, ...]:
    """Return how many rows each field of ``manual_split`` or ``manual_split_with_offset`` has; nothing without either.

    Args:
        attrs: what ``add_prim_attr`` set.
        table: the shape of the table.
        axis: the axis along which rows are taken.

    Raises:
        StrategyError: they are no fields of this table.
    """
    given: object = attrs.get("manual_split") or attrs.get("manual_split_with_offset")
    if given is None:
        return ()
    entries = cast("tuple[object, ...]", given) if isinstance(given, tuple) else ()
    rows = tuple(_length(entry) for entry in entries)
    starts = tuple(_start(entry, sum(rows[:i])) for i, entry in enumerate(entries))
    if axis != 0 or not rows or min(rows) < 1 or sum(rows) != table[0] or starts != tuple(_sums(rows)):
        raise StrategyError(
            f"manual_split is {given!r}; give for each field how many rows it has; they follow each other, make up "
            f"the {table[0]} rows of the table {table}, and take rows along axis 0, not {axis}."
        )
    return rows


def _sums(rows: tuple[int, ...]) -> Iterator[int]:
    return (sum(rows[:i]) for i in range(len(rows)))


def _length(entry: object) -> int:
    """Return how many rows an entry ``rows`` or ``(rows, start)`` gives; 0 if it is neither."""
    entries = cast("tuple[object, ...]", entry) if isinstance(entry, tuple) else (entry,)
    found = entries[0] if entries else 0
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _start(entry: object, follows: int) -> object:
    """Return where a field begins: where it says, or behind the one before."""
    return cast("tuple[object, ...]", entry)[-1] if isinstance(entry, tuple) else follows


def _texts(table_axes: int, ids_axes: int) -> tuple[str, str, str]:
    """Return the axes of table, numbers and result as text; ``f`` is the field."""
    rest, lead = letters(table_axes - 1, "d"), letters(ids_axes - 1, "n")
    ids = [*lead, "(f n)"]
    return " ".join(["f", *rest]), " ".join(ids), " ".join([*ids, *rest])


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    table, ids, result = _texts(len(shapes[0]), len(shapes[1]))
    lengths = {"f": attrs["fields"]}
    return parse_rule(f"{table}, {ids} -> {result}", shapes, lengths=lengths, order=("f", *_rest(table)))


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    ids_axes = len(shapes[1])
    table, ids, result = _texts(len(shapes[0]) - ids_axes + 1, ids_axes)
    lengths = {"f": attrs["fields"]}
    return parse_rule(f"{result}, {ids} -> {table}", shapes, lengths=lengths, order=("f", *_rest(table)))


def _rest(table: str) -> list[str]:
    return [word for word in table.split() if word.startswith("d")]


def _local(attrs: Attrs, local: Local) -> Attrs:
    """Tell the kernel which fields this rank has, and at which row they begin."""
    return _fields_from(attrs["fields"], local.starts.get("f", 0), local.operands[0][0])


def _local_grad(attrs: Attrs, local: Local) -> Attrs:
    return _fields_from(attrs["fields"], local.starts.get("f", 0), local.results[0][0])


def _fields_from(fields: tuple[int, ...], first: int, rows: int) -> Attrs:
    """Return, as attributes, the fields from a first one on that have so many rows together."""
    start = sum(fields[:first])
    count = sum(stop <= start + rows for stop in accumulate(fields)) - first
    return {"fields": fields[first : first + count], "start": start}


def _own(ids: Array, fields: tuple[int, ...], start: int) -> Array:
    """Return numbers within this rank's rows; -1 for those of another field."""
    each = ids.shape[-1] // len(fields)
    first = np.repeat(np.cumsum((0, *fields[:-1])), each)
    local = ids - start
    return np.where((local >= first) & (local < first + np.repeat(fields, each)), local, -1)


def _gather(table: Array, ids: Array, *, fields: tuple[int, ...], start: int = 0, out: Array | None = None) -> Array:
    kernel = lookup("gather").kernel
    assert kernel is not None, "gather has a kernel"
    return kernel(table, _own(ids, fields, start), axis=0, out=out)


def _gather_grad(g: Array, ids: Array, *, fields: tuple[int, ...], start: int = 0, out: Array | None = None) -> Array:
    kernel = lookup("gather_grad").kernel
    assert kernel is not None, "gather_grad has a kernel"
    return kernel(g, _own(ids, fields, start), rows=sum(fields), axis=0, out=out)


def _bprop(g: Tensor, table: Tensor, ids: Tensor, *, fields: tuple[int, ...]) -> tuple[Tensor, None]:
    return one("gather_fields_grad", g, ids, fields=fields), None


def _grad_bprop(u: Tensor, g: Tensor, ids: Tensor, *, fields: tuple[int, ...]) -> tuple[Tensor, None]:
    return one("gather_fields", u, ids, fields=fields), None


_TYPES = ("float32", "int32")
op(
    "gather_fields",
    rule=_rule,
    kernel=_gather,
    bprop=_bprop,
    dtype=pick_dtype(0),
    batch=1,
    localize=_local,
    examples=(
        Example(((8, 4), (2, 4)), {"fields": (4, 4)}, _TYPES, low=(-1, 0), high=(1, 7)),
        Example(((8, 2, 4), (8,)), {"fields": (1, 3, 2, 2)}, _TYPES, low=(-1, -1), high=(1, 8)),
    ),
)
op(
    "gather_fields_grad",
    rule=_grad_rule,
    kernel=_gather_grad,
    bprop=_grad_bprop,
    dtype=pick_dtype(0),
    localize=_local_grad,
    examples=(
        Example(((2, 4, 4), (2, 4)), {"fields": (4, 4)}, _TYPES, low=(-1, 0), high=(1, 7)),
        Example(((8, 2), (8,)), {"fields": (1, 3, 2, 2)}, _TYPES, low=(-1, -1), high=(1, 8)),
    ),
)
