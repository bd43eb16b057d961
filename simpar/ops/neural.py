"""The ops of neural networks as objects, under MindSpore's names: normalization, tables, images, losses, dropout."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simpar.dtype import DType, int32, int64
from simpar.errors import DTypeError, RuleError
from simpar.graph import Strategy
from simpar.layout import Layout
from simpar.ops._faces import ImagePrimitive
from simpar.ops._windows import check_window_form, numbers_of, pads_of
from simpar.ops.gather_fields import RowLookup
from simpar.ops.primitive import Primitive
from simpar.ops.random import draw_attrs, step_tensor
from simpar.tensor import Tensor, axis_of

__all__ = [
    "AvgPool",
    "Dropout",
    "Gather",
    "LayerNorm",
    "LogSoftmax",
    "MaxPool",
    "MaxPoolWithArgmax",
    "MaxPoolWithArgmaxV2",
    "OneHot",
    "OneHotExt",
    "Softmax",
    "SoftmaxCrossEntropyWithLogits",
    "SparseSoftmaxCrossEntropyWithLogits",
]

Numbers = int | Sequence[int]


def _axis(axis: int | Sequence[int]) -> int | tuple[int, ...]:
    """Return the axis of a softmax, or several as a tuple."""
    numbers = (axis,) if isinstance(axis, int) else tuple(axis)
    if not numbers:
        raise RuleError("a softmax along no axis: name one or more.")
    return numbers[0] if len(numbers) == 1 else numbers


class Softmax(Primitive, op="softmax"):
    """Is exp(x) / sum(exp(x)) along an axis, or over several together, which stay whole.

    >>> Softmax().shard(((2, 1),))(Tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int | Sequence[int] = -1) -> None:
        super().__init__(axis=_axis(axis))

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the probabilities."""
        return self.apply_one(logits)


class LogSoftmax(Primitive, op="log_softmax"):
    """Is the logarithm of the softmax along one axis, which stays whole."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__(axis=_axis(axis))

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logarithms of the probabilities."""
        return self.apply_one(logits)


class LayerNorm(Primitive, op="layer_norm"):
    """Gives the axes from ``begin_norm_axis`` on mean 0 and variance 1, then scales and shifts them.

    Args:
        begin_norm_axis: the first axis that is normalized; it and those after it stay whole.
        begin_params_axis: the first axis that gamma and beta have.
        epsilon: is added to the variance.
    """

    def __init__(self, begin_norm_axis: int = 1, begin_params_axis: int = 1, epsilon: float = 1e-7) -> None:
        super().__init__(begin_norm_axis=begin_norm_axis, epsilon=epsilon)
        self.begin_params_axis = begin_params_axis

    def __call__(self, input_x: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the result, the mean, and 1 / sqrt(variance + epsilon)."""
        wanted = input_x.shape[self.begin_params_axis :]
        if gamma.shape != wanted or beta.shape != wanted:
            raise RuleError(
                f"gamma {gamma.shape} and beta {beta.shape} must have shape {wanted}: that of the input "
                f"{input_x.shape} from axis {self.begin_params_axis} (begin_params_axis) on."
            )
        made = self.apply(input_x, gamma, beta)
        assert isinstance(made, tuple), "layer_norm has three results"
        return made[0], made[1], made[2]


class Gather(RowLookup):
    """Takes slices of a table by number; a number out of range gives zeros.

    ``add_prim_attr("manual_split", (v0, v1, ...))`` divides rows and numbers into fields, which are cut together.

    Args:
        batch_dims: how many first axes table and indices share: each entry of them is a table of its own.
    """

    def __init__(self, batch_dims: int = 0) -> None:
        super().__init__(**({"batch": batch_dims} if batch_dims else {}))
        if batch_dims:
            self.op_name = "gather_batched"

    def __call__(self, input_params: Tensor, input_indices: Tensor, axis: int = 0) -> Tensor:
        """Return the slices along ``axis``."""
        at = axis_of(int(axis), input_params.ndim)
        if self.op_name == "gather_batched":
            return self.apply_one(input_params, input_indices, axis=at)
        return self.rows(input_params, input_indices, at)


