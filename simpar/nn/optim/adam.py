"""Adam, and Adam with decoupled weight decay."""

from typing import Any

from simpar.dtype import float32
from simpar.errors import ContextError
from simpar.nn.optim.optimizer import Optimizer
from simpar.ops import optimizer as updates
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["Adam", "AdamWeightDecay"]


class Adam(Optimizer):
    """Scales each element's step by the root of the mean of its squared gradients (Kingma and Ba, 2015).

    The states of weight ``w`` are ``moment1.w`` and ``moment2.w``. As in MindSpore, ``eps`` is added to the root of the
    second moment before its correction.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        beta1, beta2: how much of the first and second moment stays.
        eps: keeps the divisor from zero.
        use_locking: taken as MindSpore does; changes nothing.
        use_nesterov: whether to look one step ahead along the first moment.
        weight_decay, loss_scale: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_locking: bool = False,
        use_nesterov: bool = False,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_betas(beta1, beta2, eps)
        self.beta1, self.beta2, self.eps, self.use_nesterov = beta1, beta2, eps, use_nesterov
        self.beta1_power = Parameter(Tensor(1.0, float32), name="beta1_power", requires_grad=False)
        self.beta2_power = Parameter(Tensor(1.0, float32), name="beta2_power", requires_grad=False)
        self.moment1 = self.states("moment1")
        self.moment2 = self.states("moment2")

    def _begin_step(self) -> None:
        self.beta1_power.assign_value(self.beta1_power * self.beta1)
        self.beta2_power.assign_value(self.beta2_power * self.beta2)

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, m, v = self.parameters[place], self.moment1[place], self.moment2[place]
        made = updates.adam(
            p,
            m,
            v,
            gradient,
            rate,
            self.beta1_power,
            self.beta2_power,
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.eps,
            nesterov=self.use_nesterov,
            weight_decay=self.get_weight_decay()[place],
        )
        _assign((p, m, v), made)


class AdamWeightDecay(Optimizer):
    """Computes Adam without correction of the moments, and lets the Parameters decay apart from their gradients.

    The states of weight ``w`` are ``adam_m.w`` and ``adam_v.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        beta1, beta2: how much of the first and second moment stays.
        eps: keeps the divisor from zero.
        weight_decay: how much of each Parameter, times the learning rate, goes away in a step.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        _check_betas(beta1, beta2, eps)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.moments1 = self.states("adam_m")
        self.moments2 = self.states("adam_v")

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, m, v = self.parameters[place], self.moments1[place], self.moments2[place]
        made = updates.adam_weight_decay(
            p,
            m,
            v,
            gradient,
            rate,
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.eps,
            weight_decay=self.get_weight_decay()[place],
        )
        _assign((p, m, v), made)


def _assign(held: tuple[Parameter, ...], made: tuple[Tensor, ...]) -> None:
    for parameter, new in zip(held, made, strict=True):
        parameter.assign_value(new)


def _check_betas(beta1: float, beta2: float, eps: float) -> None:
    if not (0 < beta1 < 1 and 0 < beta2 < 1 and eps > 0):
        raise ContextError(f"Adam(beta1={beta1}, beta2={beta2}, eps={eps}): betas lie between 0 and 1, eps above 0.")
