"""Softmax cross entropy, fused: the loss of each row and the gradient by the logits in one walk over the rows.

The class axis stays whole. Where it must be cut (a large vocabulary), the same loss is composed from a reduce-max and
a reduce-sum, whose factor may be cut.
"""

from typing import Any

import numpy as np

from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.ops._rows import Array, rows_of, spans, widened
from simpar.ops.gather import one_hot
from simpar.ops.support import one, pick_dtype
from simpar.tensor import Tensor, call

__all__ = ["check_reduction", "cross_entropy", "l1_loss", "mse_loss", "nll_loss", "reduced"]


def _log_softmax_of(x: Array, scratch: Array) -> Array:
    """Write softmax(x) into ``scratch`` and return the logarithm of the sum that it was divided by, per row."""
    top = np.maximum.reduce(x, axis=1)
    np.exp(np.subtract(x, top[:, None], out=scratch), out=scratch)
    total = np.einsum("ij->i", scratch)
    np.multiply(scratch, (1 / total)[:, None], out=scratch)
    return top + np.log(total)


def _results(logits: Array, out: tuple[Array, ...] | None) -> tuple[Array, ...]:
    return out or (np.empty(logits.shape[:-1], logits.dtype), np.empty_like(logits, order="C"))


def _dense(logits: Array, labels: Array, *, out: tuple[Array, ...] | None = None) -> tuple[Array, ...]:
    """Return -sum(labels * log_softmax(logits)) per row, and its gradient softmax * sum(labels) - labels."""
    results = _results(logits, out)
    xs, ts, ds, losses = rows_of(logits), rows_of(labels), rows_of(results[1]), results[0].reshape(-1)
    for rows in spans(len(xs), xs.itemsize * xs.shape[1]):
        x, t, d = xs[rows], ts[rows], ds[rows]
        log_total = _log_softmax_of(x, d)
        weight = np.einsum("ij->i", t)
        np.subtract(weight * log_total, np.einsum("ij,ij->i", t, x), out=losses[rows])
        np.subtract(np.multiply(d, weight[:, None], out=d), t, out=d)
    return results


def _sparse(
    logits: Array, labels: Array, *, ignore_index: int = -100, out: tuple[Array, ...] | None = None
) -> tuple[Array, ...]:
    """Return -log_softmax(logits)[label] per row, and its gradient; a row labelled ``ignore_index`` has zeros."""
    results = _results(logits, out)
    xs, ts, ds, losses = rows_of(logits), labels.reshape(-1), rows_of(results[1]), results[0].reshape(-1)
    for rows in spans(len(xs), xs.itemsize * xs.shape[1]):
        x, t, d = xs[rows], ts[rows], ds[rows]
        log_total = _log_softmax_of(x, d)
        ignored = t == ignore_index
        t = np.where(ignored, 0, t)
        each = np.arange(len(t))
        np.subtract(log_total, x[each, t], out=losses[rows])
        d[each, t] -= 1
        if ignored.any():
            losses[rows][ignored] = 0
            d[ignored] = 0
    return results


def _bprop(g: tuple[Tensor, ...], logits: Tensor, labels: Tensor, *, out: tuple[Tensor, ...]) -> tuple[Tensor, None]:
    """Pull back the loss; labels are data and the second result is a by-product, both without a gradient."""
    return out[1] * one("expand_dims", g[0], axis=g[0].ndim), None


