"""Cells that multiply the Jacobian of a network by a vector, from either side."""

from typing import Any

from simpar.errors import DTypeError
from simpar.jacobian import jvp, vjp
from simpar.nn.cell import Cell

__all__ = ["Jvp", "Vjp"]


class Jvp(Cell):
    """Computes a network, and how fast its results change when its inputs change as the last argument says.

    Args:
        fn: a Cell, or a function of Tensors.

    >>> from simpar.tensor import Tensor
    >>> Jvp(lambda x: x * x)(Tensor([3.0]), Tensor([1.0]))[1].tolist()
    [6.0]
    """

    def __init__(self, fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self.fn = fn

    def construct(self, *args: Any) -> tuple[Any, Any]:
        """Return the results, and their changes.

        Args:
            args: the inputs; then the change of the only one, or a tuple with that of each.

        Raises:
            DTypeError: the changes do not fit the inputs.
        """
        *inputs, v = args
        if isinstance(inputs[0], tuple):
            raise DTypeError("Jvp takes its inputs one after the other, not in a tuple.")
        made, changes = jvp(self.fn, inputs[0] if len(inputs) == 1 else tuple(inputs), v)
        return made, changes


class Vjp(Cell):
    """Computes a network, and the gradients of its inputs for the cotangents that the last argument gives.

    Args:
        fn: a Cell, or a function of Tensors.
    """

    def __init__(self, fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self.fn = fn

    def construct(self, *args: Any) -> tuple[Any, Any]:
        """Return the results, and the gradient of the only input, or a tuple with that of each.

        Args:
            args: the inputs; then the cotangent of the only result, or a tuple with that of each.

        Raises:
            DTypeError: the cotangents do not fit the results.
        """
        *inputs, v = args
        made, pulled_back = vjp(self.fn, *inputs)
        if isinstance(v, tuple) != isinstance(made, tuple):
            raise DTypeError("Vjp takes a Tensor for one result, and a tuple of Tensors for a tuple of them.")
        return made, pulled_back(*v) if isinstance(v, tuple) else pulled_back(v)
