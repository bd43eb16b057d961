"""Ops that move or repeat elements without arithmetic: what they leave in place may stay cut."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.errors import Misfit, RuleError
from simpar.graph import Example, Local, local_shape, op
from simpar.layout import Rule, parse_rule
from simpar.ops.refinement import reshape_rule
from simpar.ops.support import Array, Attrs, Shape, letters, one, sum_to, write
from simpar.tensor import Tensor, call

__all__: list[str] = []


def _words(names: Sequence[str]) -> str:
    return " ".join(names)


# --- another shape for the same elements ---


def _reshape_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    return reshape_rule(shapes[0], attrs["shape"])


def _reshape(x: Array, *, shape: Shape, out: Array | None = None) -> Array:
    return write(x.reshape(shape), out)


def _reshape_bprop(g: Tensor, x: Tensor) -> Tensor:
    return one("reshape", g, shape=x.shape)


op(
    "reshape",
    rule=_reshape_rule,
    kernel=_reshape,
    bprop=_reshape_bprop,
    linear="each",
    view=True,
    localize=local_shape(),
    examples=(
        Example(((4, 6),), {"shape": (24,)}),
        Example(((24,),), {"shape": (4, 6)}),
        Example(((2, 3, 4),), {"shape": (6, 4)}),
        Example(((2, 3, 4),), {"shape": (2, 1, 12)}),
        Example(((6, 4),), {"shape": (4, 6)}),
        Example(((4, 6),), {"shape": (2, 2, 3, 2)}),
        Example(((4, 3),), {"shape": (4, 3, 1)}),
        Example(((1, 1),), {"shape": ()}),
    ),
)


def _expand_rule(shapes: Sequence[Shape], attrs: Attrs) -> str:
    names = letters(len(shapes[0]))
    made = list(names)
    made.insert(attrs["axis"], "1")
    return f"{_words(names)} -> {_words(made)}"


def _squeeze_rule(shapes: Sequence[Shape], attrs: Attrs) -> str:
    gone: tuple[int, ...] = attrs["axis"]
    names = ["1" if i in gone else f for i, f in enumerate(letters(len(shapes[0])))]
    return f"{_words(names)} -> {_words([f for i, f in enumerate(names) if i not in gone])}"


def _expand_dims(x: Array, *, axis: int, out: Array | None = None) -> Array:
    return write(np.expand_dims(x, axis), out)


def _squeeze(x: Array, *, axis: tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.squeeze(x, axis), out)


op(
    "expand_dims",
    rule=_expand_rule,
    kernel=_expand_dims,
    bprop=_reshape_bprop,
    linear="each",
    view=True,
    examples=(Example(((4, 6),), {"axis": 1}), Example(((4,),), {"axis": 0}), Example(((4, 6),), {"axis": 2})),
)
op(
    "squeeze",
    rule=_squeeze_rule,
    kernel=_squeeze,
    bprop=_reshape_bprop,
    linear="each",
    view=True,
    examples=(Example(((4, 1, 6),), {"axis": (1,)}), Example(((1, 4, 1),), {"axis": (0, 2)})),
)

# --- another order ---


def _transpose_rule(shapes: Sequence[Shape], attrs: Attrs) -> str:
    names, perm = letters(len(shapes[0])), tuple[int, ...](attrs["perm"])
    return f"{_words(names)} -> {_words([names[p] for p in perm])}"


def _transpose(x: Array, *, perm: tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.transpose(x, perm), out)


def _transpose_bprop(g: Tensor, x: Tensor, *, perm: tuple[int, ...]) -> Tensor:
    return one("transpose", g, perm=tuple(sorted(range(len(perm)), key=lambda i: perm[i])))


op(
    "transpose",
    rule=_transpose_rule,
    kernel=_transpose,
    bprop=_transpose_bprop,
    linear="each",
    view=True,
    examples=(Example(((4, 6),), {"perm": (1, 0)}), Example(((2, 3, 4),), {"perm": (1, 2, 0)})),
)

# --- repeated elements ---


def _broadcast_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"1 a1 -> b0 a1"``: an axis that is new or stretched is a factor of the result alone, free to be cut."""
    shape: Shape = attrs["shape"]
    lead = len(shape) - len(shapes[0])
    given = (*(0,) * lead, *shapes[0])
    if lead < 0 or any(n not in (0, 1, m) for n, m in zip(given, shape, strict=True)):
        raise RuleError(
            f"shape {shapes[0]} cannot be broadcast to {shape}: counted from the right, each axis must have length 1 "
            f"or the length asked for.",
            misfits=(Misfit(n, m) for n, m in zip(given, shape, strict=True) if n not in (0, 1, m)),
        )
    made = [f"a{i}" if given[i] == n else f"b{i}" for i, n in enumerate(shape)]
    taken = [f"a{i}" if given[i] == shape[i] else "1" for i in range(lead, len(shape))]
    sizes = {f: n for f, n in zip(made, shape, strict=True) if f[0] == "b"}
    return parse_rule(f"{_words(taken)} -> {_words(made)}", shapes, sizes=sizes)


