"""Dropout, whose mask is drawn by the global index of each element: the same under every layout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simpar import philox
from simpar.context import current
from simpar.dtype import DType, bool_, uint8
from simpar.errors import RuleError
from simpar.graph import Example, Local, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import Array, or_new, widened
from simpar.ops.support import BLOCK, constant_dtype, one, pick_dtype, write
from simpar.tensor import Tensor, call

__all__ = ["draw_attrs", "dropout", "seeded", "step_tensor", "stream_of"]

Attrs = Mapping[str, Any]
Box = tuple[tuple[int, int], ...]

_DRAW_STREAMS = 1 << 63
"""Streams from here on belong to dropout and other draws, those below to initializers."""


def _dropout(
    x: Array,
    step: Array,
    *,
    seed: int,
    stream: int,
    keep_prob: float,
    box: Box | None = None,
    shape: tuple[int, ...] | None = None,
    out: tuple[Array, ...] | None = None,
) -> tuple[Array, ...]:
    """Return x / keep_prob where the mask keeps it and 0 elsewhere, and the mask."""
    return _masked(x, seed, stream_of(stream, step), box, shape, keep_prob, out)


def _dropout_ext(
    x: Array,
    seed: Array,
    offset: Array,
    *,
    keep_prob: float,
    box: Box | None = None,
    shape: tuple[int, ...] | None = None,
    out: tuple[Array, ...] | None = None,
) -> tuple[Array, ...]:
    """Return what ``dropout`` returns; the same seed and offset give the same mask each time."""
    stream = _DRAW_STREAMS | int(offset.item()) & 0xFFFFFFFF
    return _masked(x, int(seed.item()) & 0xFFFFFFFFFFFFFFFF, stream, box, shape, keep_prob, out)


def _masked(
    x: Array,
    seed: int,
    stream: int,
    box: Box | None,
    shape: tuple[int, ...] | None,
    keep_prob: float,
    out: tuple[Array, ...] | None,
) -> tuple[Array, ...]:
    place = tuple((0, n) for n in x.shape) if box is None else box
    mask = philox.keep_mask(seed, stream, place, x.shape if shape is None else shape, keep_prob)
    results = out or (np.empty(x.shape, x.dtype), mask)
    if results[1] is not mask:
        np.copyto(results[1], mask)
    _scaled_mask(x, mask, keep_prob=keep_prob, out=results[0])
    return results


def _scaled_mask(g: Array, mask: Array, *, keep_prob: float, out: Array | None = None) -> Array:
    """Return g / keep_prob where the mask is true and 0 elsewhere."""
    result = or_new(out, g.shape, g.dtype)
    scale = 1 / keep_prob if keep_prob else 0.0
    flat = [np.ascontiguousarray(a).reshape(-1) for a in (g, mask)]
    target = result.reshape(-1)
    for start in range(0, target.size, BLOCK):
        at = slice(start, start + BLOCK)
        np.multiply(np.multiply(flat[0][at], scale, out=target[at]), flat[1][at], out=target[at])
    return result


def _where(attrs: Attrs, local: Local) -> Attrs:
    """Tell the kernel which elements of the whole tensor this rank's slice holds."""
    return {**attrs, "box": local.boxes[0], "shape": local.shapes[0]}


def _bprop(g: tuple[Tensor, ...], x: Tensor, step: Tensor, *, out: tuple[Tensor, ...], keep_prob: float) -> Any:
    return one("dropout_grad", g[0], out[1], keep_prob=keep_prob), None


def _ext_bprop(g: tuple[Tensor, ...], x: Tensor, *_: Tensor, out: tuple[Tensor, ...], keep_prob: float) -> Any:
    return one("dropout_grad", g[0], out[1], keep_prob=keep_prob), None, None


def _grad_bprop(u: Tensor, g: Tensor, mask: Tensor, *, keep_prob: float) -> Any:
    return one("dropout_grad", u, mask, keep_prob=keep_prob), None


def _dtypes(types: Sequence[DType], attrs: Attrs) -> tuple[DType, ...]:
    return types[0], bool_


_DRAW = {"seed": 7, "stream": 3, "keep_prob": 0.6}

