"""Optimizers whose steps follow the size of past gradients, element by element."""

from typing import Any

from simpar.dtype import float32
from simpar.errors import ContextError, DTypeError
from simpar.nn.optim.adam import Adam
from simpar.nn.optim.optimizer import Optimizer
from simpar.ops import Primitive, optimizer_adaptive
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

__all__ = ["FTRL", "AdaMax", "Adadelta", "Adagrad", "AdamOffload", "LazyAdam", "ProximalAdagrad", "RMSProp", "Rprop"]


class _Adaptive(Optimizer):
    """Is an optimizer of one record: weight, states, gradient and learning rate in, weight and states out.

    Args:
        record: the name of its update.
        states: the states of each weight, in the order of the record.
        options: the attributes of the record.
    """

    def _use(self, record: str, states: tuple[ParameterTuple, ...], **options: Any) -> None:
        self._record, self._states, self._options = record, states, options

    def _numbers(self, rate: Tensor) -> tuple[Tensor, ...]:
        """Return what the record takes after the gradient."""
        return (rate,)

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        held = (self.parameters[place], *(s[place] for s in self._states))
        decay = self.get_weight_decay()[place]
        options = {**self._options, "weight_decay": decay} if decay else self._options
        made = optimizer_adaptive.updated(self._record, (*held, gradient, *self._numbers(rate)), **options)
        for parameter, new in zip(held, made, strict=True):
            parameter.assign_value(new)


class Adagrad(_Adaptive):
    """Divides steps by the root of the sum of all squared gradients (Duchi, Hazan and Singer, 2011).

    The state of weight ``w`` is ``accum.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        accum: what the sums begin with, at least 0.
        learning_rate: see ``Optimizer``.
        update_slots: whether the sums grow.
        loss_scale, weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        accum: float = 0.1,
        learning_rate: Any = 0.001,
        update_slots: bool = True,
        loss_scale: float = 1.0,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, accum=accum)
        self.accum = self.states("accum", accum)
        self._use("adagrad", (self.accum,), update_slots=update_slots)


class RMSProp(_Adaptive):
    """Divides steps by the root of the mean of squared gradients (Hinton, 2012).

    The states of weight ``w`` are ``mean_square.w``, which begins with ones, and ``moment.w``; with ``centered`` also
    ``mean_grad.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        decay: how much of the mean stays.
        momentum: how much of the last step stays.
        epsilon: keeps the divisor from zero; it stands under the root.
        use_locking: taken as MindSpore does; changes nothing.
        centered: whether the variance of gradients is taken instead of the mean of their squares.
        loss_scale, weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 0.1,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        loss_scale: float = 1.0,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, decay=decay, momentum=momentum, epsilon=epsilon)
        self.mean_square = self.states("mean_square", "ones")
        self.moment = self.states("moment")
        options = {"decay": decay, "momentum": momentum, "epsilon": epsilon}
        if not centered:
            self._use("rmsprop", (self.mean_square, self.moment), **options)
            return
        self.mean_grad = self.states("mean_grad")
        self._use("rmsprop_centered", (self.mean_grad, self.mean_square, self.moment), **options)


class Adadelta(_Adaptive):
    """Makes steps in the proportion of past steps to past gradients (Zeiler, 2012).

    The states of weight ``w`` are ``accum.w`` and ``accum_update.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        rho: how much of the means stays, from 0 to 1.
        epsilon: keeps divisor and step from zero.
        loss_scale, weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 1.0,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        loss_scale: float = 1.0,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, rho=rho, epsilon=epsilon)
        self.accum = self.states("accum")
        self.accum_update = self.states("accum_update")
        self._use("adadelta", (self.accum, self.accum_update), rho=rho, epsilon=epsilon)


class AdaMax(_Adaptive):
    """Is Adam with the largest past gradient in place of the mean of squares (Kingma and Ba, 2015).

    The states of weight ``w`` are ``moment1.w`` and ``moment2.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        beta1, beta2: how much of the first moment and of the largest gradient stays.
        eps: keeps the divisor from zero.
        weight_decay, loss_scale: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: Any = 0.0,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, beta1=beta1, beta2=beta2, eps=eps)
        self.beta1 = beta1
        self.beta1_power = Parameter(Tensor(1.0, float32), name="beta1_power", requires_grad=False)
        self.moment1 = self.states("moment1")
        self.moment2 = self.states("moment2")
        self._use("adamax", (self.moment1, self.moment2), beta1=beta1, beta2=beta2, epsilon=eps)

    def _begin_step(self) -> None:
        self.beta1_power.assign_value(self.beta1_power * self.beta1)

    def _numbers(self, rate: Tensor) -> tuple[Tensor, ...]:
        return rate, self.beta1_power