def _broadcast_to(x: Array, *, shape: Shape, out: Array | None = None) -> Array:
    if out is None:
        return np.broadcast_to(x, shape).copy()
    np.copyto(out, x)
    return out


def _broadcast_bprop(g: Tensor, x: Tensor) -> Tensor | None:
    return sum_to(g, x)


op(
    "broadcast_to",
    rule=_broadcast_rule,
    kernel=_broadcast_to,
    bprop=_broadcast_bprop,
    linear="each",
    localize=local_shape(),
    examples=(
        Example(((6,),), {"shape": (4, 6)}),
        Example(((4, 1),), {"shape": (2, 4, 6)}),
        Example(((),), {"shape": (4, 2)}),
    ),
)


def _tile_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 a1 -> (m0 a0) a1"``: a repeated axis is cut through its multiple alone, as MindSpore does it.

    A strategy is for the result, whose multiples are no axes of the operand.
    """
    multiples: tuple[int, ...] = attrs["multiples"]
    lead = len(multiples) - len(shapes[0])
    names = letters(len(multiples))
    made = [f"m{i}" if i < lead else f"(m{i} {f})" if multiples[i] > 1 else f for i, f in enumerate(names)]
    sizes = {f"m{i}": n for i, n in enumerate(multiples)}
    whole = [f for f, n in zip(names, multiples, strict=True) if n > 1]
    order = [f"m{i}" if n > 1 or i < lead else names[i] for i, n in enumerate(multiples)]
    text = f"{_words(names[lead:])} -> {_words(made)}"
    return parse_rule(text, shapes, sizes=sizes, whole=whole, order=order, by_result=True)


def _tile_local(attrs: Attrs, local: Local) -> Attrs:
    lead = len(local.results[0]) - len(local.operands[0])
    given = (*(1,) * lead, *local.operands[0])
    return {**attrs, "multiples": tuple(n // max(m, 1) for n, m in zip(local.results[0], given, strict=True))}


def _tile(x: Array, *, multiples: tuple[int, ...], out: Array | None = None) -> Array:
    return write(np.tile(x, multiples), out)


def _tile_bprop(g: Tensor, x: Tensor, *, multiples: tuple[int, ...]) -> Tensor:
    given = (*(1,) * (len(multiples) - x.ndim), *x.shape)
    pairs = tuple(n for pair in zip(multiples, given, strict=True) for n in pair)
    over = tuple(range(0, len(pairs), 2))
    return one("reshape", one("reduce_sum", one("reshape", g, shape=pairs), axis=over, keep_dims=False), shape=x.shape)


op(
    "tile",
    rule=_tile_rule,
    kernel=_tile,
    bprop=_tile_bprop,
    linear="each",
    localize=_tile_local,
    examples=(
        Example(((4, 6),), {"multiples": (2, 1)}),
        Example(((4,),), {"multiples": (2, 3)}),
        Example(((2, 2),), {"multiples": (3, 4)}),
    ),
)

# --- many tensors, one tensor ---


def _concat_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"c0 a1, c1 a1 -> c a1"``, with the axis that is worked on whole."""
    axis: int = attrs["axis"]
    names = letters(len(shapes[0]))
    joined = letters(len(shapes), "c")
    operands = [_words([*names[:axis], f, *names[axis + 1 :]]) for f in joined]
    result = _words([*names[:axis], "c", *names[axis + 1 :]])
    sizes = {"c": sum(s[axis] for s in shapes)}
    return parse_rule(f"{', '.join(operands)} -> {result}", shapes, sizes=sizes, whole=("c", *joined))