class OneHot(Primitive, op="one_hot"):
    """Writes ``on_value`` where an index names its class, ``off_value`` elsewhere.

    As in MindSpore, ``shard(((n, c), (), ()))`` cuts the *result*: the indices into n and the classes into c slices.

    Args:
        axis: where the classes stand in the result.

    >>> OneHot().shard(((2, 3), (), ())).in_strategy
    ((2,), (3,))
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__(axis=axis)
        self.axis = axis

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "OneHot":
        """Say how the op is cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        given = self.in_strategy
        if given and len(given) == 3:
            self.in_strategy = self._of_operands(given[0])
        return self

    def _of_operands(self, result: tuple[int, ...] | Layout) -> Strategy:
        """Turn the cut of the result into those of the indices and of the classes."""
        if isinstance(result, Layout):
            at = self.axis % len(result.tensor_map)
            rest = result.tensor_map[:at] + result.tensor_map[at + 1 :]
            return (
                Layout(result.dev_mat, rest, result.rank_list),
                Layout(result.dev_mat, (result.tensor_map[at],), result.rank_list),
            )
        at = self.axis % len(result)
        return result[:at] + result[at + 1 :], (result[at],)

    def __call__(self, indices: Tensor, depth: int, on_value: Any = 1.0, off_value: Any = 0.0) -> Tensor:
        """Return the one-hot rows, in the element type of ``on_value``."""
        on = on_value if isinstance(on_value, Tensor) else Tensor(float(on_value))
        off = off_value.item() if isinstance(off_value, Tensor) else off_value
        classes = Tensor(np.arange(depth, dtype=np.int64))
        return self.apply_one(indices, classes, on=on.item(), off=off, dtype=on.dtype.name)


class OneHotExt(OneHot):
    """Is ``OneHot`` under the name of ``mint``."""


class Dropout(Primitive, op="dropout"):
    """Makes a random part of the elements 0 and divides the others by ``keep_prob``.

    Args:
        keep_prob: which part is kept.
        Seed0, Seed1: choose the mask together; both 0 means the program's seed.
    """

    def __init__(self, keep_prob: float = 0.5, Seed0: int = 0, Seed1: int = 0) -> None:
        super().__init__()
        self.keep_prob = keep_prob
        self._seed = None if Seed0 == Seed1 == 0 else Seed0 << 32 | Seed1

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "Dropout":
        """Say how the input is cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        given = self.in_strategy
        if given and len(given) == 1:  # the step is an operand of its own, without axes
            first = given[0]
            last = Layout(first.dev_mat, (), first.rank_list) if isinstance(first, Layout) else ()
            self.in_strategy = (first, last)
        return self

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the result and the mask of what was kept."""
        made = self.apply(x, step_tensor(), **draw_attrs(1 - self.keep_prob, self._seed))
        assert isinstance(made, tuple), "dropout has two results"
        return made[0], made[1]


# --- losses ---


