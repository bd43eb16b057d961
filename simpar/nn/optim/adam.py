"""Adam, and Adam with decoupled weight decay."""

from typing import Any

from simpar import ops
from simpar.dtype import float32
from simpar.errors import ContextError, DTypeError
from simpar.nn.optim.optimizer import Optimizer
from simpar.nn.optim.schedules import check_flag
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
        use_amsgrad: whether the divisor is the largest second moment so far (Reddi and others, 2018), whose state is
            ``vhat.w``.
        options: ``use_lazy`` and ``use_offload``, taken as MindSpore does: gradients are dense here, and states are in
            the host's memory.

    Raises:
        DTypeError: an option is no bool, or does not exist.
        ContextError: options that exclude each other, or a number out of range.
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
        weight_decay: Any = 0.0,
        loss_scale: float = 1.0,
        use_amsgrad: bool = False,
        **options: bool,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_betas(beta1, beta2, eps)
        _check_kind(use_amsgrad, use_nesterov, **options)
        self.beta1, self.beta2, self.eps, self.use_nesterov = beta1, beta2, eps, use_nesterov
        self.beta1_power = Parameter(Tensor(1.0, float32), name="beta1_power", requires_grad=False)
        self.beta2_power = Parameter(Tensor(1.0, float32), name="beta2_power", requires_grad=False)
        self.moment1 = self.states("moment1")
        self.moment2 = self.states("moment2")
        self.vhat = self.states("vhat") if use_amsgrad else None

    def _begin_step(self) -> None:
        self.beta1_power.assign_value(self.beta1_power * self.beta1)
        self.beta2_power.assign_value(self.beta2_power * self.beta2)

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, m, v = self.parameters[place], self.moment1[place], self.moment2[place]
        if self.vhat is not None:
            _assign((p, m, v, self.vhat[place]), self._amsgrad(place, gradient, rate, self.vhat[place]))
            return
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

    def _amsgrad(self, place: int, gradient: Tensor, rate: Tensor, largest: Parameter) -> tuple[Tensor, ...]:
        """Return weight, moments and the largest second moment so far."""
        p, decay = self.parameters[place], self.get_weight_decay()[place]
        gradient = gradient + p * decay if decay else gradient
        m = self.moment1[place] * self.beta1 + gradient * (1 - self.beta1)
        v = self.moment2[place] * self.beta2 + ops.square(gradient) * (1 - self.beta2)
        top = ops.maximum(largest, v)
        step = rate * ops.sqrt(1 - self.beta2_power) / (1 - self.beta1_power)
        return p - (m / (ops.sqrt(top) + self.eps)) * step.astype(p.dtype), m, v, top


def _check_kind(use_amsgrad: bool, use_nesterov: bool, **options: bool) -> None:
    """Check the kinds of Adam that were asked for: one at a time."""
    for name, given in {"use_amsgrad": use_amsgrad, "use_nesterov": use_nesterov, **options}.items():
        if name not in ("use_amsgrad", "use_nesterov", "use_lazy", "use_offload"):
            raise DTypeError(f"Adam has no option {name}; there are use_amsgrad, use_nesterov, use_lazy, use_offload.")
        check_flag("Adam", name, given)
    asked = [name for name, given in {"use_amsgrad": use_amsgrad, **options}.items() if given]
    if len(asked) > 1 or (use_amsgrad and use_nesterov):
        asked += ["use_nesterov"] if use_nesterov else []
        raise ContextError(f"Adam: {' and '.join(asked)} exclude each other; give one.")


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

    _decays_apart = True

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: Any = 0.0,
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
