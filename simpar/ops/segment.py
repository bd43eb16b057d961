"""Elements joined by the number of their segment: sum, smallest, largest, product.

The axes that the numbers cover may be cut: each rank joins what it holds, and the results are joined as the elements
are. Segments stay whole. A number that is out of range is left out; a segment without elements gives what changes
nothing: 0, 1, or the largest or smallest number of the type.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.support import Array, Attrs, Shape, letters, like, one, pick_dtype
from simpar.tensor import Tensor

__all__: list[str] = []

_JOINS: dict[str, Any] = {"sum": np.add, "min": np.minimum, "max": np.maximum, "prod": np.multiply}


def _rule(combine: str) -> Any:
    def rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
        ids = letters(len(shapes[1]), "n")
        rest = letters(len(shapes[0]) - len(ids), "d")
        text = f"{' '.join(ids + rest)}, {' '.join(ids)} -> {' '.join(['s', *rest])}"
        return parse_rule(text, shapes, sizes={"s": attrs["segments"]}, whole=("s",), combine=combine)

    return rule


def _start(combine: str, dtype: np.dtype[Any]) -> Any:
    """Return what changes nothing when it is joined."""
    if combine in ("sum", "prod"):
        return float(combine == "prod")
    info = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return info.max if combine == "min" else info.min


def _kernel(combine: str) -> Any:
    def kernel(x: Array, ids: Array, *, segments: int, out: Array | None = None) -> Array:
        made = np.full((segments, *x.shape[ids.ndim :]), _start(combine, x.dtype), x.dtype)
        numbers, rows = ids.reshape(-1), x.reshape(ids.size, -1)
        known = (numbers >= 0) & (numbers < segments)
        _JOINS[combine].at(made.reshape(segments, rows.shape[1]), numbers[known], rows[known])
        if out is None:
            return made
        np.copyto(out, made)
        return out

    return kernel


def _taken(source: Tensor, ids: Tensor) -> Tensor:
    return one("gather", source, ids, axis=0)


def _sum_bprop(g: Tensor, x: Tensor, ids: Tensor) -> tuple[Tensor, None]:
    return _taken(g, ids), None


def _extremum_bprop(g: Tensor, x: Tensor, ids: Tensor, *, out: Tensor, segments: int) -> tuple[Tensor, None]:
    """Share the cotangent among the elements that equal the extremum of their segment."""
    hit = one("equal", x, _taken(out, ids)).astype(g.dtype)
    count = one("unsorted_segment_sum", hit, ids, segments=segments)
    return hit * _taken(g / one("maximum", count, like(1, g)), ids), None


def _prod_bprop(g: Tensor, x: Tensor, ids: Tensor, *, segments: int) -> tuple[Tensor, None]:
    """Multiply by the product of the others: where one element is zero, it is that of all that are not."""
    zero = one("equal", x, like(0, x))
    filled = one("select", zero, like(1, x), x)
    others = one("unsorted_segment_prod", filled, ids, segments=segments)
    zeros = _taken(one("unsorted_segment_sum", zero.astype(x.dtype), ids, segments=segments), ids)
    alone = one("equal", zeros, zero.astype(x.dtype)).astype(x.dtype)  # no other element of the segment is zero
    return _taken(g * others, ids) * alone / filled, None


_NUMBERED = ("float32", "int32")
for _name, _bprop in (
    ("sum", _sum_bprop),
    ("min", _extremum_bprop),
    ("max", _extremum_bprop),
    ("prod", _prod_bprop),
):
    op(
        f"unsorted_segment_{_name}",
        rule=_rule(_name),
        kernel=_kernel(_name),
        bprop=_bprop,
        dtype=pick_dtype(0),
        combine=_name,
        linear="each" if _name == "sum" else "",
        examples=(
            Example(((6, 4), (6,)), {"segments": 3}, _NUMBERED, low=(0.5, 0), high=(2, 3)),
            Example(((4, 2, 3), (4, 2)), {"segments": 2}, _NUMBERED, low=(0.5, -1), high=(2, 3)),
        ),
    )
