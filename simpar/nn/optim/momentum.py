"""Gradient descent with momentum."""

from typing import Any

from simpar.errors import ContextError
from simpar.nn.optim.optimizer import Optimizer
from simpar.ops import optimizer as updates
from simpar.tensor import Tensor

__all__ = ["Momentum"]


class Momentum(Optimizer):
    """Computes ``v = momentum * v + g`` and ``p - lr * v``; the state of weight ``w`` is ``moments.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        momentum: how much of the velocity stays.
        weight_decay, loss_scale: see ``Optimizer``.
        use_nesterov: whether to step along ``g + momentum * v``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any,
        momentum: float,
        weight_decay: Any = 0.0,
        loss_scale: float = 1.0,
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        if momentum < 0:
            raise ContextError(f"Momentum's momentum is {momentum}; give a number of at least 0.")
        self.momentum, self.use_nesterov = float(momentum), use_nesterov
        self.moments = self.states("moments")

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, v = self.parameters[place], self.moments[place]
        new_p, new_v = updates.momentum(
            p,
            v,
            gradient,
            rate,
            momentum=self.momentum,
            nesterov=self.use_nesterov,
            weight_decay=self.get_weight_decay()[place],
        )
        p.assign_value(new_p)
        v.assign_value(new_v)
