"""Random tensors, whose elements are drawn by their global index: equal under every layout, new at each step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simpar import philox
from simpar.dtype import DType, as_dtype, bool_, float32
from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops.random import stream_of
from simpar.ops.support import Array, Attrs, Shape, letters, write

__all__ = ["check_candidates"]

_DRAW: dict[str, Any] = {"seed": 7, "stream": 3}


# --- one number for each element ---


def _rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``", a0, a1 -> a0 a1"``: the step, and the indices along each axis of the result."""
    names = letters(len(shapes) - 1)
    return parse_rule(f", {', '.join(names)} -> {' '.join(names)}" if names else " -> ", shapes)


def _where(attrs: Attrs, local: Local) -> Attrs:
    return {**attrs, "box": local.boxes[0], "shape": local.shapes[0]}


def _made_type(types: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


def _draw(
    step: Array,
    *indices: Array,
    seed: int,
    stream: int,
    kind: str,
    dtype: str,
    low: int = 0,
    high: int = 1,
    box: tuple[tuple[int, int], ...] | None = None,
    shape: Shape | None = None,
    out: Array | None = None,
) -> Array:
    """Return numbers of a distribution: in [0, 1), standard normal, or whole numbers from ``low`` to below ``high``."""
    whole = tuple(len(i) for i in indices) if shape is None else shape
    place = tuple((0, n) for n in whole) if box is None else box
    where = (seed, stream_of(stream, step), place, whole)
    if kind == "uniform":
        return write(philox.uniform(*where).astype(dtype), out)
    if kind == "normal":
        return write(philox.normal(*where).astype(dtype), out)
    words = philox.words(*where).astype(np.uint64)
    return write(((words * np.uint64(high - low) >> np.uint64(32)).astype(np.int64) + low).astype(dtype), out)


_KINDS: tuple[Mapping[str, Any], ...] = (
    {"kind": "uniform", "dtype": "float32"},
    {"kind": "normal", "dtype": "float32"},
    {"kind": "integers", "dtype": "int32", "low": -3, "high": 9},
)
op(
    "draw",
    rule=_rule,
    kernel=_draw,
    dtype=_made_type,
    localize=_where,
    examples=tuple(
        Example(((), *shape), {**_DRAW, **kind}, ("int64",) * (1 + len(shape)), low=0, high=9, grad=False)
        for kind in _KINDS
        for shape in (((4,), (6,)), ((2,), (3,), (4,)))
    ),
)


# --- an order, and choices ---


def _permute(step: Array, indices: Array, *, seed: int, stream: int, dtype: str, out: Array | None = None) -> Array:
    words = philox.words(seed, stream_of(stream, step), ((0, len(indices)),), indices.shape)
    return write(np.argsort(words, kind="stable").astype(dtype), out)


op(
    "random_permutation",
    rule=", n -> n",
    whole=("n",),
    kernel=_permute,
    dtype=_made_type,
    examples=tuple(
        Example(((), (n,)), {**_DRAW, "dtype": t}, ("int64",) * 2, low=0, high=9, grad=False)
        for n, t in ((8, "int64"), (5, "int32"))
    ),
)


def _choice_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[1]))
    sizes = {"k": attrs["count"], "d": len(names)}
    return parse_rule(f", {' '.join(names)} -> k d, k", shapes, sizes=sizes, whole=(*names, "k", "d"))


def _choose(
    step: Array, mask: Array, *, seed: int, stream: int, count: int, out: tuple[Array, ...] | None = None
) -> tuple[Array, ...]:
    """Return where the mask is true, at most ``count`` places in a random order, and which of the rows are such."""
    found = np.argwhere(mask)
    words = philox.words(seed, stream_of(stream, step), ((0, len(found)),), (len(found),))
    taken = found[np.argsort(words, kind="stable")[:count]]
    made = np.zeros((count, mask.ndim), np.int32), np.arange(count) < len(taken)
    made[0][: len(taken)] = taken
    return made if out is None else (write(made[0], out[0]), write(made[1], out[1]))


def _choice_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    return as_dtype("int32"), bool_


op(
    "random_choice_with_mask",
    rule=_choice_rule,
    kernel=_choose,
    dtype=_choice_types,
    examples=tuple(
        Example(((), (4, 6)), {**_DRAW, "count": n}, ("int64", "bool"), low=0, high=9, grad=False) for n in (3, 30)
    ),
)

# --- candidates for a sampled loss ---


def _sampler_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``" -> s, s"``, or ``", a b -> s, s"`` with the classes that must not be drawn; all is whole."""
    names = letters(len(shapes[1])) if len(shapes) > 1 else []
    text = f", {' '.join(names)} -> s, s" if names else " -> s, s"
    return parse_rule(text, shapes, sizes={"s": attrs["count"]}, whole=(*names, "s"))


def _sample(
    step: Array,
    *true: Array,
    seed: int,
    stream: int,
    count: int,
    limit: int,
    unique: bool,
    dtype: str,
    out: tuple[Array, ...] | None = None,
) -> tuple[Array, ...]:
    """Return classes drawn evenly below ``limit``, and how often each of them is expected among so many."""
    check_candidates(count, limit, unique, len(np.unique(true[0][true[0] < limit])) if true else 0)
    tries = count
    while True:
        words = philox.words(seed, stream_of(stream, step), ((0, tries),), (tries,)).astype(np.uint64)
        drawn = (words * np.uint64(limit) >> np.uint64(32)).astype(dtype)
        kept = np.sort(np.unique(drawn, return_index=True)[1]) if unique else np.arange(tries)
        kept = kept[~np.isin(drawn[kept], true[0])] if true else kept
        if len(kept) >= count:
            break
        tries *= 2
    used = int(kept[count - 1]) + 1
    expected = -np.expm1(used * np.log1p(-1 / limit)) if unique and limit > 1 else count / limit
    made = drawn[kept[:count]], np.full(count, expected, np.float32)
    return made if out is None else (write(made[0], out[0]), write(made[1], out[1]))


def _sampler_types(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    return as_dtype(attrs["dtype"]), float32


_SAMPLER: dict[str, Any] = {**_DRAW, "count": 5, "limit": 20}
op(
    "uniform_candidates",
    rule=_sampler_rule,
    kernel=_sample,
    dtype=_sampler_types,
    examples=tuple(
        Example(shapes, {**_SAMPLER, "unique": u, "dtype": t}, ("int64", t)[: len(shapes)], low=0, high=9, grad=False)
        for shapes, u, t in ((((),), False, "int64"), (((),), True, "int32"), (((), (4, 6)), True, "int64"))
    ),
)


def check_candidates(count: int, limit: int, unique: bool, excluded: int) -> None:
    """Check that so many classes can be drawn.

    Raises:
        RuleError: there are fewer.
    """
    left = limit - excluded
    if left < (count if unique else 1):
        kind = "different classes" if unique else "classes"
        raise RuleError(f"{count} {kind} are drawn of {limit}, of which {excluded} are excluded: {left} are left.")
