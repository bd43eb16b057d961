"""More losses: of distances, of probabilities, and of pairs; each a formula of ops that are cut on their own."""

from math import pi

from simpar import ops
from simpar.errors import ContextError
from simpar.nn.cell import Cell
from simpar.nn.loss import L1Loss, LossBase
from simpar.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "DiceLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "MAELoss",
    "MarginRankingLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "RMSELoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
]

_LEAST = 1e-12
"""What a probability is taken for at least before its logarithm."""

# --- of distances ---


class MAELoss(L1Loss):
    """Computes the mean of ``abs(logits - labels)``, the mean absolute error."""


class RMSELoss(LossBase):
    """Computes the square root of the mean of ``(logits - labels) ** 2``."""

    def __init__(self) -> None:
        super().__init__()

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        distance = logits - labels
        return ops.sqrt((distance * distance).mean())


class HuberLoss(LossBase):
    """Computes ``d * d / 2`` of distances ``d`` up to ``delta`` and ``delta * (d - delta / 2)`` of larger ones.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the square becomes a line; above 0.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if delta <= 0:
            raise ContextError(f"{type(self).__name__} is given the distance {delta}; give one above 0.")
        self.delta = delta

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        return self.get_loss(self._bent(logits, labels))

    def _bent(self, logits: Tensor, labels: Tensor) -> Tensor:
        distance = (logits - labels).abs()
        near = ops.minimum(distance, self.delta)
        return near * (distance - near * 0.5)


class SmoothL1Loss(HuberLoss):
    """Computes ``d * d / (2 * beta)`` of distances ``d`` up to ``beta`` and ``d - beta / 2`` of larger ones.

    Args:
        beta: where the square becomes a line; above 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, beta: float = 1.0, reduction: str = "none") -> None:
        super().__init__(reduction, beta)

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        return self.get_loss(self._bent(logits, labels) / self.delta)


