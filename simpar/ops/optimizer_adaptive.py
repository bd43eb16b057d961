"""Updates of the optimizers whose steps follow the size of past gradients, each one pass over blocks.

Each is a function of blocks of a weight, its states and its gradient, and of the numbers of the step (learning rate
first); it returns the new weight and states. What an update needs of a *whole* weight, such as its norm, is no part of
it: optimizers ask the ops for that, and so a cut weight gets the norm of all its slices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from simpar.graph import Example, op
from simpar.ops._rows import Array
from simpar.ops._updates import dtype_of_update, rule_of_update, targets, update_blocks
from simpar.tensor import Tensor, call

__all__ = ["updated"]

Blocks = tuple[Array, ...]


def _kernel(states: int, step: Callable[..., Blocks]) -> Callable[..., Any]:
    """Return a kernel that takes ``step`` block by block."""
    wide = states + 2

    def kernel(*operands: Array, out: Any = None, **attrs: Any) -> Any:
        new = targets(out, operands[: states + 1])
        numbers = [a.item() for a in operands[wide:]]
        for blocks in update_blocks(*operands[:wide], *new):
            for target, value in zip(blocks[wide:], step(*blocks[:wide], *numbers, **attrs), strict=True):
                np.copyto(target, value)
        return new[0] if len(new) == 1 else new

    return kernel


def _adagrad(
    p: Array, s: Array, g: Array, lr: float, *, update_slots: bool = True, weight_decay: float = 0.0
) -> Blocks:
    """Compute s' = s + g * g and p - lr * g / sqrt(s') (Duchi, Hazan and Singer, 2011)."""
    g = g + weight_decay * p if weight_decay else g
    summed = s + g * g if update_slots else s
    return p - lr * g / np.sqrt(summed), summed


def _rmsprop(
    p: Array,
    s: Array,
    v: Array,
    g: Array,
    lr: float,
    *,
    decay: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-10,
    weight_decay: float = 0.0,
) -> Blocks:
    """Compute s' = decay * s + (1 - decay) * g * g, v' = momentum * v + lr * g / sqrt(s' + epsilon), and p - v'."""
    g = g + weight_decay * p if weight_decay else g
    squares = decay * s + (1 - decay) * g * g
    velocity = momentum * v + lr * g / np.sqrt(squares + epsilon)
    return p - velocity, squares, velocity


def _rmsprop_centered(
    p: Array,
    c: Array,
    s: Array,
    v: Array,
    g: Array,
    lr: float,
    *,
    decay: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-10,
    weight_decay: float = 0.0,
) -> Blocks:
    """Compute as ``_rmsprop``, with the square of the mean gradient c' taken from the mean of squares."""
    g = g + weight_decay * p if weight_decay else g
    mean = decay * c + (1 - decay) * g
    squares = decay * s + (1 - decay) * g * g
    velocity = momentum * v + lr * g / np.sqrt(squares - mean * mean + epsilon)
    return p - velocity, mean, squares, velocity


def _adadelta(
    p: Array, s: Array, u: Array, g: Array, lr: float, *, rho: float, epsilon: float, weight_decay: float = 0.0
) -> Blocks:
    """Compute steps from the ratio of past steps u to past gradients s (Zeiler, 2012)."""
    g = g + weight_decay * p if weight_decay else g
    squares = rho * s + (1 - rho) * g * g
    step = np.sqrt(u + epsilon) * g / np.sqrt(squares + epsilon)
    return p - lr * step, squares, rho * u + (1 - rho) * step * step


def _adamax(
    p: Array,
    m: Array,
    v: Array,
    g: Array,
    lr: float,
    beta1_power: float,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float = 0.0,
) -> Blocks:
    """Compute m' as Adam does, v' = max(beta2 * v, abs(g)), and p - lr / (1 - beta1^t) * m' / (v' + epsilon)."""
    g = g + weight_decay * p if weight_decay else g
    mean = beta1 * m + (1 - beta1) * g
    largest = np.maximum(beta2 * v, np.abs(g))
    return p - lr / (1 - beta1_power) * mean / (largest + epsilon), mean, largest


def _ftrl(
    p: Array,
    s: Array,
    z: Array,
    g: Array,
    lr: float,
    *,
    l1: float,
    l2: float,
    lr_power: float,
    weight_decay: float = 0.0,
) -> Blocks:
    """Compute the weight that follows the regularized leader (McMahan and others, 2013)."""
    g = g + weight_decay * p if weight_decay else g
    summed = s + g * g
    root = summed**-lr_power
    linear = z + g - (root - s**-lr_power) / lr * p
    moved = (np.sign(linear) * l1 - linear) / (root / lr + 2 * l2)
    return np.where(np.abs(linear) > l1, moved, 0), summed, linear


def _proximal_adagrad(
    p: Array, s: Array, g: Array, lr: float, *, l1: float, l2: float, weight_decay: float = 0.0
) -> Blocks:
    """Compute an Adagrad step and then what the penalties l1 * abs(p) and l2 * p * p / 2 pull it to."""
    g = g + weight_decay * p if weight_decay else g
    summed = s + g * g
    moved = p - lr * g / np.sqrt(summed)
    shrunk = np.sign(moved) * np.maximum(np.abs(moved) - lr * l1, 0) if l1 else moved
    return shrunk / (1 + lr * l2), summed


def _lamb(
    p: Array,
    m: Array,
    v: Array,
    g: Array,
    beta1_power: float,
    beta2_power: float,
    *,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float = 0.0,
) -> Blocks:
    """Return, in place of the weight, the direction of Lamb: Adam's corrected step plus the decay of the weight."""
    mean = beta1 * m + (1 - beta1) * g
    squares = beta2 * v + (1 - beta2) * g * g
    step = mean / (1 - beta1_power) / (np.sqrt(squares / (1 - beta2_power)) + epsilon)
    return step + weight_decay * p if weight_decay else step, mean, squares


def _rprop(
    p: Array,
    last: Array,
    size: Array,
    g: Array,
    lr: float,
    step: float,
    *,
    etas: tuple[float, float],
    sizes: tuple[float, float],
    weight_decay: float = 0.0,
) -> Blocks:
    """Compute steps whose size begins with lr, grows while the gradient keeps its sign, and shrinks when it turns."""
    g = g + weight_decay * p if weight_decay else g
    sign = np.sign(g * last)
    grown = np.where(sign > 0, etas[1], np.where(sign < 0, etas[0], 1.0)) * (size if step else lr)
    grown = np.clip(grown, *sizes)
    used = np.where(sign < 0, 0.0, g)
    return p - np.sign(used) * grown, used, grown


def _record(name: str, step: Callable[..., Blocks], states: int, numbers: int, attrs: dict[str, Any]) -> None:
    """Make the record of an update; every state of the examples is positive, as sums of squares are."""
    low = (-1.0, *[0.1] * states, -1.0, *[0.1] * numbers)
    high = tuple([1.0] * (states + 2) + [0.5] * numbers)
    op(
        name,
        rule=rule_of_update(states),
        kernel=_kernel(states, step),
        dtype=dtype_of_update(states),
        elementwise=True,
        examples=tuple(
            Example(
                (*[shape] * (states + 2), *[()] * numbers),
                {**attrs, "weight_decay": decay},
                low=low,
                high=high,
                grad=False,
            )
            for shape, decay in (((4, 6), 0.1), ((8,), 0.0))
        ),
    )


_BETAS = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-6}
_RMSPROP = {"decay": 0.9, "momentum": 0.5, "epsilon": 1e-2}
_record("adagrad", _adagrad, 1, 1, {"update_slots": True})
_record("rmsprop", _rmsprop, 2, 1, _RMSPROP)
_record("rmsprop_centered", _rmsprop_centered, 3, 1, {**_RMSPROP, "epsilon": 2.0})
_record("adadelta", _adadelta, 2, 1, {"rho": 0.9, "epsilon": 1e-6})
_record("adamax", _adamax, 2, 2, _BETAS)
_record("ftrl", _ftrl, 2, 1, {"l1": 0.2, "l2": 0.1, "lr_power": -0.5})
_record("proximal_adagrad", _proximal_adagrad, 1, 1, {"l1": 0.2, "l2": 0.1})
_record("lamb", _lamb, 2, 2, _BETAS)
_record("rprop", _rprop, 2, 2, {"etas": (0.5, 1.2), "sizes": (1e-6, 50.0)})


def updated(name: str, operands: tuple[Tensor, ...], **attrs: Any) -> tuple[Tensor, ...]:
    """Return weight and states after one update.

    Args:
        name: of the record.
        operands: weight, states and gradient, of one shape, and then the numbers of the step, without axes.
        **attrs: what does not change from step to step.

    >>> one, half = Tensor([1.0]), Tensor(0.5)
    >>> [t.tolist() for t in updated("adagrad", (one, Tensor([3.0]), one, half))]
    [[0.75], [4.0]]
    """
    made = call(name, *operands, **attrs)
    return (made,) if isinstance(made, Tensor) else made