def _concat(*operands: Array, axis: int, out: Array | None = None) -> Array:
    return np.concatenate(operands, axis=axis, out=out)


def _concat_bprop(g: Tensor, *operands: Tensor, axis: int) -> tuple[Tensor, ...]:
    made = call_split(g, axis, tuple(x.shape[axis] for x in operands))
    return tuple(part.astype(x.dtype) for part, x in zip(made, operands, strict=True))


def _stack_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    made = list(names)
    made.insert(attrs["axis"], "c")
    text = ", ".join(_words(names) for _ in shapes) + " -> " + _words(made)
    return parse_rule(text, shapes, sizes={"c": len(shapes)}, whole=("c",))


def _stack(*operands: Array, axis: int, out: Array | None = None) -> Array:
    return np.stack(operands, axis=axis, out=out)


def _stack_bprop(g: Tensor, *operands: Tensor, axis: int) -> tuple[Tensor, ...]:
    made = call_split(g, axis, len(operands))
    return tuple(one("reshape", part, shape=x.shape) for part, x in zip(made, operands, strict=True))


def _split_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"c a1 -> c0 a1, c1 a1"``, with the axis that is worked on whole."""
    axis: int = attrs["axis"]
    lengths = _lengths(shapes[0][axis], attrs["parts"])
    names = letters(len(shapes[0]))
    made = letters(len(lengths), "c")
    results = [_words([*names[:axis], f, *names[axis + 1 :]]) for f in made]
    given = _words([*names[:axis], "c", *names[axis + 1 :]])
    sizes = dict(zip(made, lengths, strict=True))
    return parse_rule(f"{given} -> {', '.join(results)}", shapes, sizes=sizes, whole=("c", *made))


def _lengths(length: int, parts: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the length of each part of an axis.

    Raises:
        RuleError: the parts do not add up to the axis.
    """
    made = (length // max(parts, 1),) * parts if isinstance(parts, int) else parts
    if sum(made) != length:
        raise RuleError(f"an axis of length {length} cannot be split into {parts} parts: they add up to {sum(made)}.")
    return made


def _split(
    x: Array, *, axis: int, parts: int | tuple[int, ...], out: tuple[Array, ...] | Array | None = None
) -> tuple[Array, ...]:
    ends = np.cumsum(_lengths(x.shape[axis], parts))[:-1]
    made = np.split(x, [int(e) for e in ends], axis=axis)
    if out is None:
        return tuple(part.copy() for part in made)
    return tuple(map(write, made, out if isinstance(out, tuple) else (out,)))


def _split_bprop(g: Any, x: Tensor, *, axis: int) -> Tensor:
    return one("concat", *(g if isinstance(g, tuple) else (g,)), axis=axis)  # pyright: ignore[reportUnknownArgumentType]


def call_split(x: Tensor, axis: int, parts: int | tuple[int, ...]) -> tuple[Tensor, ...]:
    """Return a Tensor's parts along an axis: so many equal ones, or of these lengths."""
    made = call("split", x, axis=axis, parts=parts)
    return made if isinstance(made, tuple) else (made,)


op(
    "concat",
    rule=_concat_rule,
    kernel=_concat,
    bprop=_concat_bprop,
    linear="joint",
    examples=(
        Example(((4, 6), (2, 6)), {"axis": 0}),
        Example(((2, 3, 4), (2, 1, 4), (2, 2, 4)), {"axis": 1}),
    ),
)
op(
    "stack",
    rule=_stack_rule,
    kernel=_stack,
    bprop=_stack_bprop,
    linear="joint",
    examples=(Example(((4, 6), (4, 6)), {"axis": 0}), Example(((4, 2), (4, 2), (4, 2)), {"axis": 2})),
)
op(
    "split",
    rule=_split_rule,
    kernel=_split,
    bprop=_split_bprop,
    linear="each",
    examples=(
        Example(((4, 6),), {"axis": 1, "parts": 3}),
        Example(((6, 4),), {"axis": 0, "parts": (4, 2)}),
        Example(((4, 6),), {"axis": 1, "parts": 1}),
    ),
)
