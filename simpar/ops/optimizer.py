"""The updates of the optimizers, each one pass over blocks of a weight and its state.

The results may overwrite the operands: the executor hands in the storage itself as ``out``. Hyper-parameters that
change from step to step (learning rate, powers of beta) are operands without axes, the others attributes.
"""

from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.ops._rows import Array
from simpar.ops._updates import dtype_of_update, rule_of_update, targets, update_blocks
from simpar.tensor import Tensor, call

__all__ = ["adam", "adam_weight_decay", "momentum", "sgd"]


def _decayed(p: Array, g: Array, weight_decay: float, scratch: Array) -> Array:
    """Return g + weight_decay * p, in scratch; g itself where nothing decays."""
    return np.add(np.multiply(p, weight_decay, out=scratch), g, out=scratch) if weight_decay else g


# --- SGD and momentum ---


def _sgd(p: Array, g: Array, lr: Array, *, weight_decay: float = 0.0, out: Array | None = None) -> Array:
    """Compute p - lr * (g + weight_decay * p)."""
    (new,) = targets(out, (p,))
    rate = lr.item()
    for pb, gb, nb in update_blocks(p, g, new):
        s = np.empty_like(pb)
        np.multiply(_decayed(pb, gb, weight_decay, s), rate, out=s)
        np.subtract(pb, s, out=nb)
    return new


def _momentum(
    p: Array,
    v: Array,
    g: Array,
    lr: Array,
    step: Array | None = None,
    *,
    momentum: float = 0.9,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    out: Any = None,
) -> tuple[Array, ...]:
    """Compute v' = momentum * v + (1 - dampening) * g and p - lr * v', or p - lr * (g + momentum * v') by Nesterov."""
    new = targets(out, (p, v))
    rate = lr.item()
    share = 1.0 if step is not None and step.item() == 0 else 1 - dampening
    for pb, vb, gb, new_p, new_v in update_blocks(p, v, g, *new):
        s = np.empty_like(pb)
        g_now = _decayed(pb, gb, weight_decay, s)
        np.multiply(vb, momentum, out=new_v)
        np.add(new_v, g_now if share == 1 else g_now * share, out=new_v)
        if nesterov:
            np.add(g_now, momentum * new_v, out=s)
        np.multiply(s if nesterov else new_v, rate, out=s)
        np.subtract(pb, s, out=new_p)
    return new


op(
    "sgd",
    rule=rule_of_update(0),
    kernel=_sgd,
    dtype=dtype_of_update(0),
    elementwise=True,
    examples=(
        Example(((4, 6), (4, 6), ()), {"weight_decay": 0.1}, grad=False),
        Example(((8,), (8,), ()), {"weight_decay": 0.0}, grad=False),
    ),
)
_MOMENTUM = {"momentum": 0.9, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0}
op(
    "momentum",
    rule=rule_of_update(1),
    kernel=_momentum,
    dtype=dtype_of_update(1),
    elementwise=True,
    examples=(
        Example(((4, 6),) * 3 + ((),), {**_MOMENTUM, "nesterov": True, "weight_decay": 0.1}, grad=False),
        Example(
            ((8,),) * 3 + ((), ()),
            {**_MOMENTUM, "dampening": 0.5},
            ("float32",) * 4 + ("int32",),
            high=(1.0,) * 4 + (3,),
            low=(-1.0,) * 4 + (0,),
            grad=False,
        ),
    ),
)


# --- Adam ---


def _moments(m: Array, v: Array, g: Array, new_m: Array, new_v: Array, s: Array, betas: tuple[float, float]) -> None:
    """Compute new_m = beta1 * m + (1 - beta1) * g and new_v = beta2 * v + (1 - beta2) * g * g; s may not be g."""
    np.multiply(g, 1 - betas[0], out=s)
    np.add(np.multiply(m, betas[0], out=new_m), s, out=new_m)
    np.multiply(np.multiply(g, g, out=s), 1 - betas[1], out=s)
    np.add(np.multiply(v, betas[1], out=new_v), s, out=new_v)


def _adam(
    p: Array,
    m: Array,
    v: Array,
    g: Array,
    lr: Array,
    beta1_power: Array,
    beta2_power: Array,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    out: Any = None,
) -> tuple[Array, ...]:
    """Compute p - rate * m' / (sqrt(v') + epsilon) with rate = lr * sqrt(1 - beta2^t) / (1 - beta1^t)."""
    new = targets(out, (p, m, v))
    rate = lr.item() * float(np.sqrt(1 - beta2_power.item())) / (1 - beta1_power.item())
    for pb, mb, vb, gb, new_p, new_m, new_v in update_blocks(p, m, v, g, *new):
        s = np.empty_like(pb)
        g_now = _decayed(pb, gb, weight_decay, np.empty_like(pb)) if weight_decay else gb
        _moments(mb, vb, g_now, new_m, new_v, s, (beta1, beta2))
        np.add(np.sqrt(new_v, out=s), epsilon, out=s)
        np.divide(beta1 * new_m + (1 - beta1) * g_now if nesterov else new_m, s, out=s)
        np.subtract(pb, np.multiply(s, rate, out=s), out=new_p)
    return new


