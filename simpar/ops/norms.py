"""Norms of rows, and tensors divided by them; sums of squares, which a cut leaves partial."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import rows_of, spans, widened
from simpar.ops.support import Array, Attrs, Shape, letters, like, one, sum_to, write
from simpar.tensor import Tensor, call

__all__: list[str] = []

Axes = tuple[int, ...]


def _sum_over(x: Tensor, axis: Axes) -> Tensor:
    return one("reduce_sum", x, axis=axis, keep_dims=True)


def _kept(g: Tensor, x: Tensor, axis: Axes) -> Tensor:
    """Return a result of a reduction with its axes of length one."""
    shape = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
    return g if g.shape == shape else one("reshape", g, shape=shape)


# --- root mean square: Zhang and Sennrich, https://arxiv.org/abs/1910.07467 ---


def _rms_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 a1, a1 -> a0 a1, a0 1"``: the axes that gamma has are whole."""
    names = letters(len(shapes[0]))
    first = len(names) - len(shapes[1])
    x, scale = " ".join(names), " ".join(names[first:])
    row = " ".join(names[:first] + ["1"] * len(shapes[1]))
    return parse_rule(f"{x}, {scale} -> {x}, {row}", shapes, whole=names[first:])


def _rms_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = letters(len(shapes[0]))
    first = len(names) - len(shapes[2])
    x, scale = " ".join(names), " ".join(names[first:])
    row = " ".join(names[:first] + ["1"] * len(shapes[2]))
    return parse_rule(f"{x}, {x}, {scale}, {row} -> {x}, {scale}", shapes, whole=names[first:])


def _rms_norm(x: Array, gamma: Array, *, epsilon: float, out: tuple[Array, ...] | None = None) -> tuple[Array, ...]:
    """Return x * rstd * gamma, and rstd = 1 / sqrt(mean of squares + epsilon) of each row."""
    axes = gamma.ndim
    shape = x.shape[: x.ndim - axes] + (1,) * axes
    results = out or (np.empty_like(x, order="C"), np.empty(shape, x.dtype))
    xs, ys, scale, rstd = rows_of(x, axes), rows_of(results[0], axes), gamma.reshape(-1), results[1].reshape(-1)
    for rows in spans(len(xs), xs.itemsize * xs.shape[1]):
        squares = np.einsum("ij,ij->i", xs[rows], xs[rows]) / xs.shape[1]
        np.divide(1, np.sqrt(squares + epsilon), out=rstd[rows])
        np.multiply(xs[rows], rstd[rows, None], out=ys[rows])
        np.multiply(ys[rows], scale, out=ys[rows])
    return results


def _rms_norm_grad(
    g: Array, x: Array, gamma: Array, rstd: Array, *, out: tuple[Array, ...] | None = None
) -> tuple[Array, ...]:
    """Return the gradients by x and by gamma, the latter summed over this rank's rows."""
    axes = gamma.ndim
    results = out or (np.empty_like(x, order="C"), np.empty_like(gamma))
    gs, xs, dxs = rows_of(g, axes), rows_of(x, axes), rows_of(results[0], axes)
    scale, rstds, total = gamma.reshape(-1), rstd.reshape(-1, 1), np.zeros(gamma.size, x.dtype)
    for rows in spans(len(xs), xs.itemsize * xs.shape[1]):
        xhat = xs[rows] * rstds[rows]
        total += np.einsum("ij,ij->j", gs[rows], xhat)
        np.multiply(gs[rows], scale, out=dxs[rows])
        inner = np.einsum("ij,ij->i", dxs[rows], xhat) / xs.shape[1]
        np.subtract(dxs[rows], np.multiply(xhat, inner[:, None], out=xhat), out=dxs[rows])
        np.multiply(dxs[rows], rstds[rows], out=dxs[rows])
    np.copyto(results[1], total.reshape(gamma.shape))
    return results


