"""Batch normalization: mean and variance over everything but the channels.

A cut batch leaves partial sums, which are summed over the ranks that hold the other rows. Every rank thus normalizes by
the statistics of the whole batch, as one device does. Four records: the mean of each channel, its mean square distance
from that, the normalization itself, and statistics that follow those of the batch from step to step.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.errors import ModeError, RuleError, StrategyError
from simpar.graph import Example, op
from simpar.layout import Layout
from simpar.ops._rows import Array, or_new
from simpar.ops.primitive import Primitive
from simpar.ops.support import letters, one
from simpar.parameter import parameter_behind
from simpar.tensor import Tensor

__all__ = ["BatchNorm"]

Attrs = Mapping[str, Any]
Shape = tuple[int, ...]


# --- rows of one element for each channel ---


def _row(shape: Shape, axis: int) -> Shape:
    return tuple(n if a == axis else 1 for a, n in enumerate(shape))


def _others(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(a for a in range(ndim) if a != axis)


def _as_row(vector: Tensor, like: Tensor, axis: int) -> Tensor:
    return vector.reshape(_row(like.shape, axis))


def _summed(x: Tensor, axis: int) -> Tensor:
    """Return the sum of each channel (c,)."""
    return one("reduce_sum", x, axis=_others(x.ndim, axis), keep_dims=False)


def _rule(vectors: int, has_vector_result: bool) -> Any:
    """Return the rule of an op on an input and some vectors, all with the channels ``c``."""

    def rule(shapes: Sequence[Shape], attrs: Attrs) -> str:
        names = letters(len(shapes[0]), "n")
        names[attrs["axis"]] = "c"
        text = " ".join(names)
        return ", ".join([text] + ["c"] * vectors) + (" -> c" if has_vector_result else f" -> {text}")

    return rule


# --- statistics ---


def _mean(x: Array, *, axis: int, count: int, out: Array | None = None) -> Array:
    result = or_new(out, (x.shape[axis],), x.dtype)
    np.sum(x, axis=_others(x.ndim, axis), out=result)
    result *= 1 / count
    return result


def _mean_bprop(g: Tensor, x: Tensor, *, axis: int, count: int) -> Tensor:
    return one("broadcast_to", _as_row(g * (1 / count), x, axis), shape=x.shape)


def _spread(x: Array, mean: Array, *, axis: int, count: int, out: Array | None = None) -> Array:
    """Sum squares of the distances from the mean; each rank adds those of its rows."""
    result = or_new(out, mean.shape, x.dtype)
    far = x - mean.reshape(_row(x.shape, axis))
    np.multiply(far, far, out=far)
    np.sum(far, axis=_others(x.ndim, axis), out=result)
    result *= 1 / count
    return result


def _spread_bprop(g: Tensor, x: Tensor, mean: Tensor, *, axis: int, count: int) -> tuple[Tensor, Tensor]:
    far = (x - _as_row(mean, x, axis)) * _as_row(g * (2 / count), x, axis)
    return far, -_summed(far, axis)


def _follow(batch: Array, running: Array, *, momentum: float, factor: float, out: Array | None = None) -> Array:
    result = or_new(out, running.shape, running.dtype)
    np.multiply(running, 1 - momentum, out=result)
    result += batch * (momentum * factor)
    return result


def _follow_bprop(
    g: Tensor, batch: Tensor, running: Tensor, *, momentum: float, factor: float
) -> tuple[Tensor, Tensor]:
    return g * (momentum * factor), g * (1 - momentum)


# --- the normalization ---


def _normalize(
    x: Array,
    scale: Array,
    bias: Array,
    mean: Array,
    variance: Array,
    *,
    axis: int,
    epsilon: float,
    out: Array | None = None,
) -> Array:
    result = or_new(out, x.shape, x.dtype)
    row = _row(x.shape, axis)
    np.subtract(x, mean.reshape(row), out=result)
    result *= (scale / np.sqrt(variance + epsilon)).reshape(row)
    result += bias.reshape(row)
    return result


def _normalize_bprop(
    g: Tensor,
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    axis: int,
    epsilon: float,
) -> tuple[Tensor, ...]:
    steep = one("rsqrt", variance + epsilon)
    slope = steep * scale
    dx = g * _as_row(slope, x, axis)
    dbias = _summed(g, axis)
    along = _summed(g * (x - _as_row(mean, x, axis)), axis)
    return dx, along * steep, dbias, -dbias * slope, along * slope * steep * steep * -0.5


op(
    "channel_mean",
    rule=_rule(0, True),
    kernel=_mean,
    bprop=_mean_bprop,
    linear="each",
    examples=(
        Example(((4, 6),), {"axis": 1, "count": 4}),
        Example(((4, 6, 2, 2),), {"axis": 1, "count": 16}),
        Example(((4, 2, 6),), {"axis": 2, "count": 8}),
    ),
)
op(
    "channel_spread",
    rule=_rule(1, True),
    kernel=_spread,
    bprop=_spread_bprop,
    examples=(
        Example(((4, 6), (6,)), {"axis": 1, "count": 4}),
        Example(((4, 2, 6), (6,)), {"axis": 2, "count": 8}),
    ),
)
op(
    "follow_statistic",
    rule="c, c -> c",
    kernel=_follow,
    bprop=_follow_bprop,
    examples=(
        Example(((8,), (8,)), {"momentum": 0.1, "factor": 1.25}),
        Example(((6,), (6,)), {"momentum": 0.5, "factor": 1.0}),
    ),
)
op(
    "batch_norm",
    rule=_rule(4, False),
    kernel=_normalize,
    bprop=_normalize_bprop,
    examples=(
        Example(((4, 6), (6,), (6,), (6,), (6,)), {"axis": 1, "epsilon": 1e-2}, low=(-1, -1, -1, -1, 0.5)),
        Example(((4, 2, 6), (6,), (6,), (6,), (6,)), {"axis": 2, "epsilon": 1e-2}, low=(-1, -1, -1, -1, 0.5)),
    ),
)


class BatchNorm(Primitive, op="batch_norm"):
    """Computes ``(x - mean) / sqrt(variance + epsilon) * scale + bias`` for each channel.

    A strategy cuts the input ``(n, c, ...)`` and each of the four vectors ``(c,)``; vectors are cut as the channels.

    Args:
        is_training: whether mean and variance are those of the batch, and the given ones follow them.
        epsilon: is added to the variance.
        momentum: how much of the batch's statistics goes into the given ones.
        data_format: ``"NCHW"`` (channels are axis 1) or ``"NHWC"`` (the last).
    """

    def __init__(
        self, is_training: bool = False, epsilon: float = 1e-5, momentum: float = 0.1, data_format: str = "NCHW"
    ) -> None:
        super().__init__(is_training=is_training, epsilon=epsilon, momentum=momentum)
        self.is_training, self.epsilon, self.momentum = is_training, epsilon, momentum
        self.data_format = data_format

    def __call__(
        self, input_x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the result, mean and variance of the batch, and these two again, as MindSpore does.

        Raises:
            RuleError: a vector does not have an element for each channel.
            ModeError, StrategyError: ``group_size`` is not what MindSpore takes.
        """
        axis = 1 if self.data_format == "NCHW" else input_x.ndim - 1
        vectors = (scale, bias, mean, variance)
        if input_x.ndim < 2 or any(v.shape != (input_x.shape[axis],) for v in vectors):
            raise RuleError(
                f"BatchNorm of x {input_x.shape} takes scale, bias, mean and variance with one element for each of the "
                f"channels (axis {axis} of {self.data_format}), not {[v.shape for v in vectors]}."
            )
        self._check_group()
        used, spread = mean, variance
        if self.is_training:
            count = prod(input_x.shape) // input_x.shape[axis]
            used = self._statistic("channel_mean", input_x, axis=axis, count=count)
            spread = self._statistic("channel_spread", input_x, used, axis=axis, count=count)
            self._follow(mean, used, 1.0)
            self._follow(variance, spread, count / max(1, count - 1))
        with self._recorded():
            made = one(
                "batch_norm",
                input_x,
                scale,
                bias,
                used,
                spread,
                strategy=self.in_strategy,
                axis=axis,
                epsilon=self.epsilon,
            )
        return made, used, spread, used, spread

    def _check_group(self) -> None:
        """Check MindSpore's attribute ``group_size``; statistics are those of the whole batch whatever it says."""
        size = self.attrs.get("group_size", 1)
        if size < 1 or size & (size - 1):
            raise ModeError(f"group_size of BatchNorm is {size}; give a power of 2.")
        entry = self.in_strategy[0] if self.in_strategy else ()
        cuts = entry.cuts if isinstance(entry, Layout) else entry
        if "group_size" in self.attrs and any(n > 1 for n in cuts[1:]):
            raise StrategyError(
                f"group_size of BatchNorm is {size}, but its strategy cuts other axes than the batch: {cuts}. Leave "
                "group_size out, or write 1 for the other axes."
            )

    def _statistic(self, name: str, *operands: Tensor, **attrs: Any) -> Tensor:
        """Return a statistic of the batch, cut as the op itself is."""
        with self._recorded():
            cut = self.in_strategy and self.in_strategy[: len(operands)]
            return one(name, *operands, strategy=cut, **attrs)

    def _follow(self, running: Tensor, batch: Tensor, factor: float) -> None:
        """Let a running statistic follow that of the batch; the variance is told without bias."""
        held = parameter_behind(running)
        if held is not None:
            fresh = one("follow_statistic", batch, held, momentum=self.momentum, factor=factor)
            held.assign_value(fresh)