op(
    "softmax_cross_entropy",
    rule="... c, ... c -> ..., ... c",
    whole=("c",),
    kernel=widened(_dense),
    bprop=_bprop,
    examples=(
        Example(((4, 6), (4, 6)), low=(-2.0, 0.0), high=(2.0, 1.0)),
        Example(((2, 4, 5), (2, 4, 5)), low=(-2.0, 0.0), high=(2.0, 1.0)),
    ),
)
op(
    "sparse_softmax_cross_entropy",
    rule="... c, ... -> ..., ... c",
    whole=("c",),
    kernel=widened(_sparse),
    bprop=_bprop,
    dtype=pick_dtype(0),
    examples=(
        Example(((4, 6), (4,)), {"ignore_index": -100}, ("float32", "int32"), low=(-2.0, 0), high=(2.0, 5)),
        Example(((2, 4, 5), (2, 4)), {"ignore_index": 1}, ("float32", "int32"), low=(-2.0, 0), high=(2.0, 4)),
    ),
)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross entropy of logits and classes.

    Args:
        input: logits, (n, c), (c,) or (n, c, d1, …).
        target: class numbers, (n,), () or (n, d1, …); or probabilities in the shape of ``input``.
        weight: a weight for each class, (c,).
        ignore_index: rows with this class number count neither in the loss nor in the mean.
        reduction: ``"mean"`` (weighted, over the rows that count), ``"sum"`` or ``"none"``.
        label_smoothing: which part of the target is spread evenly over all classes, 0 to 1.

    Raises:
        RuleError: an unknown reduction, or a target that fits neither form.

    >>> cross_entropy(Tensor([[0.0, 0.0]]), Tensor([1])).item()
    0.6931471824645996
    """
    check_reduction(reduction)
    dense = target.dtype.is_float
    if (target.shape != input.shape) if dense else (target.ndim != max(input.ndim - 1, 0)):
        wanted = "the shape of input" if dense else "one number for each row of input"
        raise RuleError(f"target has shape {target.shape} for an input of shape {input.shape}; give {wanted}.")
    logits = _classes_last(input)
    if dense:
        return _by_probability(logits, _classes_last(target), weight, reduction, label_smoothing)
    return _by_number(logits, target, weight, ignore_index, reduction, label_smoothing)


def _classes_last(given: Tensor) -> Tensor:
    """Move axis 1, the classes, to the end."""
    if given.ndim < 3:
        return given
    return given.transpose(0, *range(2, given.ndim), 1)


def _by_probability(
    logits: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / logits.shape[-1]
    if weight is not None:
        target = target * weight
    loss = _losses("softmax_cross_entropy", logits, target)
    return reduced(loss, reduction)


def _by_number(
    logits: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float
) -> Tensor:
    counted = one("not_equal", target, Tensor(ignore_index, target.dtype)).astype(logits.dtype)
    share = counted if weight is None else one("gather", weight, target, axis=0) * counted
    loss = _losses("sparse_softmax_cross_entropy", logits, target, ignore_index=ignore_index)
    if weight is not None:
        loss = loss * share
    if label_smoothing:
        log_p = one("log_softmax", logits, axis=-1)
        spread = (log_p if weight is None else log_p * weight).sum(axis=-1) * counted
        loss = loss * (1 - label_smoothing) - spread * (label_smoothing / logits.shape[-1])
    if reduction == "none":
        return loss
    return loss.sum() / share.sum() if reduction == "mean" else loss.sum()


def _losses(name: str, logits: Tensor, target: Tensor, **attrs: Any) -> Tensor:
    made = call(name, logits, target, **attrs)
    assert isinstance(made, tuple), f"{name} has two results"
    return made[0]


# --- losses that need no record of their own ---


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Return the mean (or sum, or each) of the squared differences.

    >>> mse_loss(Tensor([1.0, 3.0]), Tensor([1.0, 1.0])).item()
    2.0
    """
    return reduced(one("square", input - target), reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Return the mean (or sum, or each) of the absolute differences.

    >>> l1_loss(Tensor([1.0, 3.0]), Tensor([1.0, 1.0])).item()
    1.0
    """
    return reduced((input - target).abs(), reduction)


def nll_loss(
    inputs: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log-likelihood of class numbers; arguments as of ``cross_entropy``.

    Args:
        inputs: logarithms of probabilities, (n, c), (c,) or (n, c, d1, …).

    >>> nll_loss(Tensor([[-1.0, -2.0]]), Tensor([1])).item()
    2.0
    """
    check_reduction(reduction)
    log_p = _classes_last(inputs)
    share = one("not_equal", target, Tensor(ignore_index, target.dtype)).astype(inputs.dtype)
    if weight is not None:
        share = share * one("gather", weight, target, axis=0)
    each = -(log_p * one_hot(target, log_p.shape[-1]).astype(inputs.dtype)).sum(axis=-1) * share
    return each.sum() / share.sum() if reduction == "mean" else reduced(each, reduction)


def check_reduction(reduction: str) -> None:
    """Check the name of a reduction.

    Raises:
        RuleError: it is neither ``"mean"``, ``"sum"`` nor ``"none"``.
    """
    if reduction not in ("mean", "sum", "none"):
        raise RuleError(f"reduction is {reduction!r}; choose 'mean', 'sum' or 'none'.")


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return the mean or sum of losses, or the losses themselves."""
    check_reduction(reduction)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss
