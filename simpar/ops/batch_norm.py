"""Batch normalization: mean and variance over everything but the channels.

A cut batch leaves partial sums, which are summed over the ranks that hold the other rows. Every rank thus normalizes by
the statistics of the whole batch, as one device does. Four records: the mean of each channel, its mean square distance
from that, the normalization itself, and statistics that follow those of the batch from step to step.

With the attribute ``group_size`` statistics are those of fewer ranks: the batch is so many groups of rows, and mean and
variance have a row for each, ``(g, c)`` in place of ``(c,)``.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from simpar.context import current
from simpar.errors import ModeError, RuleError, StrategyError
from simpar.graph import Example, Local, op
from simpar.layout import Layout, Rule, parse_rule
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
    """Return a vector (c,), or one for each group of rows (g, c), so that it goes with the input's axes."""
    row = _row(like.shape, axis)
    if vector.ndim == 1:
        return vector.reshape(row)
    (groups, channels), rows = vector.shape, like.shape[0]
    each = one("broadcast_to", vector.reshape(groups, 1, channels), shape=(groups, rows // groups, channels))
    return each.reshape(rows, *row[1:])


def _summed(x: Tensor, axis: int, groups: int = 0) -> Tensor:
    """Return the sum of each channel (c,); of each in each group of rows (g, c)."""
    if not groups:
        return one("reduce_sum", x, axis=_others(x.ndim, axis), keep_dims=False)
    grouped = x.reshape(groups, x.shape[0] // groups, *x.shape[1:])
    return one("reduce_sum", grouped, axis=_others(grouped.ndim, axis + 1)[1:], keep_dims=False)


def _rule(vectors: int, statistics: int, has_vector_result: bool) -> Any:
    """Return the rule of an op on an input, some vectors and some statistics, all with the channels ``c``."""

    def rule(shapes: Sequence[Shape], attrs: Attrs) -> Rule:
        names, groups = letters(len(shapes[0]), "n"), attrs.get("groups", 0)
        names[attrs["axis"]] = "c"
        found = "c"
        if groups:
            names[0], found = f"(g {names[0]})", "g c"
        text = " ".join(names)
        operands = ", ".join([text] + ["c"] * vectors + [found] * statistics)
        sizes = {"g": groups} if groups else {}
        return parse_rule(f"{operands} -> {found if has_vector_result else text}", shapes, sizes=sizes)

    return rule


def _local_groups(attrs: Attrs, local: Local) -> Attrs:
    """Write how many groups of rows a rank has something of."""
    return {**attrs, "groups": local.results[0][0]} if attrs.get("groups") else attrs


def _grouped(x: Array, axis: int, groups: int) -> tuple[Array, int, tuple[int, ...]]:
    """Return an input whose groups of rows have an axis of their own, its channels' axis, and all other axes."""
    if not groups:
        return x, axis, _others(x.ndim, axis)
    x = x.reshape(groups, -1, *x.shape[1:])
    return x, axis + 1, _others(x.ndim, axis + 1)[1:]


def _beside(vector: Array, x: Array, axis: int) -> Array:
    """Return a statistic, of all rows or of each group of them, so that it goes with the input's axes."""
    row = _row(x.shape, axis)
    if vector.ndim == 1:
        return vector.reshape(row)
    return np.repeat(vector, len(x) // max(len(vector), 1), axis=0).reshape(len(x), *row[1:])


# --- statistics ---


def _mean(x: Array, *, axis: int, count: int, groups: int = 0, out: Array | None = None) -> Array:
    rows, channels, others = _grouped(x, axis, groups)
    result = or_new(out, (groups, rows.shape[channels]) if groups else (rows.shape[channels],), x.dtype)
    np.sum(rows, axis=others, out=result)
    result *= 1 / count
    return result


def _mean_bprop(g: Tensor, x: Tensor, *, axis: int, count: int, groups: int = 0) -> Tensor:
    return one("broadcast_to", _as_row(g * (1 / count), x, axis), shape=x.shape)


def _spread(x: Array, mean: Array, *, axis: int, count: int, groups: int = 0, out: Array | None = None) -> Array:
    """Sum squares of the distances from the mean; each rank adds those of its rows."""
    result = or_new(out, mean.shape, x.dtype)
    far = x - _beside(mean, x, axis)
    np.multiply(far, far, out=far)
    far, _, others = _grouped(far, axis, groups)
    np.sum(far, axis=others, out=result)
    result *= 1 / count
    return result


def _spread_bprop(g: Tensor, x: Tensor, mean: Tensor, *, axis: int, count: int, groups: int = 0) -> tuple[Tensor, ...]:
    far = (x - _as_row(mean, x, axis)) * _as_row(g * (2 / count), x, axis)
    return far, -_summed(far, axis, groups)


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
    groups: int = 0,
    out: Array | None = None,
) -> Array:
    result = or_new(out, x.shape, x.dtype)
    np.subtract(x, _beside(mean, x, axis), out=result)
    result *= _beside(scale / np.sqrt(variance + epsilon), x, axis)
    result += _beside(bias, x, axis)
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
    groups: int = 0,
) -> tuple[Tensor, ...]:
    steep = one("rsqrt", variance + epsilon)
    slope = steep * scale
    dx = g * _as_row(slope, x, axis)
    dbias = _summed(g, axis, groups)
    along = _summed(g * (x - _as_row(mean, x, axis)), axis, groups)
    dscale, dmean = along * steep, -dbias * slope
    if groups:
        dscale, dbias = _over_groups(dscale), _over_groups(dbias)
    return dx, dscale, dbias, dmean, along * slope * steep * steep * -0.5


def _over_groups(x: Tensor) -> Tensor:
    return one("reduce_sum", x, axis=(0,), keep_dims=False)


op(
    "channel_mean",
    rule=_rule(0, 0, True),
    kernel=_mean,
    bprop=_mean_bprop,
    linear="each",
    localize=_local_groups,
    examples=(
        Example(((4, 6),), {"axis": 1, "count": 4}),
        Example(((4, 6, 2, 2),), {"axis": 1, "count": 16}),
        Example(((4, 2, 6),), {"axis": 2, "count": 8}),
        Example(((8, 3, 2),), {"axis": 1, "count": 4, "groups": 4}),
    ),
)
op(
    "channel_spread",
    rule=_rule(0, 1, True),
    kernel=_spread,
    bprop=_spread_bprop,
    localize=_local_groups,
    examples=(
        Example(((4, 6), (6,)), {"axis": 1, "count": 4}),
        Example(((4, 2, 6), (6,)), {"axis": 2, "count": 8}),
        Example(((8, 3, 2), (4, 3)), {"axis": 1, "count": 4, "groups": 4}),
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
    rule=_rule(2, 2, False),
    kernel=_normalize,
    bprop=_normalize_bprop,
    examples=(
        Example(((4, 6), (6,), (6,), (6,), (6,)), {"axis": 1, "epsilon": 1e-2}, low=(-1, -1, -1, -1, 0.5)),
        Example(((4, 2, 6), (6,), (6,), (6,), (6,)), {"axis": 2, "epsilon": 1e-2}, low=(-1, -1, -1, -1, 0.5)),
        Example(
            ((8, 3, 2), (3,), (3,), (4, 3), (4, 3)),
            {"axis": 1, "epsilon": 1e-2, "groups": 4},
            low=(-1, -1, -1, -1, 0.5),
        ),
    ),
)


class BatchNorm(Primitive, op="batch_norm"):
    """Computes ``(x - mean) / sqrt(variance + epsilon) * scale + bias`` for each channel.

    A strategy cuts the input ``(n, c, ...)`` and each of the four vectors ``(c,)``; vectors are cut as the channels.
    Statistics are those of the whole batch, however it is cut. With ``add_prim_attr("group_size", k)`` they are those
    of the rows that ``k`` ranks in succession hold, of a rank's own with 1; the given ones then follow the mean of all
    groups'.

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
        used, spread, how = mean, variance, {"axis": axis}
        groups = self._groups(input_x.shape[0])
        cut = self.in_strategy
        if self.is_training:
            count = prod(input_x.shape) // input_x.shape[axis] // max(groups, 1)
            if groups:
                how["groups"] = groups
                cut = cut and (*cut[:3], (groups, 1), (groups, 1))
            used = self._statistic("channel_mean", input_x, cut=cut and cut[:1], count=count, **how)
            spread = self._statistic("channel_spread", input_x, used, cut=cut and (cut[0], cut[3]), count=count, **how)
            of_all = (
                (_over_groups(used) * (1 / groups), _over_groups(spread) * (1 / groups)) if groups else (used, spread)
            )
            self._follow(mean, of_all[0], 1.0)
            self._follow(variance, of_all[1], count / max(1, count - 1))
        operands = (input_x, scale, bias, used, spread)
        made = self._statistic("batch_norm", *operands, cut=cut, epsilon=self.epsilon, **how)
        return made, used, spread, used, spread

    def _groups(self, rows: int) -> int:
        """Return of how many groups of rows the statistics are, by MindSpore's attribute ``group_size``; 0: of all."""
        size = self.attrs.get("group_size", 0)
        if not size or not self.is_training:
            return 0
        if size < 1 or size & (size - 1):
            raise ModeError(f"group_size of BatchNorm is {size}; give a power of 2.")
        entry = self.in_strategy[0] if self.in_strategy else ()
        cuts = entry.cuts if isinstance(entry, Layout) else entry
        if any(n > 1 for n in cuts[1:]):
            raise StrategyError(
                f"group_size of BatchNorm is {size}, but its strategy cuts other axes than the batch: {cuts}. Leave "
                "group_size out, or write 1 for the other axes."
            )
        devices = current().device_num if current().is_partitioned else 1
        if devices == 1:
            return 0
        parts = cuts[0] if cuts else (devices if rows % devices == 0 else 1)
        together = max(1, size * parts // devices)  # so many parts of the batch are in one group
        if size > devices or parts % together:
            raise ModeError(
                f"group_size of BatchNorm is {size}, but its batch is cut into {parts} over {devices} ranks. Give a "
                f"size that {devices} is a multiple of."
            )
        return parts // together if parts > together else 0

    def _statistic(self, name: str, *operands: Tensor, cut: Any, **attrs: Any) -> Tensor:
        """Return a statistic of the batch, or what is made with it, cut as the strategy says."""
        with self._recorded():
            return one(name, *operands, strategy=cut, **attrs)

    def _follow(self, running: Tensor, batch: Tensor, factor: float) -> None:
        """Let a running statistic follow that of the batch; the variance is told without bias."""
        held = parameter_behind(running)
        if held is not None:
            fresh = one("follow_statistic", batch, held, momentum=self.momentum, factor=factor)
            held.assign_value(fresh)
