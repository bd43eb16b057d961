"""The losses: how far predictions are from labels, as Cells."""

from typing import Any

from simpar import ops
from simpar.errors import ContextError
from simpar.nn.cell import Cell
from simpar.tensor import Tensor, call

__all__ = ["CrossEntropyLoss", "L1Loss", "LossBase", "MSELoss", "SoftmaxCrossEntropyWithLogits"]


class LossBase(Cell):
    """Is what losses share: how they reduce the losses of elements to one.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ContextError: another reduction is asked for.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none", None):
            raise ContextError(f"reduction is {reduction!r}; choose 'mean', 'sum' or 'none'.")
        self.reduction = reduction or "none"

    def get_axis(self, x: Tensor) -> tuple[int, ...]:
        """Return all axes of ``x``."""
        return tuple(range(x.ndim))

    def get_loss(self, x: Tensor, weights: Any = 1.0) -> Tensor:
        """Return losses times weights, reduced."""
        if isinstance(weights, Tensor) or weights != 1.0:
            x = x * weights
        if self.reduction == "none":
            return x
        return x.mean() if self.reduction == "mean" else x.sum()


class MSELoss(LossBase):
    """Computes the mean of ``(logits - labels) ** 2``.

    >>> MSELoss()(Tensor([1.0, 4.0]), Tensor([1.0, 2.0])).item()
    2.0
    """

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        distance = logits - labels
        return self.get_loss(distance * distance)


class L1Loss(LossBase):
    """Computes the mean of ``abs(logits - labels)``."""

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        return self.get_loss((logits - labels).abs())


class SoftmaxCrossEntropyWithLogits(LossBase):
    """Computes ``-sum(labels * log(softmax(logits)))`` of each row.

    The ops are ``softmax_cross_entropy`` and, for numbers of classes, ``one_hot``: with a strategy for the first the
    loss is computed from one-hot labels, as MindSpore does; without one a single op takes the numbers.

    Args:
        sparse: whether labels are numbers of classes (b,), else probabilities (b, c).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, sparse: bool = False, reduction: str = "none") -> None:
        super().__init__(reduction)
        self.sparse = sparse
        self.softmax_cross_entropy = ops.SoftmaxCrossEntropyWithLogits()
        self.one_hot = ops.OneHot()

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss for logits (b, c)."""
        if self.sparse and not self.softmax_cross_entropy.in_strategy:
            return self.get_loss(call("sparse_softmax_cross_entropy", logits, labels, ignore_index=-100)[0])
        if self.sparse:
            on, off = Tensor(1.0, logits.dtype), Tensor(0.0, logits.dtype)
            labels = self.one_hot(labels, logits.shape[-1], on, off)
        return self.get_loss(self.softmax_cross_entropy(logits, labels)[0])


class CrossEntropyLoss(LossBase):
    """Computes the cross entropy of logits (b, c, …) and classes (b, …) or probabilities.

    Args:
        weight: a weight for each class (c,).
        ignore_index: a number of a class whose rows do not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: which part of each label is spread over all classes, from 0 to 1.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ContextError(f"label_smoothing is {label_smoothing}; give a number from 0 to 1.")
        self.weight, self.ignore_index, self.label_smoothing = weight, ignore_index, label_smoothing

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss."""
        return ops.cross_entropy(logits, labels, self.weight, self.ignore_index, self.reduction, self.label_smoothing)
