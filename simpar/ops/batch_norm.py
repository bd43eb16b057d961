"""Batch normalization: mean and variance over everything but the channels.

It is made of other ops, and so has no record: a cut batch leaves partial sums, which are summed over the ranks that
hold the other rows. Every rank thus normalizes by the statistics of the whole batch, as one device does.
"""

from math import prod
from typing import Any

from simpar.errors import RuleError
from simpar.layout import NOT_CUT, Layout
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.parameter import parameter_behind
from simpar.tensor import Tensor

__all__ = ["BatchNorm"]

Entry = tuple[int, ...] | Layout


class BatchNorm(Primitive):
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
        """
        axis = 1 if self.data_format == "NCHW" else input_x.ndim - 1
        vectors = (scale, bias, mean, variance)
        if input_x.ndim < 2 or any(v.shape != (input_x.shape[axis],) for v in vectors):
            raise RuleError(
                f"BatchNorm of x {input_x.shape} takes scale, bias, mean and variance with one element for each of the "
                f"channels (axis {axis} of {self.data_format}), not {[v.shape for v in vectors]}."
            )
        work = _Channels(input_x.shape, axis, self.in_strategy[0] if self.in_strategy else None)
        used, spread = (work.row(mean), work.row(variance))
        centred = work.both("sub", input_x, used)
        if self.is_training:
            used = work.mean(input_x)
            centred = work.both("sub", input_x, used)
            spread = work.mean(one("square", centred, strategy=work.strategy(1)))
            self._follow(mean, used, 1.0)
            self._follow(variance, spread, work.count / max(1, work.count - 1))
        factor = one("rsqrt", spread + self.epsilon, strategy=work.of_rows(1)) * work.row(scale)
        made = work.both("add", work.both("mul", centred, factor), work.row(bias))
        used, spread = used.reshape(mean.shape), spread.reshape(mean.shape)
        return made, used, spread, used, spread

    def _follow(self, running: Tensor, batch: Tensor, factor: float) -> None:
        """Let a running statistic follow that of the batch; the variance is told without bias."""
        held = parameter_behind(running)
        if held is not None:
            fresh = batch.reshape(held.shape) * (self.momentum * factor)
            held.assign_value(held * (1 - self.momentum) + fresh)


class _Channels:
    """Does ops on an input and on rows with one element for each channel, cut alike.

    Args:
        shape: of the input.
        axis: that of the channels.
        entry: how the input is cut, None if nothing says so.
    """

    def __init__(self, shape: tuple[int, ...], axis: int, entry: Entry | None) -> None:
        self._axis, self._entry = axis, entry
        self._others = tuple(a for a in range(len(shape)) if a != axis)
        self._row_shape = tuple(n if a == axis else 1 for a, n in enumerate(shape))
        self.count = prod(shape[a] for a in self._others)

    def strategy(self, operands: int) -> Any:
        """Return the strategy of an op on operands shaped as the input."""
        return None if self._entry is None else (self._entry,) * operands

    def of_rows(self, operands: int) -> Any:
        """Return the strategy of an op on rows."""
        return None if self._entry is None else (self._cut_row(self._entry),) * operands

    def _cut_row(self, entry: Entry) -> Entry:
        if isinstance(entry, Layout):
            kept = tuple(m if a == self._axis else NOT_CUT for a, m in enumerate(entry.tensor_map))
            return Layout(entry.dev_mat, kept, entry.rank_list)
        return tuple(n if a == self._axis else 1 for a, n in enumerate(entry))

    def row(self, vector: Tensor) -> Tensor:
        """Return a vector (c,) with axes of length one around it."""
        return vector.reshape(self._row_shape)

    def both(self, op: str, x: Tensor, row: Tensor) -> Tensor:
        """Return an op on the input and a row."""
        strategy = None if self._entry is None else (self._entry, self._cut_row(self._entry))
        return one(op, x, row, strategy=strategy)

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean over all but the channels, as a row."""
        attrs: dict[str, Any] = {"axis": self._others, "keep_dims": True, "count": self.count}
        return one("reduce_mean", x, strategy=self.strategy(1), **attrs)
