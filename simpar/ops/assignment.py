"""Writing to a Parameter, and order: inside a compiled function a write becomes part of the program."""

from collections.abc import Sequence
from typing import Any

from simpar.context import current
from simpar.dtype import float32
from simpar.errors import DTypeError
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.parameter import Parameter, parameter_behind
from simpar.tensor import Tensor, as_tensor

__all__ = [
    "Assign",
    "AssignAdd",
    "AssignSub",
    "Depend",
    "InplaceCopy",
    "assign",
    "assign_add",
    "assign_sub",
    "clip_by_global_norm",
    "depend",
]

Operand = Tensor | float


def assign(variable: Parameter, value: Operand) -> Tensor:
    """Let a Parameter hold a value from here on, and return what it holds.

    A compiled function reads the new value in what follows, and writes it at the end of the step.

    Args:
        variable: what to write to.
        value: a Tensor of its shape, or a number for a Parameter without axes; it takes the Parameter's type.

    Raises:
        DTypeError: ``variable`` is no Parameter, or cannot hold the type of ``value``.

    >>> w = Parameter(Tensor([1.0, 2.0]), name="w")
    >>> assign(w, w * 3).tolist()
    [3.0, 6.0]
    """
    held = parameter_behind(variable)
    if held is None:
        raise DTypeError(f"assign writes to a Parameter, not to {variable!r}, a {type(variable).__name__}.")
    variable = held
    new = as_tensor(value, variable)
    if new.init is None and new.dtype != variable.dtype and new.dtype.rank <= variable.dtype.rank:
        new = new.astype(variable.dtype)
    variable.set_data(new)
    return variable if current().trace is None else Tensor.wrap(variable.operand())


def assign_add(variable: Parameter, value: Operand) -> Tensor:
    """Add a value to what a Parameter holds, and return the sum.

    >>> w = Parameter(Tensor([1.0, 2.0]), name="w")
    >>> assign_add(w, Tensor([1.0, 1.0])).tolist()
    [2.0, 3.0]
    """
    return assign(variable, variable + value)


def assign_sub(variable: Parameter, value: Operand) -> Tensor:
    """Subtract a value from what a Parameter holds, and return the difference."""
    return assign(variable, variable - value)


def depend(value: Any, expr: object) -> Any:
    """Return ``value``. MindSpore computes ``expr`` first; simpar keeps the order of the program anyway.

    In a program it is a node of its own, so that the two reshapes in ``reshape(depend(reshape(x), y))`` stay two.
    """
    del expr
    is_new = current().trace is not None and isinstance(value, Tensor) and not isinstance(value, Parameter)
    return one("depend", value) if is_new else value


def clip_by_global_norm(
    x: Sequence[Tensor], clip_norm: float = 1.0, use_norm: float | None = None
) -> tuple[Tensor, ...]:
    """Scale tensors alike so that their norm, taken over all of them as one vector, is at most ``clip_norm``.

    Where the tensors are cut, as gradients are in semi_auto_parallel mode, call it inside of the compiled step: there
    the norm is that of the whole tensors.

    Args:
        x: the tensors, e.g. the gradients of all weights.
        clip_norm: the largest norm.
        use_norm: the norm, if it is known.

    Source: https://arxiv.org/abs/1211.5063.

    >>> [g.tolist() for g in clip_by_global_norm((Tensor([3.0]), Tensor([4.0])), 1.0)]
    [[0.6000000238418579], [0.800000011920929]]
    """
    if use_norm is None:
        squares = [one("reduce_sum", g.astype(float32) ** 2, axis=tuple(range(g.ndim)), keep_dims=False) for g in x]
        norm = one("sqrt", sum(squares[1:], squares[0]))
    else:
        norm = as_tensor(use_norm)
    factor = clip_norm / one("maximum", norm, as_tensor(clip_norm, norm))
    return tuple(g * factor.astype(g.dtype) for g in x)


# --- as objects ---


class Assign(Primitive):
    """Lets a Parameter hold a value; see ``assign``."""

    def __call__(self, variable: Parameter, value: Operand) -> Tensor:
        """Write, and return what the Parameter holds."""
        return assign(variable, value)


class AssignAdd(Primitive):
    """Adds a value to what a Parameter holds; see ``assign_add``."""

    def __call__(self, variable: Parameter, value: Operand) -> Tensor:
        """Write, and return what the Parameter holds."""
        return assign_add(variable, value)


class AssignSub(Primitive):
    """Subtracts a value from what a Parameter holds; see ``assign_sub``."""

    def __call__(self, variable: Parameter, value: Operand) -> Tensor:
        """Write, and return what the Parameter holds."""
        return assign_sub(variable, value)


class InplaceCopy(Primitive, op="copy_into"):
    """Copies a value into a Tensor: the value with the Tensor's shape and type; a Parameter holds it from then on."""

    def __call__(self, input: Tensor, other: Tensor) -> Tensor:
        """Return the value, broadcast and cast."""
        made, held = self.apply_one(input, other), parameter_behind(input)
        if held is not None:
            held.assign_value(made)
        return made


class Depend(Primitive):
    """Passes a value on after something else; see ``depend``."""

    def __call__(self, value: Any, expr: object) -> Any:
        """Return the value."""
        return depend(value, expr)
