"""Losses as functions, under MindSpore's lower-case names; each is the mean unless ``reduction`` says otherwise."""

from simpar.errors import RuleError
from simpar.ops.functions.reduction import cosine_similarity, vector_norm
from simpar.ops.loss import reduced
from simpar.ops.primitives.loss import BCEWithLogitsLoss, BinaryCrossEntropy, KLDivLoss, SmoothL1Loss
from simpar.ops.support import like, one
from simpar.tensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "margin_ranking_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
]


def binary_cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Return -z log(p) - (1 - z) log(1 - p) for probabilities p, each times its weight."""
    return BinaryCrossEntropy(reduction)(logits, labels, weight)


def binary_cross_entropy_with_logits(
    logits: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the binary cross entropy of sigmoid(x); ``pos_weight`` weighs what the label says is true."""
    return BCEWithLogitsLoss(reduction)(logits, label, weight, pos_weight)


def kl_div(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """Return target * (log(target) - x) for logarithms x; ``"batchmean"`` divides the sum by the first length."""
    return KLDivLoss(reduction)(logits, labels)


def smooth_l1_loss(input: Tensor, target: Tensor, beta: float = 1.0, reduction: str = "none") -> Tensor:
    """Return half the squared difference by ``beta`` below it, and the absolute difference less beta / 2 above.

    Raises:
        RuleError: ``beta`` is not positive.
    """
    if beta <= 0:
        raise RuleError(f"smooth_l1_loss has beta = {beta}; give a positive number.")
    return SmoothL1Loss(beta, reduction)(input, target)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return ``smooth_l1_loss`` of ``beta=delta``, times delta."""
    return smooth_l1_loss(input, target, delta, reduction) * delta


def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Return log(1 + exp(-x y)) for labels y of 1 and -1."""
    return reduced(-one("log_sigmoid", input * target), reduction)


def hinge_embedding_loss(inputs: Tensor, targets: Tensor, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """Return x where the label is 1, and max(margin - x, 0) where it is -1."""
    return reduced(one("select", targets > 0, inputs, one("relu", margin - inputs)), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """Return max(-y (x1 - x2) + margin, 0) for labels y of 1 and -1."""
    return reduced(one("relu", margin - target * (input1 - input2)), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """Return 1 - cosine where the label is 1, and max(cosine - margin, 0) where it is -1."""
    cosine = cosine_similarity(input1, input2, dim=1)
    return reduced(one("select", target > 0, 1 - cosine, one("relu", cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: int = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return max(distance to the positive - distance to the negative + margin, 0), by p-norms over the last axis.

    Args:
        eps: is added to each difference.
        swap: use the positive's distance to the negative where that is smaller.
    """

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return vector_norm(x - y + like(eps, x), p, (x.ndim - 1,), keepdim=False)

    far = distance(anchor, negative)
    far = one("minimum", far, distance(positive, negative)) if swap else far
    return reduced(one("relu", distance(anchor, positive) - far + margin), reduction)
