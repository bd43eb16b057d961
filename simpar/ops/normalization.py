"""Softmax, log-softmax and layer normalization, with their gradients: passes over rows, block by block."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops._rows import Array, or_new, rows_of, spans, widened
from simpar.ops.support import one, sum_to, write
from simpar.tensor import Tensor, axes_of, call

__all__ = ["layer_norm", "log_softmax", "softmax"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]
Axis = int | tuple[int, ...]


# --- softmax ---


def _softmax_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    """Keep the axes of the softmax whole; every other axis may be cut."""
    axes = axes_of(attrs["axis"], len(shapes[0]))
    names = [f"c{i}" if i in axes else f"x{i}" for i in range(len(shapes[0]))]
    text = " ".join(names)
    return parse_rule(", ".join([text] * len(shapes)) + f" -> {text}", shapes, whole=[names[a] for a in axes])


def _as_rows(axis: int, out: Array | None, *arrays: Array) -> tuple[list[Array], Array]:
    """Return the arrays as matrices whose rows lie along ``axis``, and what to return: ``out`` or a new array."""
    result = or_new(out, arrays[0].shape, arrays[0].dtype)
    moved = [np.moveaxis(a, axis, -1) for a in (*arrays, result)]
    return [rows_of(m) for m in moved], result


def _over_rows(passes: Any) -> Any:
    """Make a kernel of ``passes(*blocks, out_block)``, which works on rows along the attribute ``axis``."""

    def kernel(*arrays: Array, axis: Axis, out: Array | None = None) -> Array:
        if isinstance(axis, tuple):
            return along_several(arrays, axes_of(axis, arrays[0].ndim), out)
        if axis % arrays[0].ndim != arrays[0].ndim - 1:  # rows are strided: gather them, then put them back
            turned = [np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in arrays]
            made = np.moveaxis(kernel(*turned, axis=-1), -1, axis)
            if out is None:
                return made
            np.copyto(out, made)
            return out
        matrices, result = _as_rows(axis, out, *arrays)
        for rows in spans(len(matrices[0]), matrices[0].itemsize * matrices[0].shape[1]):
            passes(*(m[rows] for m in matrices))
        return result

    def along_several(arrays: Sequence[Array], axes: tuple[int, ...], out: Array | None) -> Array:
        last = tuple(range(-len(axes), 0))
        turned = [np.moveaxis(a, axes, last) for a in arrays]
        rows = [np.ascontiguousarray(t).reshape(*t.shape[: -len(axes)], -1) for t in turned]
        made = np.moveaxis(kernel(*rows, axis=-1).reshape(turned[0].shape), last, axes)
        return write(made, out)

    return widened(kernel)


def _softmax_rows(x: Array, out: Array) -> None:
    np.subtract(x, np.maximum.reduce(x, axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    np.multiply(out, (1 / np.einsum("ij->i", out))[:, None], out=out)


def _log_softmax_rows(x: Array, out: Array) -> None:
    np.subtract(x, np.maximum.reduce(x, axis=1, keepdims=True), out=out)
    np.subtract(out, np.log(np.einsum("ij->i", np.exp(out)))[:, None], out=out)


def _softmax_grad_rows(g: Array, y: Array, out: Array) -> None:
    inner = np.einsum("ij,ij->i", g, y)
    np.multiply(np.subtract(g, inner[:, None], out=out), y, out=out)


def _log_softmax_grad_rows(g: Array, y: Array, out: Array) -> None:
    scale = np.einsum("ij->i", g)
    np.multiply(np.exp(y, out=out), scale[:, None], out=out)
    np.subtract(g, out, out=out)


def _softmax_bprop(g: Tensor, x: Tensor, *, out: Tensor, axis: Axis) -> Tensor:
    return one("softmax_grad", g, out, axis=axis)


def _log_softmax_bprop(g: Tensor, x: Tensor, *, out: Tensor, axis: Axis) -> Tensor:
    return one("log_softmax_grad", g, out, axis=axis)


def _softmax_grad_bprop(u: Tensor, g: Tensor, y: Tensor, *, axis: Axis) -> tuple[Tensor, Tensor]:
    """Differentiate y * (g - sum(g * y)) by g and by y."""
    inner = one("reduce_sum", g * y, axis=axes_of(axis, g.ndim), keep_dims=True)
    weight = one("reduce_sum", u * y, axis=axes_of(axis, g.ndim), keep_dims=True)
    return one("softmax_grad", u, y, axis=axis), u * (g - inner) - g * weight


def _log_softmax_grad_bprop(u: Tensor, g: Tensor, y: Tensor, *, axis: Axis) -> tuple[Tensor, Tensor]:
    """Differentiate g - exp(y) * sum(g) by g and by y."""
    p = one("exp", y)
    inner = one("reduce_sum", u * p, axis=axes_of(axis, g.ndim), keep_dims=True)
    total = one("reduce_sum", g, axis=axes_of(axis, g.ndim), keep_dims=True)
    return u - inner, -(u * p * total)


_AXES = (-1, 1, (1, 2))
_SHAPES = ((4, 6), (4, 3, 6), (4, 3, 2))
_ROWS = tuple(Example((s,), {"axis": a}, low=-3.0, high=3.0) for s, a in zip(_SHAPES, _AXES, strict=True))
_ROW_PAIRS = tuple(Example((s, s), {"axis": a}) for s, a in zip(_SHAPES, _AXES, strict=True))

op(
    "softmax",
    rule=_softmax_rule,
    kernel=_over_rows(_softmax_rows),
    bprop=_softmax_bprop,
    elementwise=True,
    examples=_ROWS,
)
op(
    "log_softmax",
    rule=_softmax_rule,
    kernel=_over_rows(_log_softmax_rows),
    bprop=_log_softmax_bprop,
    elementwise=True,
    examples=_ROWS,
)
op(
    "softmax_grad",
    rule=_softmax_rule,
    kernel=_over_rows(_softmax_grad_rows),
    bprop=_softmax_grad_bprop,
    examples=_ROW_PAIRS,
)
op(
    "log_softmax_grad",
    rule=_softmax_rule,
    kernel=_over_rows(_log_softmax_grad_rows),
    bprop=_log_softmax_grad_bprop,
    examples=_ROW_PAIRS,
)


def softmax(input: Tensor, axis: int = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) along ``axis``, which stays whole under every strategy.

    >>> softmax(Tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    return one("softmax", input, axis=axis)


def log_softmax(logits: Tensor, axis: int = -1) -> Tensor:
    """Return the logarithm of ``softmax`` along ``axis``, computed without leaving the range."""
    return one("log_softmax", logits, axis=axis)


# --- layer normalization ---


def _letters(shape: Shape, begin: int) -> tuple[list[str], list[str]]:
    """Return the factors of the axes that are kept and of those that are normalized."""
    first = begin % len(shape)
    return [f"x{i}" for i in range(first)], [f"n{i}" for i in range(first, len(shape))]


def _layer_norm_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    kept, whole = _letters(shapes[0], attrs["begin_norm_axis"])
    x = kept + whole
    scale = " ".join(x[len(x) - len(shapes[1]) :])
    row = " ".join(kept + ["1"] * len(whole))
    text = f"{' '.join(x)}, {scale}, {scale} -> {' '.join(x)}, {row}, {row}"
    return parse_rule(text, shapes, whole=whole)


def _layer_norm_grad_rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
    kept, whole = _letters(shapes[0], attrs["begin_norm_axis"])
    x = kept + whole
    scale = " ".join(x[len(x) - len(shapes[2]) :])
    row = " ".join(kept + ["1"] * len(whole))
    text = f"{' '.join(x)}, {' '.join(x)}, {scale}, {row}, {row} -> {' '.join(x)}, {scale}, {scale}"
    return parse_rule(text, shapes, whole=whole)


def _scale_rows(scale: Array, x: Array, axes: int) -> Array:
    """Return gamma or beta as one row, or as one row for each row of x where it has more axes than are normalized."""
    if scale.ndim <= axes:
        return scale.reshape(1, scale.size)
    return rows_of(np.ascontiguousarray(np.broadcast_to(scale, x.shape)), axes)


def _layer_norm(
    x: Array, gamma: Array, beta: Array, *, begin_norm_axis: int, epsilon: float, out: tuple[Array, ...] | None = None
) -> tuple[Array, ...]:
    """Return y = (x - mean) * rstd * gamma + beta, the mean, and rstd = 1 / sqrt(variance + epsilon)."""
    axes = x.ndim - begin_norm_axis % x.ndim
    row_shape = x.shape[: x.ndim - axes] + (1,) * axes
    results = out or (np.empty_like(x, order="C"), np.empty(row_shape, x.dtype), np.empty(row_shape, x.dtype))
    xs, ys = rows_of(x, axes), rows_of(results[0], axes)
    mean, rstd = results[1].reshape(-1), results[2].reshape(-1)
    scale, shift = _scale_rows(gamma, x, axes), _scale_rows(beta, x, axes)
    each = len(scale) > 1
    for rows in spans(len(xs), xs.itemsize * xs.shape[1]):
        xb, yb = xs[rows], ys[rows]
        np.divide(np.einsum("ij->i", xb), xs.shape[1], out=mean[rows])
        np.subtract(xb, mean[rows, None], out=yb)
        variance = np.einsum("ij,ij->i", yb, yb) / xs.shape[1]
        np.divide(1, np.sqrt(variance + epsilon), out=rstd[rows])
        np.multiply(yb, rstd[rows, None], out=yb)
        np.multiply(yb, scale[rows] if each else scale, out=yb)
        np.add(yb, shift[rows] if each else shift, out=yb)
    return results


def _layer_norm_grad(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    rstd: Array,
    *,
    begin_norm_axis: int,
    out: tuple[Array, ...] | None = None,
) -> tuple[Array, ...]:
    """Return the gradients by x, gamma and beta; those of gamma and beta are summed over this rank's rows."""
    axes = x.ndim - begin_norm_axis % x.ndim
    results = out or (np.empty_like(x, order="C"), np.empty_like(gamma), np.empty_like(gamma))
    if gamma.ndim > axes:
        return _layer_norm_grad_by_row(g, x, gamma, mean, rstd, axes, results)
    gs, xs, dxs = rows_of(g, axes), rows_of(x, axes), rows_of(results[0], axes)
    length, scale = xs.shape[1], gamma.reshape(1, -1)
    means, rstds = mean.reshape(-1, 1), rstd.reshape(-1, 1)
    dgamma, dbeta = np.zeros((2, length), x.dtype)
    for rows in spans(len(xs), xs.itemsize * length):
        gb, dx, r = gs[rows], dxs[rows], rstds[rows]
        xhat = xs[rows] - means[rows]
        np.multiply(xhat, r, out=xhat)
        dgamma += np.einsum("ij,ij->j", gb, xhat)
        dbeta += np.einsum("ij->j", gb)
        np.multiply(gb, scale, out=dx)
        mean_g = np.einsum("ij->i", dx) / length
        mean_gx = np.einsum("ij,ij->i", dx, xhat) / length
        np.subtract(dx, mean_g[:, None], out=dx)
        np.subtract(dx, np.multiply(xhat, mean_gx[:, None], out=xhat), out=dx)
        np.multiply(dx, r, out=dx)
    np.copyto(results[1], dgamma.reshape(gamma.shape))
    np.copyto(results[2], dbeta.reshape(gamma.shape))
    return results