def _adam_weight_decay(
    p: Array,
    m: Array,
    v: Array,
    g: Array,
    lr: Array,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-6,
    weight_decay: float = 0.0,
    out: Any = None,
) -> tuple[Array, ...]:
    """Compute p - lr * (m' / (sqrt(v') + epsilon) + weight_decay * p), without a correction of the moments."""
    new = targets(out, (p, m, v))
    rate = lr.item()
    for pb, mb, vb, gb, new_p, new_m, new_v in update_blocks(p, m, v, g, *new):
        s = np.empty_like(pb)
        _moments(mb, vb, gb, new_m, new_v, s, (beta1, beta2))
        np.add(np.sqrt(new_v, out=s), epsilon, out=s)
        np.multiply(np.divide(new_m, s, out=s), rate, out=s)
        np.subtract(pb if not weight_decay else pb * (1 - rate * weight_decay), s, out=new_p)
    return new


_ADAM = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-6, "weight_decay": 0.1}
_POSITIVE = (-1.0, -1.0, 0.0, -1.0)  # the second moment is a mean of squares

op(
    "adam",
    rule=rule_of_update(2),
    kernel=_adam,
    dtype=dtype_of_update(2),
    elementwise=True,
    examples=(
        Example(
            ((4, 6),) * 4 + ((), (), ()),
            {**_ADAM, "nesterov": False},
            low=(*_POSITIVE, 0.1, 0.1, 0.1),
            high=(1.0,) * 4 + (0.5,) * 3,
            grad=False,
        ),
        Example(
            ((8,),) * 4 + ((), (), ()),
            {**_ADAM, "nesterov": True},
            low=(*_POSITIVE, 0.1, 0.1, 0.1),
            high=(1.0,) * 4 + (0.5,) * 3,
            grad=False,
        ),
    ),
)
op(
    "adam_weight_decay",
    rule=rule_of_update(2),
    kernel=_adam_weight_decay,
    dtype=dtype_of_update(2),
    elementwise=True,
    examples=(
        Example(((4, 6),) * 4 + ((),), _ADAM, low=(*_POSITIVE, 0.1), grad=False),
        Example(((8,),) * 4 + ((),), {**_ADAM, "weight_decay": 0.0}, low=(*_POSITIVE, 0.1), grad=False),
    ),
)


# --- faces ---


def sgd(param: Tensor, grad: Tensor, lr: Tensor, *, weight_decay: float = 0.0) -> Tensor:
    """Return the weight after one step of plain gradient descent.

    >>> sgd(Tensor([1.0]), Tensor([2.0]), Tensor(0.25)).tolist()
    [0.5]
    """
    made = call("sgd", param, grad, lr, weight_decay=weight_decay)
    assert isinstance(made, Tensor), "sgd has one result"
    return made


def momentum(
    param: Tensor,
    accum: Tensor,
    grad: Tensor,
    lr: Tensor,
    step: Tensor | None = None,
    *,
    momentum: float,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return weight and velocity after one step of MindSpore's ``ApplyMomentum`` (and of ``SGD`` with momentum).

    Args:
        param, accum, grad: of one shape.
        lr: the learning rate, without axes.
        step: how many steps were taken before; ``dampening`` does not act on the first (step 0).
        momentum, dampening, nesterov, weight_decay: as MindSpore's optimizers take them.
    """
    attrs: dict[str, Any] = {
        "momentum": momentum,
        "dampening": dampening,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
    }
    made = call("momentum", param, accum, grad, lr, *([] if step is None else [step]), **attrs)
    return _several(made)


def adam(
    param: Tensor,
    moment1: Tensor,
    moment2: Tensor,
    grad: Tensor,
    lr: Tensor,
    beta1_power: Tensor,
    beta2_power: Tensor,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return weight and moments after one step of MindSpore's ``Adam``.

    Args:
        param, moment1, moment2, grad: of one shape.
        lr: the learning rate, without axes.
        beta1_power, beta2_power: beta1 and beta2 to the power of this step's number (1 for the first), without axes.
        beta1, beta2, epsilon, nesterov: as MindSpore's Adam takes them; epsilon is added to sqrt(moment2).
        weight_decay: is added to the gradient, times the weight.
    """
    attrs: dict[str, Any] = {
        "beta1": beta1,
        "beta2": beta2,
        "epsilon": epsilon,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
    }
    return _several(call("adam", param, moment1, moment2, grad, lr, beta1_power, beta2_power, **attrs))


def adam_weight_decay(
    param: Tensor,
    moment1: Tensor,
    moment2: Tensor,
    grad: Tensor,
    lr: Tensor,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-6,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return weight and moments after one step of MindSpore's ``AdamWeightDecay``: decay apart from the gradient."""
    attrs: dict[str, Any] = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weight_decay": weight_decay}
    return _several(call("adam_weight_decay", param, moment1, moment2, grad, lr, **attrs))


def _several(made: Tensor | tuple[Tensor, ...]) -> Any:
    assert not isinstance(made, Tensor), "the update has several results"
    return made