def _rms_bprop(g: tuple[Tensor, ...], x: Tensor, gamma: Tensor, *, out: tuple[Tensor, ...]) -> Any:
    """Pull back the cotangent of the result; rstd is a by-product without one."""
    return call("rms_norm_grad", g[0], x, gamma, out[1])


def _rms_grad_bprop(
    u: tuple[Tensor, ...], g: Tensor, x: Tensor, gamma: Tensor, rstd: Tensor
) -> tuple[Tensor | None, ...]:
    """Differentiate dx = rstd P(g gamma) and the sum of g xhat; P takes off what a row has of xhat = x rstd.

    The rstd counts as a function of x, so that no cotangent goes to it.
    """
    axes = tuple(range(x.ndim - gamma.ndim, x.ndim))
    count = prod(x.shape[a] for a in axes)

    def average(t: Tensor) -> Tensor:
        return one("reduce_mean", t, axis=axes, keep_dims=True, count=count)

    xhat, scaled = x * rstd, g * gamma
    along, across = average(scaled * xhat), average(u[0] * xhat)
    of_scaled = rstd * (u[0] - xhat * across)
    of_xhat = u[1] * g - rstd * (u[0] * along + scaled * across)
    spread = average(u[0] * scaled) - along * across
    of_x = rstd * (of_xhat - xhat * average(of_xhat * xhat)) - one("square", rstd) * xhat * spread
    return of_scaled * gamma + u[1] * xhat, of_x, sum_to(of_scaled * g, gamma), None


_EPSILON = {"epsilon": 1e-5}
op(
    "rms_norm",
    rule=_rms_rule,
    kernel=widened(_rms_norm),
    bprop=_rms_bprop,
    examples=(Example(((4, 6), (6,)), _EPSILON), Example(((2, 3, 4, 2), (4, 2)), _EPSILON)),
)
op(
    "rms_norm_grad",
    rule=_rms_grad_rule,
    kernel=widened(_rms_norm_grad),
    bprop=_rms_grad_bprop,
    examples=(
        Example(((4, 6), (4, 6), (6,), (4, 1)), grad=False),
        Example(((2, 3, 4, 2), (2, 3, 4, 2), (4, 2), (2, 3, 1, 1)), grad=False),
    ),
)

# --- norms along axes ---


