"""Losses as objects, under MindSpore's class names: a strategy cuts what is computed of each element."""

from typing import Any

from simpar.ops.loss import check_reduction, nll_loss
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, call

__all__ = [
    "BCEWithLogitsLoss",
    "BinaryCrossEntropy",
    "KLDivLoss",
    "NLLLoss",
    "SigmoidCrossEntropyWithLogits",
    "SmoothL1Loss",
]


class SigmoidCrossEntropyWithLogits(Primitive, op="sigmoid_cross_entropy"):
    """Is -z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x)), for each element.

    >>> round(SigmoidCrossEntropyWithLogits()(Tensor([0.0]), Tensor([1.0])).item(), 6)  # log 2
    0.693147
    """

    def __call__(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of each element."""
        return self.apply_one(logits, label)


class _Reduced(Primitive):
    """Is a loss of each element, and their mean or sum.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuleError: another reduction is wanted.
    """

    def __init__(self, reduction: str = "mean", **attrs: Any) -> None:
        check_reduction(reduction)
        super().__init__(**attrs)
        self.reduction = reduction

    def _reduced(self, each: Tensor) -> Tensor:
        """Join the losses as they are cut."""
        if self.reduction == "none":
            return each
        axes = tuple(range(each.ndim))
        strategy = None if self.in_strategy is None else self.in_strategy[:1]
        counted: dict[str, Any] = {"count": each.size} if self.reduction == "mean" else {}
        made = call(f"reduce_{self.reduction}", each, strategy=strategy, axis=axes, keep_dims=False, **counted)
        assert isinstance(made, Tensor), "a reduction has one result"
        return made


class KLDivLoss(_Reduced, op="kl_div"):
    """Is target * (log(target) - x) for logarithms x; ``"batchmean"`` divides the sum by the first length."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__("sum" if reduction == "batchmean" else reduction)
        self.is_batchmean = reduction == "batchmean"

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss."""
        made = self._reduced(self.apply_one(logits, labels))
        return made / logits.shape[0] if self.is_batchmean else made


class BinaryCrossEntropy(_Reduced, op="binary_cross_entropy"):
    """Is -z log(p) - (1 - z) log(1 - p) for probabilities p; logarithms count as at least -100."""

    def __call__(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the loss, each element times its weight."""
        each = self.apply_one(logits, labels)
        return self._reduced(each if weight is None else each * weight)


class BCEWithLogitsLoss(_Reduced, op="sigmoid_cross_entropy"):
    """Is the binary cross entropy of sigmoid(x)."""

    def __call__(
        self, logits: Tensor, label: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None
    ) -> Tensor:
        """Return the loss, each element times its weight; ``pos_weight`` weighs what the label says is true."""
        each = self.apply_one(logits, label)
        if pos_weight is not None:  # the part of the label that is true costs log(1 + exp(-x))
            each = each - (pos_weight - 1) * label * one("log_sigmoid", logits)
        return self._reduced(each if weight is None else each * weight)


class SmoothL1Loss(_Reduced, op="smooth_l1"):
    """Is half the squared difference by ``beta`` below it, and the absolute difference less beta / 2 above."""

    def __init__(self, beta: float = 1.0, reduction: str = "none") -> None:
        super().__init__(reduction, beta=beta)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self._reduced(self.apply_one(prediction, target))


class NLLLoss(Primitive):
    """Is the negative log-likelihood of class numbers, and the sum of their weights."""

    def __init__(self, reduction: str = "mean", ignore_index: int = -100) -> None:
        check_reduction(reduction)
        super().__init__()
        self.reduction, self.ignore_index = reduction, ignore_index

    def __call__(self, logits: Tensor, labels: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the weight of all rows."""
        loss = nll_loss(logits, labels, weight, self.ignore_index, self.reduction)
        counted = one("not_equal", labels, Tensor(self.ignore_index, labels.dtype)).astype(weight.dtype)
        return loss, (one("gather", weight, labels, axis=0) * counted).sum()
