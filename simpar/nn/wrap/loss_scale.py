"""Training with a scaled loss: gradients that overflow are thrown away, and the scale follows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simpar import ops
from simpar.context import DATA_PARALLEL, HYBRID_PARALLEL, current
from simpar.dtype import float32, int32
from simpar.errors import ContextError, DTypeError
from simpar.nn.cell import Cell
from simpar.nn.optim import Optimizer
from simpar.nn.optim.optimizer import update_phase
from simpar.nn.wrap.cells import TrainOneStepCell, loss_and_gradients
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "DynamicLossScaleUpdateCell",
    "FixedLossScaleUpdateCell",
    "TrainOneStepWithLossScaleCell",
    "all_finite",
    "update_unless",
]


def all_finite(gradients: Any) -> Tensor:
    """Return whether every element of every gradient is a finite number: a bool without axes."""
    found = [ops.isfinite(g).all() for g in gradients]
    made = found[0]
    for one in found[1:]:
        made = ops.logical_and(made, one)
    return made


def update_unless(condition: Tensor, update: Callable[[], object]) -> None:
    """Do an update of Parameters, unless a condition is true.

    While a function is traced nothing can depend on values, so the update is recorded, and each Parameter that it
    changed then holds the old or the new value, as the condition says.

    Args:
        condition: a bool without axes.
        update: assigns Parameters.
    """
    trace = current().trace
    if trace is None:
        if not bool(condition):
            update()
        return
    before = trace.held()
    update()
    for parameter, old, new in trace.changed_since(before):
        parameter.assign_value(ops.select(condition, Tensor.wrap(old), Tensor.wrap(new)))


class FixedLossScaleUpdateCell(Cell):
    """Keeps the scale of the loss as it is.

    Args:
        loss_scale_value: the scale.
    """

    def __init__(self, loss_scale_value: float) -> None:
        super().__init__()
        self.loss_scale_value = float(loss_scale_value)

    def get_loss_scale(self) -> float:
        """Return the scale."""
        return self.loss_scale_value

    def construct(self, loss_scale: Tensor, overflow: Tensor) -> Tensor:
        """Return whether the step overflowed."""
        return overflow


class DynamicLossScaleUpdateCell(Cell):
    """Makes the scale smaller when gradients overflow, and larger after so many steps without.

    Args:
        loss_scale_value: the scale to begin with.
        scale_factor: what it is divided and multiplied by; more than 1.
        scale_window: after how many steps without overflow it grows.
    """

    def __init__(self, loss_scale_value: float, scale_factor: int, scale_window: int) -> None:
        super().__init__()
        if loss_scale_value <= 0 or scale_factor <= 1 or scale_window < 1:
            raise ContextError(
                f"DynamicLossScaleUpdateCell({loss_scale_value}, {scale_factor}, {scale_window}): scale above 0, "
                "the factor above 1, the window at least 1."
            )
        self.loss_scale_value = float(loss_scale_value)
        self.scale_factor, self.scale_window = float(scale_factor), scale_window
        self.good_steps = Parameter(Tensor(0, int32), name="good_steps", requires_grad=False)

    def get_loss_scale(self) -> float:
        """Return the scale to begin with."""
        return self.loss_scale_value

    def construct(self, loss_scale: Parameter, overflow: Tensor) -> Tensor:
        """Change the scale, and return whether the step overflowed."""
        good = self.good_steps + 1
        grows = good >= self.scale_window
        smaller = ops.maximum(loss_scale * (1 / self.scale_factor), 1.0)
        larger = ops.select(grows, loss_scale * self.scale_factor, loss_scale * 1.0)
        loss_scale.assign_value(ops.select(overflow, smaller, larger))
        again = ops.select(ops.logical_or(grows, overflow), good * 0, good)
        self.good_steps.assign_value(again)
        return overflow


class TrainOneStepWithLossScaleCell(TrainOneStepCell):
    """Takes one step of training with the loss scaled; a step whose gradients overflow changes no Parameter.

    Args:
        network: a Cell that returns the loss.
        optimizer: updates its Parameters.
        scale_sense: the scale: a Tensor without axes or with one element, or a Cell that changes it.

    Raises:
        DTypeError: ``scale_sense`` is neither.
    """

    def __init__(self, network: Cell, optimizer: Optimizer, scale_sense: Any) -> None:
        super().__init__(network, optimizer)
        self.loss_scaling_manager: Cell | None = scale_sense if isinstance(scale_sense, Cell) else None
        if isinstance(scale_sense, Cell):
            first = Tensor(float(getattr(scale_sense, "get_loss_scale")()), float32)  # noqa: B009 (any Cell may have it)
        elif isinstance(scale_sense, Tensor) and scale_sense.size == 1:
            first = scale_sense.astype(float32).reshape(())
        else:
            raise DTypeError(
                f"scale_sense is a Tensor with one element or a Cell that changes it, not {scale_sense!r}."
            )
        self.scale_sense = Parameter(first, name="scale_sense", requires_grad=False)
        self.hyper_map = ops.HyperMap()

    def set_sense_scale(self, sens: Tensor) -> None:
        """Set the scale."""
        self.scale_sense.set_data(sens.astype(float32).reshape(()))

    def construct(self, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss before the update, whether the step overflowed, and the scale it was taken with."""
        scale = self.scale_sense * 1.0
        run = loss_and_gradients(self.network, self.weights, scale)
        loss, scaled = run(*inputs)
        gradients = tuple(g * (1.0 / scale).astype(g.dtype) for g in scaled)
        gradients = self.grad_reducer(gradients)
        overflow = self._overflow(gradients)
        with update_phase():
            update_unless(overflow, lambda: self.optimizer(gradients))
            if self.loss_scaling_manager is not None:
                self.loss_scaling_manager(self.scale_sense, overflow)
        return loss, overflow, scale

    # --- for subclasses that write the step themselves ---

    def start_overflow_check(self, pre_cond: Any, compute_input: Any) -> tuple[Tensor, Any]:
        """Return a status, which says nothing yet, and what the loss is scaled by."""
        return Tensor(np.zeros(8, np.int32)), compute_input

    def get_overflow_status(self, status: Tensor, compute_output: Any) -> Tensor:
        """Return whether a gradient overflowed on any rank."""
        return self._overflow(tuple(compute_output))

    def process_loss_scale(self, overflow: Tensor) -> Tensor:
        """Change the scale as its Cell does, and return whether the step overflowed."""
        if self.loss_scaling_manager is not None:
            with update_phase():
                self.loss_scaling_manager(self.scale_sense, overflow)
        return overflow

    def _overflow(self, gradients: tuple[Tensor, ...]) -> Tensor:
        """Return whether a gradient overflowed on any rank."""
        bad = ops.logical_not(all_finite(gradients))
        if current().parallel.parallel_mode in (DATA_PARALLEL, HYBRID_PARALLEL) and current().device_num > 1:
            bad = ops.AllReduce(ops.ReduceOp.MAX)(bad.astype(float32)) > 0
        return bad