def _whole_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Return ``"a0 c1 -> a0"``, or ``"a0 c1 -> a0 c1"`` where nothing is reduced; the axes worked on are whole."""
    axis: Axes = attrs["axis"]
    names = [f"c{i}" if i in axis else f"a{i}" for i in range(len(shapes[0]))]
    keep = attrs.get("keep_dims")
    kept = names if keep is None else ["1" if i in axis else f for i, f in enumerate(names) if keep or i not in axis]
    made = ", ".join([" ".join(kept)] * attrs.get("results", 1))
    return parse_rule(f"{' '.join(names)} -> {made}", shapes, whole=[names[a] for a in axis])


def _l2_normalize(x: Array, *, axis: Axes, epsilon: float, out: Array | None = None) -> Array:
    squares = np.add.reduce(x * x, axis=axis, keepdims=True)
    return np.divide(x, np.sqrt(np.maximum(squares, epsilon)), out=out)


def _l2_normalize_bprop(g: Tensor, x: Tensor, *, out: Tensor, axis: Axes, epsilon: float) -> Tensor:
    squares = _sum_over(x * x, axis)
    long = one("greater", squares, like(epsilon, x)).astype(x.dtype)
    return (g - out * (_sum_over(g * out, axis) * long)) * one("rsqrt", one("maximum", squares, like(epsilon, x)))


def _lp_norm(x: Array, *, axis: Axes, keep_dims: bool, p: int, epsilon: float, out: Array | None = None) -> Array:
    powers = np.add.reduce(np.abs(x) ** p, axis=axis, keepdims=keep_dims)
    return write(np.maximum(powers ** (1 / p), epsilon), out)


def _lp_norm_bprop(g: Tensor, x: Tensor, *, out: Tensor, axis: Axes, p: int) -> Tensor:
    ratio = x.abs() / _kept(out, x, axis)
    return _kept(g, x, axis) * one("sign", x) * one("pow", ratio, like(p - 1, x))


op(
    "l2_normalize",
    rule=_whole_rule,
    kernel=widened(_l2_normalize),
    bprop=_l2_normalize_bprop,
    examples=(
        Example(((4, 6),), {"axis": (0,), "epsilon": 1e-4}),
        Example(((2, 3, 4),), {"axis": (1, 2), "epsilon": 1e-4}),
        Example(((4, 6),), {"axis": (1,), "epsilon": 9.0}),
    ),
)
_LP = {"epsilon": 1e-12}
op(
    "lp_norm",
    rule=_whole_rule,
    kernel=widened(_lp_norm),
    bprop=_lp_norm_bprop,
    examples=(
        Example(((4, 6),), {"axis": (1,), "keep_dims": False, "p": 2, **_LP}),
        Example(((2, 3, 4),), {"axis": (0, 2), "keep_dims": True, "p": 3, **_LP}),
        Example(((4, 6),), {"axis": (0,), "keep_dims": True, "p": 1, **_LP}),
    ),
)

# --- standard deviation ---


def _std(
    x: Array, *, axis: Axes, keep_dims: bool, unbiased: bool, results: int = 2, out: tuple[Array, ...] | None = None
) -> tuple[Array, ...]:
    count = prod(x.shape[a] for a in axis)
    mean = np.add.reduce(x, axis=axis, keepdims=True) / count
    centred = x - mean
    std = np.sqrt(np.add.reduce(centred * centred, axis=axis, keepdims=keep_dims) / max(count - unbiased, 1))
    made = std, mean if keep_dims else mean.squeeze(axis)
    return made if out is None else tuple(map(write, made, out))


def _std_bprop(g: tuple[Tensor, ...], x: Tensor, *, out: tuple[Tensor, ...], axis: Axes, unbiased: bool) -> Tensor:
    count = prod(x.shape[a] for a in axis)
    dstd, dmean, std, mean = (_kept(t, x, axis) for t in (*g, *out))
    return (x - mean) * (dstd / (std * like(max(count - unbiased, 1), x))) + dmean * like(1 / count, x)


op(
    "reduce_std",
    rule=_whole_rule,
    kernel=widened(_std),
    bprop=_std_bprop,
    examples=(
        Example(((4, 6),), {"axis": (1,), "keep_dims": False, "unbiased": True, "results": 2}),
        Example(((2, 3, 4),), {"axis": (0, 2), "keep_dims": True, "unbiased": False, "results": 2}),
    ),
)

# --- sums of squares ---


def _all_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    names = " ".join(letters(len(shapes[0])))
    return parse_rule(f"{', '.join([names] * len(shapes))} -> {', '.join([''] * len(shapes))}", shapes)


def _square_sums(x: Array, y: Array, out: tuple[Array, ...] | None = None) -> tuple[Array, ...]:
    made = tuple(np.asarray(np.add.reduce(np.square(a), axis=None)) for a in (x, y))
    return made if out is None else tuple(map(write, made, out))


def _square_sums_bprop(g: tuple[Tensor, ...], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return g[0] * (x + x), g[1] * (y + y)


def _half_square_sum(x: Array, out: Array | None = None) -> Array:
    return write(np.asarray(np.add.reduce(np.square(x), axis=None) / 2), out)


def _half_square_sum_bprop(g: Tensor, x: Tensor) -> Tensor:
    return g * x


op(
    "square_sum_all",
    rule=_all_rule,
    kernel=_square_sums,
    bprop=_square_sums_bprop,
    examples=(Example(((4, 6), (4, 6))), Example(((2, 3, 4), (2, 3, 4)))),
)
op(
    "l2_loss",
    rule=_all_rule,
    kernel=_half_square_sum,
    bprop=_half_square_sum_bprop,
    examples=(Example(((4, 6),)), Example(((2, 3, 4),))),
)
