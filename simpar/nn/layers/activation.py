"""Activations as Cells."""

from typing import Any

from simpar import ops
from simpar.nn.cell import Cell
from simpar.tensor import Tensor

__all__ = ["GELU", "Activation", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Tanh"]


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