op(
    "dropout",
    rule="..., -> ..., ...",
    kernel=widened(_dropout),
    bprop=_bprop,
    dtype=_dtypes,
    localize=_where,
    examples=(
        Example(((4, 6), ()), _DRAW, ("float32", "int64"), low=(-1, 0), high=(1, 9)),
        Example(((2, 3, 8), ()), {**_DRAW, "keep_prob": 0.25}, ("float32", "int64"), low=(-1, 0), high=(1, 9)),
    ),
)
op(
    "dropout_ext",
    rule="..., , -> ..., ...",
    kernel=widened(_dropout_ext),
    bprop=_ext_bprop,
    dtype=_dtypes,
    localize=_where,
    examples=(
        Example(((4, 6), (), ()), {"keep_prob": 0.6}, ("float32", "int64", "int64"), low=(-1, 0, 0), high=(1, 9, 9)),
        Example(((2, 8), (), ()), {"keep_prob": 0.25}, ("float32", "int64", "int64"), low=(-1, 0, 0), high=(1, 9, 9)),
    ),
)
op(
    "dropout_grad",
    rule="..., ... -> ...",
    kernel=widened(_scaled_mask),
    bprop=_grad_bprop,
    dtype=pick_dtype(0),
    elementwise=True,
    examples=(
        Example(((4, 6), (4, 6)), {"keep_prob": 0.6}, ("float32", "bool")),
        Example(((8,), (8,)), {"keep_prob": 0.5}, ("float32", "bool"), high=(1, 1), low=(-1, 0)),
    ),
)


def stream_of(draw: int, step: Array) -> int:
    """Return the stream of philox that belongs to a draw of the program, in one step."""
    return _DRAW_STREAMS | draw << 32 | int(step.item()) & 0xFFFFFFFF


def step_tensor() -> Tensor:
    """Return the number of this call of the traced program, from which dropout draws a new mask; 0 when not tracing."""
    trace = current().trace
    return Tensor(np.int64(0)) if trace is None else Tensor.wrap(trace.step())


def draw_attrs(p_drop: float, seed: int | None = None) -> dict[str, Any]:
    """Return the attributes of one more dropout of this program: its seed, its stream, and what it keeps.

    Args:
        p_drop: which part of the elements becomes 0.
        seed: the program's own (``set_seed``) if None, else 0.

    Raises:
        RuleError: ``p_drop`` is not from 0 to 1.
    """
    if not 0 <= p_drop <= 1:
        raise RuleError(f"dropout with p = {p_drop}: give a part of all elements, from 0 to 1.")
    return {**seeded(seed), "keep_prob": 1.0 - p_drop}


def seeded(seed: int | None = None) -> dict[str, Any]:
    """Return seed and stream of one more draw of this program; the seed is that of ``set_seed`` if None."""
    chosen = current().seed if seed is None else seed
    return {"seed": chosen or 0, "stream": current().count("dropout")}


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    seed: int | None = None,
) -> Tensor:
    """Return ``input`` with a random part of its elements 0, and the others divided by the part that is kept.

    Which elements that are depends on the seed, on how many dropouts the program has, on the step and on the element's
    global index: never on how the tensor is cut.

    Args:
        input: any shape.
        p: which part becomes 0, 0 to 1.
        training: the input is returned as it is if False.
        seed: that of ``set_seed`` if None.

    Raises:
        RuleError: ``p`` is out of range.

    >>> dropout(Tensor([1.0, 2.0]), p=0.0).tolist()
    [1.0, 2.0]
    """
    attrs = draw_attrs(p, seed)
    if not training or p == 0:
        return input
    made = call("dropout", input, step_tensor(), **attrs)
    assert isinstance(made, tuple), "dropout has two results"
    return made[0]


# --- masks of bits ---


def _pack(x: Array, *, out: Array | None = None) -> Array:
    return write(np.packbits(x, axis=-1, bitorder="little")[..., 0], out)


def _unpack_rule(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> Rule:
    return parse_rule("... -> ... w", shapes, sizes={"w": 8}, whole=("w",))


def _unpack(x: Array, *, out: Array | None = None) -> Array:
    return write(np.unpackbits(x[..., None], axis=-1, bitorder="little").view(np.bool_), out)


op(
    "pack_bits",
    rule="... w -> ...",
    whole=("w",),
    kernel=_pack,
    dtype=constant_dtype(uint8),
    examples=(
        Example(((4, 8),), dtypes=("bool",), low=0, grad=False),
        Example(((2, 3, 8),), dtypes=("bool",), low=0, grad=False),
    ),
)
op(
    "unpack_bits",
    rule=_unpack_rule,
    kernel=_unpack,
    dtype=constant_dtype(bool_),
    examples=(
        Example(((4,),), dtypes=("uint8",), low=0, high=255, grad=False),
        Example(((2, 3),), dtypes=("uint8",), low=0, high=255, grad=False),
    ),
)
