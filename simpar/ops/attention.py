"""Attention as one op: softmax(q @ k.T * scale + shift) @ v, without the scores of all rows at once.

Batch, heads and rows of the query may be cut; keys and values keep their rows, and a head its columns. Rows are worked
on in blocks, and the backward pass computes their scores again from the largest score and the sum that the forward pass
leaves. Source: https://arxiv.org/abs/2205.14135.

Factors: ``b`` batch, ``s`` rows of the query, ``t`` rows of keys, ``g`` heads of keys, ``r`` heads of the query for
each of those, ``d`` and ``e`` columns of a head in keys and in values.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.dtype import DType, float32
from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import widened
from simpar.ops.support import Array, Attrs, Shape
from simpar.tensor import Tensor, call

__all__ = ["EXTRAS", "UNBOUNDED"]

EXTRAS = ("shift", "drop", "mask", "lengths", "key_lengths")
"""Operands after query, key and value, if they are given: added to scores; scores that are kept, as bools or bits; true
where scores do not count; how many rows of each query and of its keys count."""

UNBOUNDED = 2147483647
"""As many tokens as there are, before or after."""

_LAYOUTS = {
    "BSH": ("b s (g r d)", "b t (g d)", "b t (g e)", "b s (g r e)"),
    "SBH": ("s b (g r d)", "t b (g d)", "t b (g e)", "s b (g r e)"),
    "BNSD": ("b (g r) s d", "b g t d", "b g t e", "b (g r) s e"),
    "BSND": ("b s (g r) d", "b t g d", "b t g e", "b s (g r) e"),
}
_STATES = "b (g r) s l"
_MASK = ("m0", "m1", "m2", "m3")
_WHOLE = ("t", "d", "e", "l", "u", *_MASK)
_ORDER = ("b", "s", "g", "r")
_BLOCK = 1 << 20
"""How many scores are held at once."""


# --- rules ---


def _words(shapes: Sequence[Shape], attrs: Attrs) -> tuple[tuple[str, str, str, str], dict[str, str], dict[str, int]]:
    """Return the text of query, key, value and result, that of the extras by name, and the lengths of factors."""
    layout, heads = attrs["layout"], attrs["heads"]
    if layout not in _LAYOUTS:
        raise RuleError(f"input_layout is {layout!r}; choose 'BSH', 'SBH', 'BNSD' or 'BSND'.")
    groups, dim = attrs["groups"], attrs["dim"]
    if heads % groups:
        raise RuleError(f"{heads} heads of the query do not share {groups} heads of keys evenly.")
    sizes = {"g": groups, "r": heads // groups, "d": dim, "l": 8}
    extras = {name: _extra(name, shape, attrs["sparse"]) for name, shape in zip(attrs["given"], shapes, strict=True)}
    return _LAYOUTS[layout], extras, sizes


def _extra(name: str, shape: Shape, sparse: int) -> str:
    """Return the text of an operand that stands beside the scores, (b, (g r), s, t); axes of length 1 are repeated."""
    if name in ("lengths", "key_lengths"):
        return "b"
    if name == "drop":
        return "b (g r) s u"
    if name == "mask" and (len(shape) == 2 or sparse in (2, 3, 4)):
        return " ".join(_MASK[-len(shape) :])
    full = ("b", "(g r)", "s", "t") if len(shape) == 4 else ("b", "s", "t")
    return " ".join("1" if n == 1 else f for n, f in zip(shape, full, strict=True))


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    (q, k, v, made), extras, sizes = _words(shapes[3:], attrs)
    text = ", ".join((q, k, v, *extras.values()))
    return parse_rule(
        f"{text} -> {made}, {_STATES}, {_STATES}", shapes, sizes=sizes, whole=_WHOLE, order=_ORDER, batch="b"
    )


def _grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    (q, k, v, made), extras, sizes = _words(shapes[7:], attrs)
    text = ", ".join((made, q, k, v, made, _STATES, _STATES, *extras.values()))
    results = (q, k, v, *([extras["shift"]] if "shift" in extras else []))
    return parse_rule(f"{text} -> {', '.join(results)}", shapes, sizes=sizes, whole=_WHOLE, order=_ORDER)


def _types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    states = types[0] if types[0].itemsize > 4 else float32
    return types[0], states, states


def _grad_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    return (*types[1:4], *([types[7]] if "shift" in attrs["given"] else []))


def _tell_rows(attrs: Attrs, local: Local) -> Attrs:
    """Tell the kernel how many rows the whole query has."""
    return {**attrs, "rows": local.sizes["s"]}


# --- one layout for the arithmetic ---


def _heads_first(x: Array, layout: str, dim: int) -> Array:
    """Return (b, heads, rows, dim), whatever the layout."""
    if layout == "BNSD":
        return x
    if layout == "BSND":
        return x.transpose(0, 2, 1, 3)
    split = x.reshape(*x.shape[:2], x.shape[2] // dim, dim)
    return split.transpose(0, 2, 1, 3) if layout == "BSH" else split.transpose(1, 2, 0, 3)


def _as_given(x: Array, layout: str) -> Array:
    """Return (b, heads, rows, dim) in a layout."""
    if layout == "BNSD":
        return x
    if layout == "SBH":
        return x.transpose(2, 0, 1, 3).reshape(x.shape[2], x.shape[0], -1)
    moved = x.transpose(0, 2, 1, 3)
    return moved if layout == "BSND" else moved.reshape(*moved.shape[:2], -1)


def _numbers(start: int, stop: int) -> Array:
    return np.arange(start, stop)


class _Scores:
    """The scores of one rank, block of rows by block of rows.

    Args:
        q, k: (b, heads, rows, dim).
        extras: the further operands, by name.
        attrs: those of the op.
        offset: where this rank's rows of the query begin.
    """

    def __init__(self, q: Array, k: Array, extras: Mapping[str, Array], attrs: Attrs, offset: int) -> None:
        self.shared = q.shape[1] // k.shape[1]
        self.q, self.k, self.extras, self.attrs, self.offset = q, self.spread(k), extras, attrs, offset
        self.compressed = attrs["sparse"] in (2, 3, 4)

    def spread(self, x: Array) -> Array:
        """Return keys or values once for each head of the query."""
        return np.repeat(x, self.shared, axis=1) if self.shared > 1 else x

    def gather(self, x: Array) -> Array:
        """Return the sum over the heads of the query that share a head of keys."""
        if self.shared == 1:
            return x
        return x.reshape(x.shape[0], -1, self.shared, *x.shape[2:]).sum(axis=2)

    @property
    def low(self) -> float:
        """The score of what does not count."""
        return float(np.finfo(self.q.dtype).min / 2)

    def blocks(self) -> Iterator[slice]:
        """Give the rows of the query, a block at a time."""
        count = self.q.shape[2]
        step = max(1, _BLOCK // max(prod(self.q.shape[:2]) * self.k.shape[2], 1))
        for start in range(0, count, step):
            yield slice(start, min(start + step, count))

    def of(self, rows: slice) -> Array:
        """Return the scores of some rows, (b, heads, rows, t); very low where they do not count."""
        scores = self.q[:, :, rows] @ self.k.mT * self.attrs["scale"]
        if "shift" in self.extras:
            scores = scores + self._beside("shift", rows)
        hidden = self._hidden(rows)
        return scores if hidden is None else np.where(hidden, self.low, scores)

    def kept(self, rows: slice) -> Array | float:
        """Return by what the probabilities of some rows are multiplied: 0 or 1 / keep_prob where some are dropped."""
        if "drop" not in self.extras:
            return 1.0
        bits = self.extras["drop"][:, :, rows]
        if bits.dtype != np.bool_:
            bits = np.unpackbits(bits, axis=-1, bitorder="little", count=self.k.shape[2])
        return bits / self.attrs["keep"]

    def _beside(self, name: str, rows: slice) -> Array:
        """Return an operand for some rows, of (b, heads, s, t), (b, s, t) or (s, t)."""
        x = self.extras[name]
        x = x[:, None] if x.ndim == 3 else x
        return x[..., rows, :] if x.shape[-2] > 1 else x

    def _hidden(self, rows: slice) -> Array | None:
        """Return where scores do not count; None if all do."""
        found: list[Array] = []
        band = self._outside(rows)
        if band is not None:
            found.append(band)
        if "mask" in self.extras and not self.compressed:
            at = slice(rows.start + self.offset, rows.stop + self.offset) if self.extras["mask"].ndim == 2 else rows
            found.append(self._beside("mask", at).astype(bool))
        if "key_lengths" in self.extras:
            lengths = self.extras["key_lengths"][:, None, None, None]
            found.append(_numbers(0, self.k.shape[2]) >= lengths)
        return None if not found else np.asarray(np.logical_or.reduce(np.broadcast_arrays(*found)))

    def _outside(self, rows: slice) -> Array | None:
        """Return which keys stand too far before or after each row."""
        sparse, before, after = (int(self.attrs[name]) for name in ("sparse", "before", "after"))
        if sparse == 1 or (sparse == 0 and min(before, after) >= UNBOUNDED):
            return None
        width = self.k.shape[2]
        shift = width - int(self.attrs.get("rows", self.q.shape[2])) if sparse in (3, 4) else 0
        before, after = (before, after) if sparse in (0, 4) else (UNBOUNDED, 0)
        here = _numbers(rows.start, rows.stop)[:, None] + self.offset + shift
        there = _numbers(0, width)
        return (there > here + after) | (there < here - before)


# --- kernels ---


def _attention(*operands: Array, offset: int = 0, out: Any = None, **attrs: Any) -> tuple[Array, Array, Array]:
    layout, dim = attrs["layout"], attrs["dim"]
    q, k = (_heads_first(x, layout, dim) for x in operands[:2])
    v = _heads_first(operands[2], layout, _columns(operands, attrs))
    scores = _Scores(q, k, dict(zip(attrs["given"], operands[3:], strict=True)), attrs, offset)
    v = scores.spread(v)
    made = np.empty((*q.shape[:3], v.shape[3]), q.dtype)
    largest, total = np.empty((2, *q.shape[:3], 8), q.dtype)
    for rows in scores.blocks():
        part = scores.of(rows)
        top = part.max(axis=-1, keepdims=True)
        np.exp(part - top, out=part)
        summed = part.sum(axis=-1, keepdims=True)
        made[:, :, rows] = (part * scores.kept(rows)) @ v / summed
        largest[:, :, rows], total[:, :, rows] = top, summed
    return _written((_as_given(made, layout), largest, total), out)


def _columns(operands: Sequence[Array], attrs: Attrs) -> int:
    """Return how many columns a head of the values has."""
    if attrs["layout"] in ("BNSD", "BSND"):
        return operands[2].shape[3]
    return operands[2].shape[2] // (operands[1].shape[2] // attrs["dim"])


def _written(made: Sequence[Array], out: Any) -> Any:
    if out is None:
        return tuple(made)
    for target, array in zip(out, made, strict=True):
        np.copyto(target, array, casting="unsafe")
    return out


def _attention_grad(*operands: Array, offset: int = 0, out: Any = None, **attrs: Any) -> tuple[Array, ...]:
    layout, dim, columns = attrs["layout"], attrs["dim"], _columns(operands[1:], attrs)
    g, y = (_heads_first(operands[i], layout, columns) for i in (0, 4))
    q, k = (_heads_first(x, layout, dim) for x in operands[1:3])
    v = _heads_first(operands[3], layout, columns)
    extras = dict(zip(attrs["given"], operands[7:], strict=True))
    scores = _Scores(q, k, extras, attrs, offset)
    values = scores.spread(v)
    dq, dk, dv = np.zeros(q.shape, q.dtype), np.zeros(scores.k.shape, q.dtype), np.zeros(values.shape, q.dtype)
    shift = [np.zeros(extras["shift"].shape, q.dtype)] if "shift" in extras else []
    for rows in scores.blocks():
        top, total = operands[5][:, :, rows, :1], operands[6][:, :, rows, :1]
        given, kept, seen = scores.of(rows), scores.kept(rows), g[:, :, rows]
        share = np.exp(given - top) / total
        dv += (share * kept).mT @ seen
        slope = share * (seen @ values.mT * kept - (seen * y[:, :, rows]).sum(axis=-1, keepdims=True))
        slope[given <= scores.low] = 0
        dq[:, :, rows] = slope @ scores.k * attrs["scale"]
        dk += slope.mT @ q[:, :, rows] * attrs["scale"]
        if shift:
            _add_beside(shift[0], slope, rows)
    back = [_as_given(x, layout) for x in (dq, scores.gather(dk), scores.gather(dv))]
    return _written((*back, *shift), out)


def _add_beside(total: Array, slope: Array, rows: slice) -> None:
    """Add the slopes of some rows to the gradient of what was added to the scores."""
    target = total[:, None] if total.ndim == 3 else total
    target = target[..., rows, :] if target.shape[-2] > 1 else target
    stretched = tuple(i for i, n in enumerate(target.shape) if n == 1 and slope.shape[i] > 1)
    target += slope.sum(axis=stretched, keepdims=True) if stretched else slope


def _bprop(
    g: tuple[Tensor, ...],
    *operands: Tensor,
    out: tuple[Tensor, ...],
    heads: int,
    groups: int,
    dim: int,
    layout: str,
    given: tuple[str, ...],
    scale: float,
    sparse: int,
    before: int,
    after: int,
    keep: float,
) -> tuple[Tensor | None, ...]:
    attrs: dict[str, Any] = {"heads": heads, "groups": groups, "dim": dim, "layout": layout, "given": given}
    attrs |= {"scale": scale, "sparse": sparse, "before": before, "after": after, "keep": keep}
    made = call("flash_attention_grad", g[0], *operands[:3], *out, *operands[3:], **attrs)
    assert isinstance(made, tuple), "flash_attention_grad has several results"
    back = dict(zip(("q", "k", "v", "shift"), made, strict=False))
    return made[0], made[1], made[2], *(back["shift"] if name == "shift" else None for name in given)


_PLAIN = {
    "layout": "BNSD",
    "given": (),
    "scale": 0.5,
    "sparse": 0,
    "before": UNBOUNDED,
    "after": UNBOUNDED,
    "keep": 1.0,
}
_BSH = {**_PLAIN, "layout": "BSH", "heads": 4, "groups": 2, "dim": 3, "given": ("shift", "mask"), "sparse": 3}
_DROP = {**_PLAIN, "heads": 2, "groups": 1, "dim": 3, "given": ("drop",), "before": 2, "after": 1, "keep": 0.5}
_Q = ((2, 4, 12), (2, 3, 6), (2, 3, 4))
op(
    "flash_attention",
    rule=_rule,
    kernel=widened(_attention),
    bprop=_bprop,
    dtype=_types,
    offsets="s",
    localize=_tell_rows,
    examples=(
        Example(((2, 2, 4, 3), (2, 2, 6, 3), (2, 2, 6, 2)), {**_PLAIN, "heads": 2, "groups": 2, "dim": 3}),
        Example((*_Q, (2, 4, 4, 3), (5, 5)), {**_BSH}, ("float32",) * 4 + ("uint8",), high=(1, 1, 1, 1, 2)),
        Example(
            ((2, 2, 4, 3), (2, 1, 5, 3), (2, 1, 5, 2), (2, 2, 4, 1)),
            _DROP,
            ("float32", "float32", "float32", "uint8"),
            low=(-1, -1, -1, 0),
            high=(1, 1, 1, 255),
        ),
        Example(
            ((4, 2, 6), (3, 2, 6), (3, 2, 4), (2, 1, 4, 3)),
            {**_PLAIN, "layout": "SBH", "heads": 2, "groups": 2, "dim": 3, "given": ("mask",), "sparse": 1},
            ("float32", "float32", "float32", "bool"),
        ),
    ),
)
op(
    "flash_attention_grad",
    rule=_grad_rule,
    kernel=widened(_attention_grad),
    dtype=_grad_types,
    offsets="s",
    localize=_tell_rows,
    examples=(
        Example(
            ((2, 2, 4, 2), (2, 2, 4, 3), (2, 2, 6, 3), (2, 2, 6, 2), (2, 2, 4, 2), (2, 2, 4, 8), (2, 2, 4, 8)),
            {**_PLAIN, "heads": 2, "groups": 2, "dim": 3},
            low=0.5,
            high=1,
            grad=False,
        ),
        Example(
            ((2, 4, 8), *_Q, (2, 4, 8), (2, 4, 4, 8), (2, 4, 4, 8), (2, 1, 4, 3)),
            {**_BSH, "given": ("shift",)},
            low=0.5,
            high=1,
            grad=False,
        ),
    ),
)