class DiceLoss(Cell):
    """Computes ``1 - 2 * sum(x * y) / (sum(x * x) + sum(y * y) + smooth)``, how little two masks overlap.

    Args:
        smooth: keeps the quotient finite.
    """

    def __init__(self, smooth: float = 1e-5) -> None:
        super().__init__()
        self.smooth = smooth

    def construct(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        union = (logits * logits).sum() + (label * label).sum() + self.smooth
        return 1.0 - (logits * label).sum() * 2.0 / union


# --- of probabilities ---


class BCELoss(LossBase):
    """Computes ``-(y * log(x) + (1 - y) * log(1 - x))`` of probabilities ``x`` and labels ``y``.

    Args:
        weight: factors that broadcast with the losses.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of probabilities and labels of one shape."""
        hit = ops.log(ops.maximum(logits, _LEAST))
        missed = ops.log(ops.maximum(1.0 - logits, _LEAST))
        return self.get_loss(-(labels * hit + (1.0 - labels) * missed), 1.0 if self.weight is None else self.weight)


class BCEWithLogitsLoss(LossBase):
    """Computes the binary cross entropy of ``sigmoid(logits)``, without overflow.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: factors that broadcast with the losses.
        pos_weight: factors of the labels' part; they broadcast as well.
    """

    def __init__(self, reduction: str = "mean", weight: Tensor | None = None, pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits and labels of one shape."""
        missed = ops.maximum(-logits, 0.0) + ops.log1p(ops.exp(-logits.abs()))  # -log(sigmoid(x))
        counted = missed if self.pos_weight is None else missed * (1.0 + (self.pos_weight - 1.0) * labels)
        return self.get_loss((1.0 - labels) * logits + counted, 1.0 if self.weight is None else self.weight)


class NLLLoss(LossBase):
    """Computes minus the logarithm of the probability of each row's class.

    Args:
        weight: a weight for each class (c,).
        ignore_index: a number of a class whose rows do not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index = weight, ignore_index

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of log probabilities (b, c) and classes (b,)."""
        return ops.nll_loss(logits, labels, self.weight, self.ignore_index, self.reduction)


class KLDivLoss(LossBase):
    """Computes ``y * (log(y) - x)`` of log probabilities ``x`` and probabilities ``y``, 0 where ``y`` is.

    Args:
        reduction: ``"mean"``, ``"sum"``, ``"none"``, or ``"batchmean"``: the sum over the number of rows.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__("sum" if reduction == "batchmean" else reduction)
        self.by_rows = reduction == "batchmean"

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of log probabilities and probabilities of one shape."""
        loss = self.get_loss(labels * (ops.log(ops.maximum(labels, _LEAST)) - logits))
        return loss / logits.shape[0] if self.by_rows else loss


class PoissonNLLLoss(LossBase):
    """Computes minus the logarithm of a Poisson probability.

    Args:
        log_input: whether predictions are logarithms of the expected counts.
        full: whether Stirling's approximation of the constant term counts, for labels above 1.
        eps: added before a logarithm.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and counts of one shape."""
        loss = ops.exp(logits) - labels * logits if self.log_input else logits - labels * ops.log(logits + self.eps)
        if self.full:
            at_least_one = ops.maximum(labels, 1.0)
            more = at_least_one * ops.log(at_least_one) - at_least_one + 0.5 * ops.log(2 * pi * at_least_one)
            loss = loss + more * (labels > 1).astype(logits.dtype)
        return self.get_loss(loss)


class GaussianNLLLoss(LossBase):
    """Computes minus the logarithm of a normal density, of predicted means and variances.

    Args:
        full: whether the constant term counts.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def construct(self, logits: Tensor, labels: Tensor, var: Tensor) -> Tensor:
        """Return the loss of means, labels and variances."""
        variance, distance = ops.maximum(var, self.eps), logits - labels
        loss = (ops.log(variance) + distance * distance / variance) * 0.5
        return self.get_loss(loss + 0.5 * float(ops.log(Tensor(2 * pi)).item()) if self.full else loss)


# --- of pairs, with labels 1 and -1 ---


class SoftMarginLoss(LossBase):
    """Computes ``log(1 + exp(-y * x))``."""

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of predictions and labels of one shape."""
        margin = -labels * logits
        return self.get_loss(ops.maximum(margin, 0.0) + ops.log1p(ops.exp(-margin.abs())))


class HingeEmbeddingLoss(LossBase):
    """Computes a distance ``x`` where the label is 1, and ``max(0, margin - x)`` where it is -1.

    Args:
        margin: how far pairs that differ should be apart.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of distances and labels of one shape."""
        return self.get_loss(_chosen(labels, logits, ops.maximum(self.margin - logits, 0.0)))


class MarginRankingLoss(LossBase):
    """Computes ``max(0, -y * (x1 - x2) + margin)``: which of two should be the larger.

    Args:
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def construct(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss of two inputs and labels of one shape."""
        return self.get_loss(ops.maximum(-target * (input1 - input2) + self.margin, 0.0))


class CosineEmbeddingLoss(LossBase):
    """Computes ``1 - cos`` of two rows where the label is 1, and ``max(0, cos - margin)`` where it is -1.

    Args:
        margin: how alike rows that differ may be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def construct(self, logits_x1: Tensor, logits_x2: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of rows (b, d), (b, d) and labels (b,)."""
        x, y = logits_x1, logits_x2
        cosine = (x * y).sum(1) / ops.sqrt(((x * x).sum(1) + _LEAST) * ((y * y).sum(1) + _LEAST))
        return self.get_loss(_chosen(labels, 1.0 - cosine, ops.maximum(cosine - self.margin, 0.0)))


def _chosen(labels: Tensor, of_one: Tensor, of_others: Tensor) -> Tensor:
    """Return the loss of each label, 1 or -1."""
    is_one = (labels == 1).astype(of_one.dtype)
    return of_one * is_one + of_others * (1.0 - is_one)
