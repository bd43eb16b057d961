"""Micro-batches of a batch of which each rank is given its rows: each rank takes a part of its own, nothing moves."""

from collections.abc import Sequence

import numpy as np

from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


def _take_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"(ranks micro rows) ... -> (ranks rows) ..."``; of the micro-batches one is taken."""
    rest = " ".join(letters(len(shapes[0]) - 1))
    return _bound(f"(ranks micro rows) {rest} -> (ranks rows) {rest}", shapes[0], attrs)


def _put_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    rest = " ".join(letters(len(shapes[0]) - 1))
    return _bound(f"(ranks rows) {rest} -> (ranks micro rows) {rest}", shapes[0], attrs)


def _bound(text: str, shape: Shape, attrs: Attrs) -> Rule:
    return parse_rule(text, (shape,), sizes={"ranks": attrs["ranks"], "micro": attrs["parts"]}, whole=("micro",))


def _local(attrs: Attrs, local: Local) -> Attrs:
    """Let a slice hold the rows of as many ranks as it does."""
    rows = local.sizes["rows"] * (attrs["parts"] if local.operands[0][0] >= local.results[0][0] else 1)
    return {**attrs, "ranks": local.operands[0][0] // rows}


def _take(x: Array, *, number: int, parts: int, ranks: int, out: Array | None = None) -> Array:
    rows = x.reshape(ranks, parts, -1, *x.shape[1:])[:, number]
    return write(rows.reshape(-1, *x.shape[1:]), out)


def _put(g: Array, *, number: int, parts: int, ranks: int, out: Array | None = None) -> Array:
    """Put ``g`` where the micro-batch was taken, and zeros around it."""
    made = np.empty((g.shape[0] * parts, *g.shape[1:]), g.dtype) if out is None else out
    made.fill(0)
    made.reshape(ranks, parts, -1, *g.shape[1:])[:, number] = g.reshape(ranks, -1, *g.shape[1:])
    return made


def _take_bprop(g: Tensor, x: Tensor, *, number: int, parts: int, ranks: int) -> Tensor:
    return one("micro_batch_grad", g, number=number, parts=parts, ranks=ranks)


def _put_bprop(g: Tensor, x: Tensor, *, number: int, parts: int, ranks: int) -> Tensor:
    return one("micro_batch", g, number=number, parts=parts, ranks=ranks)


_CUTS = ((12, {"number": 1, "parts": 3, "ranks": 2}), (16, {"number": 0, "parts": 2, "ranks": 4}))

op(
    "micro_batch",
    rule=_take_rule,
    kernel=_take,
    bprop=_take_bprop,
    linear="each",
    view=True,
    localize=_local,
    examples=tuple(Example(((rows, 3),), attrs) for rows, attrs in _CUTS),
)
op(
    "micro_batch_grad",
    rule=_put_rule,
    kernel=_put,
    bprop=_put_bprop,
    linear="each",
    localize=_local,
    examples=tuple(Example(((rows // attrs["parts"], 3),), attrs) for rows, attrs in _CUTS),
)