class FTRL(_Adaptive):
    """Follows the regularized leader (McMahan and others, *Ad click prediction*, 2013).

    The states of weight ``w`` are ``moments.w`` and ``linear.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        initial_accum: what the sums of squares begin with, at least 0.
        learning_rate: one number; schedules are not for this optimizer.
        lr_power: the power of the sums by which the rate falls, at most 0.
        l1, l2: the penalties, at least 0.
        use_locking: taken as MindSpore does; changes nothing.
        loss_scale, weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        initial_accum: float = 0.1,
        learning_rate: float = 0.001,
        lr_power: float = -0.5,
        l1: float = 0.0,
        l2: float = 0.0,
        use_locking: bool = False,
        loss_scale: float = 1.0,
        weight_decay: Any = 0.0,
    ) -> None:
        _check_least(0, learning_rate=learning_rate)
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, initial_accum=initial_accum, l1=l1, l2=l2)
        if lr_power > 0:
            raise ContextError(f"FTRL: lr_power is {lr_power}; give at most 0.")
        self.moments = self.states("moments", initial_accum)
        self.linear = self.states("linear")
        self._use("ftrl", (self.moments, self.linear), l1=l1, l2=l2, lr_power=lr_power)


class ProximalAdagrad(_Adaptive):
    """Is Adagrad whose weights are pulled to zero by penalties (Duchi and Singer, 2009).

    The state of weight ``w`` is ``accum.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        accum: what the sums begin with, at least 0.
        learning_rate: see ``Optimizer``.
        l1, l2: the penalties, at least 0.
        use_locking: taken as MindSpore does; changes nothing.
        loss_scale, weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        accum: float = 0.1,
        learning_rate: Any = 0.001,
        l1: float = 0.0,
        l2: float = 0.0,
        use_locking: bool = False,
        loss_scale: float = 1.0,
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        _check_least(0, accum=accum, l1=l1, l2=l2)
        self.accum = self.states("accum", accum)
        self._use("proximal_adagrad", (self.accum,), l1=l1, l2=l2)


class Rprop(_Adaptive):
    """Follows the signs of gradients by steps that grow while signs stay (Riedmiller and Braun, 1993).

    The states of weight ``w`` are ``prev.w`` and ``step_size.w``, which begins with the learning rate.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: the first step; see ``Optimizer``.
        etas: what steps are multiplied by when the sign turns and when it stays; below and above 1.
        step_sizes: the smallest and the largest step.
        weight_decay: see ``Optimizer``.
    """

    def __init__(
        self,
        params: Any,
        learning_rate: Any = 0.1,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        weight_decay: Any = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        for name, pair in (("etas", etas), ("step_sizes", step_sizes)):
            if not isinstance(pair, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DTypeError(f"Rprop: {name} is {pair!r}, a {type(pair).__name__}; give a tuple of two numbers.")
            if len(pair) != 2:
                raise ContextError(f"Rprop: {name} has {len(pair)} numbers, {pair}; give two.")
        if not 0 < etas[0] < 1 < etas[1] or not 0 < step_sizes[0] <= step_sizes[1]:
            raise ContextError(
                f"Rprop(etas={etas}, step_sizes={step_sizes}): etas lie below and above 1, sizes rise from above 0."
            )
        self.prev = self.states("prev")
        self.step_size = self.states("step_size")
        self._use("rprop", (self.prev, self.step_size), etas=etas, sizes=step_sizes)

    def _numbers(self, rate: Tensor) -> tuple[Tensor, ...]:
        return rate, self.global_step.reshape(())


class LazyAdam(Adam):
    """Is Adam: gradients are never sparse here, and for dense ones MindSpore's ``LazyAdam`` is Adam too."""

    sparse_opt = Primitive()
    """MindSpore's op for sparse gradients, which scripts place on a device; here it has nothing to do."""


class AdamOffload(Adam):
    """Is Adam: there is one kind of memory here, so nothing is kept elsewhere."""


def _check_least(least: float, **numbers: Any) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or number < least:
            raise ContextError(f"{name} is {number!r}; give a number of at least {least}.")
