"""Stochastic gradient descent."""

from typing import Any

from simpar.errors import ContextError
from simpar.nn.optim.optimizer import Optimizer
from simpar.ops import optimizer as updates
from simpar.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """Computes ``p - lr * g``; with momentum, ``v = momentum * v + (1 - dampening) * g`` and ``p - lr * v``.

    The first velocity is the first gradient, undamped. With momentum the state of weight ``w`` is ``accum.w``; without,
    there is none.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        momentum: how much of the velocity stays.
        dampening: how much of the gradient does not reach the velocity.
        weight_decay: see ``Optimizer``; here all Parameters decay.
        nesterov: whether to step along ``g + momentum * v``; needs momentum and no dampening.
        loss_scale: see ``Optimizer``.
    """

    _decays_norms = True

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 0.1,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: Any = 0.0,
        nesterov: bool = False,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        if momentum < 0 or dampening < 0:
            raise ContextError(f"SGD(momentum={momentum}, dampening={dampening}): give numbers of at least 0.")
        if nesterov and (momentum == 0 or dampening != 0):
            raise ContextError("SGD(nesterov=True) needs a momentum above 0 and dampening 0.")
        self.momentum, self.dampening, self.nesterov = float(momentum), float(dampening), nesterov
        self.accum = self.states("accum") if momentum else ()

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, decay = self.parameters[place], self.get_weight_decay()[place]
        if not self.accum:
            p.assign_value(updates.sgd(p, gradient, rate, weight_decay=decay))
            return
        accum = self.accum[place]
        step = self._step if self.dampening else None
        new_p, new_accum = updates.momentum(
            p,
            accum,
            gradient,
            rate,
            step,
            momentum=self.momentum,
            dampening=self.dampening,
            nesterov=self.nesterov,
            weight_decay=decay,
        )
        p.assign_value(new_p)
        accum.assign_value(new_accum)

    @property
    def _step(self) -> Tensor:
        return self.global_step.reshape(())
