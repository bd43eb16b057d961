"""Optimizers that look at a weight as a whole: at its norm, or at the rows and columns of its gradients.

Norms and means are ops like any other. So a weight that is cut over ranks gets those of the whole weight, where
MindSpore's kernels, which see one slice each, would not.
"""

from collections.abc import Callable, Sequence
from typing import Any

from simpar import ops
from simpar.dtype import float16, float32
from simpar.errors import ContextError, DTypeError
from simpar.initializer import initializer
from simpar.nn.optim.optimizer import Optimizer, update_phase
from simpar.ops import optimizer_adaptive
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor

__all__ = ["LARS", "AdaFactor", "Lamb"]


def _norm(x: Tensor) -> Tensor:
    """Return the root of the sum of squares, without axes."""
    return ops.sqrt(ops.reduce_sum(ops.square(x)))


def _ratio(above: Tensor, below: Tensor, otherwise: float = 1.0) -> Tensor:
    """Return above / below, or a number where one of them is not above zero; without axes."""
    both = ops.logical_and(above > 0, below > 0)
    safe = ops.select(both, below, ops.full_like(below, 1.0))
    return ops.select(both, above / safe, ops.full_like(above, otherwise))


class Lamb(Optimizer):
    """Is Adam with each weight's step scaled by the ratio of the norms of weight and step (You and others, 2020).

    The states of weight ``w`` are ``lamb_m.w`` and ``lamb_v.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``.
        beta1, beta2: how much of the first and second moment stays.
        eps: keeps the divisor from zero.
        weight_decay: how much of each weight is added to its step, before the ratio.
    """

    _decays_apart = True

    def __init__(
        self,
        params: Any,
        learning_rate: Any,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        if not (0 < beta1 < 1 and 0 < beta2 < 1 and eps > 0):
            raise ContextError(
                f"Lamb(beta1={beta1}, beta2={beta2}, eps={eps}): betas are between 0 and 1, eps above 0."
            )
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.beta1_power = Parameter(Tensor(1.0, float32), name="beta1_power", requires_grad=False)
        self.beta2_power = Parameter(Tensor(1.0, float32), name="beta2_power", requires_grad=False)
        self.moments1 = self.states("lamb_m")
        self.moments2 = self.states("lamb_v")

    def _begin_step(self) -> None:
        self.beta1_power.assign_value(self.beta1_power * self.beta1)
        self.beta2_power.assign_value(self.beta2_power * self.beta2)

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p, m, v = self.parameters[place], self.moments1[place], self.moments2[place]
        step, new_m, new_v = optimizer_adaptive.updated(
            "lamb",
            (p, m, v, gradient, self.beta1_power, self.beta2_power),
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.eps,
            weight_decay=self.get_weight_decay()[place],
        )
        trust = _ratio(_norm(p), _norm(step))
        for parameter, new in ((m, new_m), (v, new_v), (p, p - step * (trust * rate))):
            parameter.assign_value(new)


class LARS(Optimizer):
    """Scales each weight's gradient by the ratio of the norms of weight and gradient (You, Gitman, Ginsburg, 2017).

    Args:
        optimizer: does the update with the scaled gradients; its weight decay is done here, before the scaling.
        epsilon: keeps the divisor from zero.
        coefficient: what the ratio is multiplied by.
        use_clip: whether the scaled learning rate stays below the one of ``optimizer``.
        lars_filter: for which Parameters the gradient is scaled; others' are passed on.

    Raises:
        DTypeError: ``optimizer`` is none.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        epsilon: float = 1e-05,
        coefficient: float = 0.001,
        use_clip: bool = False,
        lars_filter: Callable[[Parameter], bool] = lambda x: "LayerNorm" not in x.name and "bias" not in x.name,
    ) -> None:
        if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"LARS takes an optimizer, not {type(optimizer).__name__}.")
        super().__init__(0.0, list(optimizer.parameters))
        self.opt = optimizer
        del self.learning_rate  # its own, which may be of another kind
        self.global_step, self.learning_rate = optimizer.global_step, optimizer.learning_rate
        self.epsilon, self.coefficient, self.use_clip = epsilon, coefficient, use_clip
        self._is_scaled = tuple(lars_filter(p) for p in self.parameters)
        self._their_decays = optimizer.take_over_decay()

    def construct(self, gradients: Sequence[Tensor]) -> bool:
        """Scale the gradients, and update each Parameter by them; see ``Optimizer.construct``."""
        with update_phase():
            rates = self.opt.get_lr()
            scaled = [self._scaled(i, g, rates[i]) for i, g in enumerate(self.opt.scale_grad(gradients))]
        with self.opt.unscaled():
            return self.opt.construct(scaled)

    def _scaled(self, place: int, gradient: Tensor, rate: Tensor) -> Tensor:
        p, decay = self.parameters[place], self._their_decays[place]
        if not self._is_scaled[place]:
            return gradient
        weight, size = _norm(p), _norm(gradient)
        trust = _ratio(weight * self.coefficient, size + weight * decay + self.epsilon)
        if self.use_clip:
            trust = ops.minimum(_ratio(trust, rate), ops.full_like(trust, 1.0))
        return (gradient + p * decay if decay else gradient) * trust


class AdaFactor(Optimizer):
    """Is Adam with the second moment of a matrix kept as one number per row and column (Shazeer and Stern, 2018).

    The states of weight ``w`` are ``exp_avg_sq_row_w`` and ``exp_avg_sq_col_w``, or ``exp_avg_sq_w`` for a weight with
    one axis, and, with ``beta1``, ``exp_avg.w``.

    Args:
        params: Parameters or groups, see ``Optimizer``.
        learning_rate: see ``Optimizer``; None for the rate of the paper, which needs ``relative_step``.
        eps: what is added to squared gradients, and the smallest size of a weight.
        clip_threshold: the largest root mean square of a step.
        decay_rate: the second moment forgets with ``1 - step ** -decay_rate``.
        beta1: how much of the last step stays; None for nothing.
        weight_decay: how much of each weight, times its rate, goes away in a step.
        scale_parameter: whether steps grow with the size of the weight.
        relative_step: whether the rate falls with the root of the step's number.
        warmup_init: whether that rate begins small.
        compression: whether the second moments of weights with one axis are kept as float16; a step itself is
            computed before they are rounded.
        loss_scale: see ``Optimizer``.

    Raises:
        ContextError: options contradict each other.
    """

    _decays_apart = True

    def __init__(
        self,
        params: Any,
        learning_rate: Any = None,
        eps: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        decay_rate: float = 0.8,
        beta1: float | None = 0.9,
        weight_decay: float = 0.0,
        scale_parameter: bool = True,
        relative_step: bool = True,
        warmup_init: bool = False,
        compression: bool = False,
        loss_scale: float = 1.0,
    ) -> None:
        if learning_rate is not None and relative_step:
            raise ContextError("AdaFactor: learning_rate and relative_step=True exclude each other; give one.")
        if learning_rate is None and not relative_step:
            raise ContextError("AdaFactor: without relative_step a learning_rate is needed.")
        if warmup_init and not relative_step:
            raise ContextError("AdaFactor: warmup_init needs relative_step=True.")
        super().__init__(0.0 if learning_rate is None else learning_rate, params, weight_decay, loss_scale)
        self.eps, self.clip_threshold, self.decay_rate = eps, clip_threshold, decay_rate
        self.beta1 = beta1 or 0.0
        self.scale_parameter, self.relative_step, self.warmup_init = scale_parameter, relative_step, warmup_init
        self.compression = compression
        self.exp_avg = self.states("exp_avg") if self.beta1 else None
        self._make_squares()

    def _make_squares(self) -> None:
        def state(kind: str, p: Parameter, lost_axis: int | None = None) -> Parameter:
            dtype = float16 if self.compression and kind == "exp_avg_sq" else p.dtype
            shape = list(p.full_shape)
            if lost_axis is not None:
                del shape[lost_axis]
            made = Parameter(initializer("zeros", tuple(shape), dtype), name=f"{kind}_{p.name}", requires_grad=False)
            made.follow(p, lost_axis)
            return made

        rows: list[Parameter] = []
        columns: list[Parameter] = []
        whole: list[Parameter] = []
        self._squares: list[tuple[Parameter, ...]] = []
        for p in self.parameters:
            if len(p.full_shape) > 1:
                rows.append(state("exp_avg_sq_row", p, -1))
                columns.append(state("exp_avg_sq_col", p, -2))
                self._squares.append((rows[-1], columns[-1]))
            else:
                whole.append(state("exp_avg_sq", p))
                self._squares.append((whole[-1],))
        for name, held in (("exp_avg_sq_row", rows), ("exp_avg_sq_col", columns), ("exp_avg_sq", whole)):
            if held:
                setattr(self, name, ParameterTuple(held))

    def _begin_step(self) -> None:
        step = (self.global_step + 1).astype(float32).reshape(())
        self._forgotten = step ** (-self.decay_rate)  # 1 - beta2 of this step
        least = step * 1e-6 if self.warmup_init else 1e-2
        self._relative = ops.minimum(ops.rsqrt(step), least)

    def _update(self, place: int, gradient: Tensor, rate: Tensor) -> None:
        p = self.parameters[place]
        rate = self._relative if self.relative_step else rate
        if self.scale_parameter:
            rate = rate * ops.maximum(_root_mean_square(p), self.eps[1])
        step = gradient * self._inverse_root(place, ops.square(gradient) + self.eps[0])
        step = step * (rate / ops.maximum(_root_mean_square(step) * (1 / self.clip_threshold), 1.0))
        if self.exp_avg is not None:
            step = self.exp_avg[place] * self.beta1 + step * (1 - self.beta1)
            self.exp_avg[place].assign_value(step)
        decay = self.get_weight_decay()[place]
        p.assign_value((p - p * (rate * decay) if decay else p) - step)

    def _inverse_root(self, place: int, squares: Tensor) -> Tensor:
        """Return one over the root of the second moment, and keep what it is made of."""
        states = self._squares[place]
        means = [squares] if len(states) == 1 else [squares.mean(-1), squares.mean(-2)]
        held = [s.astype(m.dtype) for s, m in zip(states, means, strict=True)]
        new = [s * (1 - self._forgotten) + m * self._forgotten for s, m in zip(held, means, strict=True)]
        for state, value in zip(states, new, strict=True):
            state.assign_value(value.astype(state.dtype))
        if len(new) == 1:
            return ops.rsqrt(new[0])
        row, column = new
        share = row / row.mean(-1, keep_dims=True)
        return ops.rsqrt(share).expand_dims(-1) * ops.rsqrt(column).expand_dims(-2)


def _root_mean_square(x: Tensor) -> Tensor:
    return ops.sqrt(ops.square(x).mean())