class SoftmaxCrossEntropyWithLogits(Primitive, op="softmax_cross_entropy"):
    """Is the cross entropy of probabilities and the softmax of logits, for each row."""

    def __call__(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each row, and its gradient by the logits."""
        made = self.apply(logits, labels)
        assert isinstance(made, tuple), "softmax_cross_entropy has two results"
        return made[0], made[1]


class SparseSoftmaxCrossEntropyWithLogits(Primitive, op="sparse_softmax_cross_entropy"):
    """Is the mean cross entropy of class numbers and the softmax of logits.

    Args:
        is_grad: return the gradient of the mean by the logits instead.
    """

    def __init__(self, is_grad: bool = False) -> None:
        super().__init__()
        self.is_grad = is_grad

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss, or its gradient."""
        made = self.apply(logits, labels)
        assert isinstance(made, tuple), "sparse_softmax_cross_entropy has two results"
        return made[1] * (1 / labels.size) if self.is_grad else made[0].mean()


# --- images ---


class _Pool(ImagePrimitive):
    """What the poolings share."""

    def __init__(
        self,
        kernel_size: Numbers,
        strides: Numbers,
        pad_mode: str,
        data_format: str,
        padding: Numbers,
        **attrs: Any,
    ) -> None:
        super().__init__(data_format, kernel=numbers_of(kernel_size), stride=numbers_of(strides), **attrs)
        self.pad_mode, self.padding = pad_mode, padding

    def _pooled(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.channels_first(x)
        kernel, stride = self._attrs["kernel"], self._attrs["stride"]
        return self.apply(x, pads=pads_of(self.pad_mode, self.padding, x.shape[2:], kernel, stride, (1, 1)))


class _OnePool(_Pool):
    """A pooling with one result."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return one value for each window."""
        made = self._pooled(x)
        assert isinstance(made, Tensor), f"op {self.op_name} has one result"
        return self.as_given(made)


class MaxPool(_OnePool, op="max_pool"):
    """Takes the largest value of each window of images (n, c, h, w).

    Args:
        kernel_size, strides: one number, or one for rows and one for columns.
        pad_mode: ``"valid"``, ``"same"``, or simpar's own ``"pad"``, by ``padding``.
        data_format: ``"NCHW"``, or ``"NHWC"`` for images (n, h, w, c).
        padding: rows and columns round the image, which are never the largest.
    """

    def __init__(
        self,
        kernel_size: Numbers = 1,
        strides: Numbers = 1,
        pad_mode: str = "valid",
        data_format: str = "NCHW",
        *,
        padding: Numbers = 0,
    ) -> None:
        super().__init__(kernel_size, strides, pad_mode, data_format, padding)


class AvgPool(_OnePool, op="avg_pool"):
    """Takes the mean of each window of images (n, c, h, w); arguments as of ``MaxPool``.

    Args:
        count_include_pad: whether padding counts as zeros.
    """

    def __init__(
        self,
        kernel_size: Numbers = 1,
        strides: Numbers = 1,
        pad_mode: str = "valid",
        data_format: str = "NCHW",
        *,
        padding: Numbers = 0,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, strides, pad_mode, data_format, padding, count_pads=count_include_pad)


class MaxPoolWithArgmax(_Pool, op="max_pool_with_index"):
    """Takes the largest value of each window, and where it stands; arguments as of ``MaxPool``.

    Images and channels may be cut, rows and columns not.
    """

    _places = int32

    def __init__(
        self,
        kernel_size: Numbers = 1,
        strides: Numbers = 1,
        pad_mode: str = "valid",
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(kernel_size, strides, pad_mode, data_format, 0)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values, and the number of the first largest pixel of each window in its image (int32)."""
        made = self._pooled(x)
        assert isinstance(made, tuple), "max_pool_with_index has two results"
        return self.as_given(made[0]), self.as_given(made[1]).astype(self._places)


class MaxPoolWithArgmaxV2(MaxPoolWithArgmax):
    """Takes the largest value of each window, and where it stands, as ``MaxPoolWithArgmax``.

    Args:
        kernel_size, strides: one number, or one for rows and one for columns; the windows touch if strides is None.
        pads: rows and columns round the image, which are never the largest.
        dilation, ceil_mode: 1 and False, as MindSpore leaves them.
        argmax_type: type of the places, int64 or int32.

    Raises:
        DTypeError: another type of places is wanted.
        NotYetError: windows with gaps, or beyond the edge, are wanted.
    """

    def __init__(
        self,
        kernel_size: Numbers,
        strides: Numbers | None = None,
        pads: Numbers = 0,
        dilation: Numbers = 1,
        ceil_mode: bool = False,
        argmax_type: DType = int64,
    ) -> None:
        check_window_form("MaxPoolWithArgmaxV2", dilation, ceil_mode)
        if argmax_type not in (int32, int64):
            raise DTypeError(f"argmax_type of MaxPoolWithArgmaxV2 is {argmax_type}; give int32 or int64.")
        super().__init__(kernel_size, kernel_size if strides is None else strides, "pad")
        self.padding, self._places = pads, argmax_type
