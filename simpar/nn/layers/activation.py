"""Activations as Cells."""

from typing import Any

from simpar import ops
from simpar.errors import ContextError
from simpar.nn.cell import Cell
from simpar.tensor import Tensor

__all__ = [
    "GELU",
    "GLU",
    "Activation",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Tanh",
    "Tanhshrink",
]


class Activation(Cell):
    """Applies one op, under ``primitive`` so that it can be given a strategy."""

    def __init__(self, primitive: Any) -> None:
        super().__init__()
        self.primitive = primitive

    def construct(self, x: Tensor) -> Tensor:
        """Return the activation of each element of ``x``."""
        return self.primitive(x)


class ReLU(Activation):
    """Computes max(x, 0)."""

    def __init__(self) -> None:
        super().__init__(ops.ReLU())
        self.relu = self.primitive


class Sigmoid(Activation):
    """Computes 1 / (1 + exp(-x))."""

    def __init__(self) -> None:
        super().__init__(ops.Sigmoid())
        self.sigmoid = self.primitive


class Tanh(Activation):
    """Computes tanh(x)."""

    def __init__(self) -> None:
        super().__init__(ops.Tanh())
        self.tanh = self.primitive


class SiLU(Activation):
    """Computes x * sigmoid(x)."""

    def __init__(self) -> None:
        super().__init__(ops.SiLU())
        self.silu = self.primitive


class GELU(Activation):
    """Computes x * P(X <= x) of a standard normal X.

    Args:
        approximate: whether by the tanh formula, else exactly.
    """

    def __init__(self, approximate: bool = True) -> None:
        super().__init__(ops.GeLU() if approximate else _ExactGelu())
        self.gelu = self.primitive


class _ExactGelu(ops.Primitive, op="gelu"):
    """Is the activation without an approximation, which MindSpore composes of other ops."""

    def __init__(self) -> None:
        super().__init__(approximate="none")

    def __call__(self, x: Tensor) -> Tensor:
        return self.apply_one(x)


class Softmax(Activation):
    """Computes exp(x) / sum(exp(x)) along an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__(ops.Softmax(axis))
        self.softmax = self.primitive


class LogSoftmax(Activation):
    """Computes x - log(sum(exp(x))) along an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__(ops.LogSoftmax(axis))
        self.log_softmax = self.primitive


class Softmin(Cell):
    """Computes exp(-x) / sum(exp(-x)) along an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        return ops.softmin(x, self.axis)


class Softmax2d(Activation):
    """Computes the softmax over the channels of images: along axis -3."""

    def __init__(self) -> None:
        super().__init__(ops.Softmax(-3))
        self.softmax = self.primitive

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x.

        Raises:
            ContextError: x is neither (c, h, w) nor (n, c, h, w).
        """
        if x.ndim not in (3, 4):
            raise ContextError(f"Softmax2d takes (c, h, w) or (n, c, h, w), not a tensor of shape {x.shape}.")
        return self.softmax(x)


class Tanhshrink(Cell):
    """Computes x - tanh(x)."""

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        return ops.tanhshrink(x)


class GLU(Cell):
    """Computes a * sigmoid(b) of the halves a and b of an axis."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, half as long along the axis as x."""
        return ops.glu(x, self.axis)