def _layer_norm_grad_by_row(
    g: Array, x: Array, gamma: Array, mean: Array, rstd: Array, axes: int, results: tuple[Array, ...]
) -> tuple[Array, ...]:
    """Do the same where gamma has axes that are not normalized: rare, so in plain passes."""
    normalized = tuple(range(x.ndim - axes, x.ndim))
    lead = tuple(range(x.ndim - gamma.ndim))
    length = prod(x.shape[a] for a in normalized)
    xhat, scaled = (x - mean) * rstd, g * gamma
    inner = np.add.reduce(scaled * xhat, axis=normalized, keepdims=True) / length
    centre = np.add.reduce(scaled, axis=normalized, keepdims=True) / length
    np.multiply(scaled - centre - xhat * inner, rstd, out=results[0])
    np.copyto(results[1], np.add.reduce(g * xhat, axis=lead))
    np.copyto(results[2], np.add.reduce(g, axis=lead))
    return results


def _layer_norm_bprop(
    g: tuple[Tensor, ...], x: Tensor, gamma: Tensor, beta: Tensor, *, out: tuple[Tensor, ...], begin_norm_axis: int
) -> Any:
    """Pull back y's cotangent; mean and rstd are by-products without a gradient, as in MindSpore."""
    return call("layer_norm_grad", g[0], x, gamma, out[1], out[2], begin_norm_axis=begin_norm_axis)


