"""Accumulators: Parameters in which a step adds up gradients before an optimizer takes them."""

from typing import Any

from simpar.context import current
from simpar.errors import ModeError
from simpar.graph import ACCUMULATED
from simpar.parameter import Parameter

__all__ = ["check_accumulators"]


def check_accumulators(gradients: Any) -> None:
    """Refuse accumulators that are handed to an optimizer as they were made, full of zeros.

    Within one compiled function a clone of a Parameter with ``accu_grads`` in its name holds the gradients of the
    micro-batches of a ``PipelineCell`` or ``GradAccumulationCell``, as MindSpore's compiler fills it. Elsewhere nobody
    fills it but the user.

    Raises:
        ModeError: all of them hold zeros.
    """
    if not isinstance(gradients, tuple | list) or not gradients or current().planner is not None:
        return
    if all(isinstance(g, Parameter) and _is_empty(g) for g in gradients):  # pyright: ignore[reportUnknownVariableType]
        raise ModeError(
            f"the optimizer is given accumulators such as {gradients[0].name!r} that hold nothing but zeros, so it "  # pyright: ignore[reportUnknownMemberType]
            "would change nothing. They are filled where one @jit function computes the gradients of a PipelineCell or "
            "GradAccumulationCell and then calls the optimizer. Do that, or give the gradients of value_and_grad."
        )


def _is_empty(given: Parameter) -> bool:
    if given.state_of is None or ACCUMULATED not in given.name:
        return False
    trace = current().trace
    if trace is not None and trace.parameter(given) is not trace.parameter_input(given):
        return False
    return given.is_zero
