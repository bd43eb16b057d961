"""New tensors whose elements follow from their indices, and triangles of matrices."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, as_dtype
from simpar.graph import Example, Local, op
from simpar.ops.support import Array, Attrs, one, write
from simpar.tensor import Tensor

__all__: list[str] = []


# --- from indices ---


def _named_type(types: Sequence[DType], attrs: Attrs) -> DType:
    return as_dtype(attrs["dtype"])


def _line(first: Array, step: Array, place: Array, *, dtype: str, out: Array | None = None) -> Array:
    """Return first + step * place, computed in float64 or in whole numbers."""
    wide = np.float64 if np.dtype(dtype).kind == "f" else np.int64
    made = first.astype(wide) + step.astype(wide) * place.astype(wide)
    return write(made.astype(dtype), out)


def _between(first: Array, last: Array, place: Array, *, num: int, dtype: str, out: Array | None = None) -> Array:
    """Return ``num`` numbers in equal steps; those of the second half are counted from the end, which is exact."""
    low, high = first.astype(np.float64), last.astype(np.float64)
    step = (high - low) / max(num - 1, 1)
    made = np.where(2 * place < num, low + step * place, high - step * (num - 1 - place))
    return write(made.astype(dtype), out)


def _line_bprop(g: Tensor, first: Tensor, step: Tensor, place: Tensor) -> tuple[Tensor | None, ...]:
    if not first.dtype.is_float:
        return None, None, None
    far = (g * place.astype(g.dtype)).sum().astype(step.dtype)
    return g.sum().astype(first.dtype), far, None


def _between_bprop(g: Tensor, first: Tensor, last: Tensor, place: Tensor, *, num: int) -> tuple[Tensor | None, ...]:
    share = place.astype(g.dtype) * (1 / max(num - 1, 1))
    return (g * (1 - share)).sum().astype(first.dtype), (g * share).sum().astype(last.dtype), None


_LINE: dict[str, Any] = {"rule": ", , n -> n", "dtype": _named_type}
_TYPES = ("float32", "float32", "int64")
op(
    "line",
    kernel=_line,
    bprop=_line_bprop,
    examples=(
        Example(((), (), (12,)), {"dtype": "float64"}, _TYPES, low=(-1, 0.5, 0), high=(1, 2, 9)),
        Example(((), (), (4,)), {"dtype": "int32"}, ("int64",) * 3, low=0, high=9, grad=False),
    ),
    **_LINE,
)
op(
    "linspace",
    kernel=_between,
    bprop=_between_bprop,
    examples=tuple(
        Example(((), (), (n,)), {"dtype": "float64", "num": n}, _TYPES, low=(-1, 2, 0), high=(1, 5, n)) for n in (12, 4)
    ),
    **_LINE,
)


def _eye(row: Array, column: Array, *, dtype: str, out: Array | None = None) -> Array:
    return write(np.equal(row[:, None], column).astype(dtype), out)


op(
    "eye",
    rule="i, j -> i j",
    kernel=_eye,
    dtype=_named_type,
    examples=tuple(
        Example(shapes, {"dtype": t}, ("int64",) * 2, low=0, high=4, grad=False)
        for shapes, t in ((((4,), (6,)), "float32"), (((8,), (8,)), "int32"))
    ),
)

# --- triangles ---


def _where(attrs: Attrs, local: Local) -> Attrs:
    """Move the diagonal into this rank's slice."""
    rows, columns = local.boxes[0][-2:]
    return {**attrs, "diagonal": attrs["diagonal"] + rows[0] - columns[0]}


def _triangle(function: Callable[..., Array]) -> Callable[..., Array]:
    def kernel(x: Array, *, diagonal: int, out: Array | None = None) -> Array:
        return write(function(x, diagonal), out)

    return kernel


def _triangle_bprop(name: str) -> Callable[..., Tensor]:
    def bprop(g: Tensor, x: Tensor, *, diagonal: int) -> Tensor:
        return one(name, g, diagonal=diagonal)

    return bprop


for _name, _function in (("tril", np.tril), ("triu", np.triu)):
    op(
        _name,
        rule="... i j -> ... i j",
        kernel=_triangle(_function),
        bprop=_triangle_bprop(_name),
        linear="each",
        localize=_where,
        examples=(Example(((4, 6),), {"diagonal": 0}), Example(((2, 4, 4),), {"diagonal": -1})),
    )