def _layer_norm_grad_bprop(
    u: tuple[Tensor, ...],
    g: Tensor,
    x: Tensor,
    gamma: Tensor,
    mean: Tensor,
    rstd: Tensor,
    *,
    begin_norm_axis: int,
) -> tuple[Tensor | None, ...]:
    """Differentiate dx = rstd P(g gamma) and the sums of g xhat and of g; P takes off what a row has of 1 and xhat.

    The mean and rstd count as functions of x, so that no cotangent goes to them.
    """
    axes = tuple(range(begin_norm_axis % x.ndim, x.ndim))
    count = prod(x.shape[a] for a in axes)

    def average(t: Tensor) -> Tensor:
        return one("reduce_mean", t, axis=axes, keep_dims=True, count=count)

    def taken_off(t: Tensor) -> Tensor:
        return t - average(t) - xhat * average(t * xhat)

    xhat, scaled = (x - mean) * rstd, g * gamma
    along, across = average(scaled * xhat), average(u[0] * xhat)
    of_scaled = rstd * taken_off(u[0])
    of_xhat = u[1] * g - rstd * (u[0] * along + scaled * across)
    spread = average(u[0] * scaled) - average(u[0]) * average(scaled) - across * along
    of_x = rstd * taken_off(of_xhat) - one("square", rstd) * xhat * spread
    return of_scaled * gamma + u[1] * xhat + u[2], of_x, sum_to(of_scaled * g, gamma), None, None


op(
    "layer_norm",
    rule=_layer_norm_rule,
    kernel=widened(_layer_norm),
    bprop=_layer_norm_bprop,
    examples=(
        Example(((4, 6), (6,), (6,)), {"begin_norm_axis": -1, "epsilon": 1e-5}),
        Example(((4, 2, 3, 5), (3, 5), (3, 5)), {"begin_norm_axis": 2, "epsilon": 1e-5}),
        Example(((4, 2, 6), (2, 6), (2, 6)), {"begin_norm_axis": 2, "epsilon": 1e-5}),
    ),
)
op(
    "layer_norm_grad",
    rule=_layer_norm_grad_rule,
    kernel=widened(_layer_norm_grad),
    bprop=_layer_norm_grad_bprop,
    examples=(
        Example(((4, 6), (4, 6), (6,), (4, 1), (4, 1)), {"begin_norm_axis": -1}, grad=False),
        Example(((4, 2, 6), (4, 2, 6), (2, 6), (4, 2, 1), (4, 2, 1)), {"begin_norm_axis": 2}, grad=False),
    ),
)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Return ``input`` with mean 0 and variance 1 over its last axes, times ``weight``, plus ``bias``.

    Args:
        input: any shape that ends with ``normalized_shape``.
        normalized_shape: the lengths of the axes that are normalized; they stay whole under every strategy.
        weight, bias: of shape ``normalized_shape``.
        eps: is added to the variance.

    >>> ones, zeros = Tensor([1.0, 1.0]), Tensor([0.0, 0.0])
    >>> layer_norm(Tensor([[1.0, 3.0]]), (2,), ones, zeros, eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    made = call("layer_norm", input, weight, bias, begin_norm_axis=input.ndim - len(normalized_shape), epsilon=eps)
    assert isinstance(made, tuple), "layer_norm has three results"
    return made[0]
