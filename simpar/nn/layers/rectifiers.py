"""More activations as Cells: bent lines, and smooth ones; and all of them by name."""

from typing import Any

from simpar import ops
from simpar.dtype import float32
from simpar.errors import ContextError, DTypeError
from simpar.initializer import initializer
from simpar.nn.cell import Cell
from simpar.nn.layers.activation import (
    GELU,
    Activation,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Tanh,
    Tanhshrink,
)
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "FastGelu",
    "HShrink",
    "HSigmoid",
    "HSwish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU6",
    "SeLU",
    "SoftShrink",
    "Softsign",
    "Threshold",
    "get_activation",
]


class ReLU6(Activation):
    """Computes min(max(x, 0), 6)."""

    def __init__(self) -> None:
        super().__init__(ops.ReLU6())
        self.relu6 = self.primitive


class ELU(Activation):
    """Computes x above 0 and ``alpha * (exp(x) - 1)`` below."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(ops.Elu(alpha))
        self.elu = self.primitive


class LeakyReLU(Cell):
    """Computes x above 0 and ``alpha * x`` below."""

    def __init__(self, alpha: float = 0.2) -> None:
        super().__init__()
        self.alpha = alpha

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        return ops.leaky_relu(x, self.alpha)


class SeLU(Activation):
    """Computes ``scale`` times the ELU of the paper's ``alpha``, so that layers normalize themselves."""

    def __init__(self) -> None:
        super().__init__(ops.SeLU())
        self.selu = self.primitive


class HSigmoid(Activation):
    """Computes min(max((x + 3) / 6, 0), 1)."""

    def __init__(self) -> None:
        super().__init__(ops.HSigmoid())
        self.hsigmoid = self.primitive


class HSwish(Activation):
    """Computes x * min(max((x + 3) / 6, 0), 1)."""

    def __init__(self) -> None:
        super().__init__(ops.HSwish())
        self.hswish = self.primitive


class LogSigmoid(Activation):
    """Computes log(1 / (1 + exp(-x)))."""

    def __init__(self) -> None:
        super().__init__(ops.LogSigmoid())
        self.log_sigmoid = self.primitive


class FastGelu(Activation):
    """Computes x * sigmoid(1.702 x), which is near to gelu."""

    def __init__(self) -> None:
        super().__init__(ops.FastGeLU())
        self.fast_gelu = self.primitive


class Mish(Activation):
    """Computes x * tanh(log(1 + exp(x)))."""

    def __init__(self) -> None:
        super().__init__(ops.Mish())
        self.mish = self.primitive


class Softsign(Activation):
    """Computes x / (1 + abs(x))."""

    def __init__(self) -> None:
        super().__init__(ops.Softsign())
        self.softsign = self.primitive


class PReLU(Cell):
    """Computes x above 0 and ``w * x`` below, with a trained slope.

    Args:
        channel: how many slopes: 1, or one for each of the channels (axis 1).
        w: what fills the slopes.

    Raises:
        ContextError: ``channel`` is no positive int.
    """

    def __init__(self, channel: int = 1, w: Any = 0.25) -> None:
        super().__init__()
        if isinstance(channel, bool) or channel < 1:
            raise ContextError(f"PReLU has one slope, or one for each channel; channel is {channel!r}.")
        self.w = Parameter(initializer(w, (channel,), float32), name="a")
        self.prelu = ops.PReLU()

    def construct(self, x: Tensor) -> Tensor:
        """Return the activation of each element."""
        return self.prelu(x, self.w)


class CELU(Activation):
    """Computes x above 0 and ``alpha * (exp(x / alpha) - 1)`` below."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(ops.CeLU(alpha))
        self.celu = self.primitive


class HShrink(Activation):
    """Is x, and 0 where |x| is at most ``lambd``."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(ops.HShrink(lambd))
        self.hshrink = self.primitive


class SoftShrink(Activation):
    """Moves x towards 0 by ``lambd``."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(ops.SoftShrink(lambd))
        self.softshrink = self.primitive


class Hardtanh(Cell):
    """Keeps x between two numbers.

    Raises:
        ContextError: the lower number is not below the upper one.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if min_val >= max_val:
            raise ContextError(f"Hardtanh(min_val={min_val}, max_val={max_val}): min_val must be below max_val.")
        self.min_val, self.max_val = min_val, max_val

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        return ops.hardtanh(x, self.min_val, self.max_val)


class Threshold(Cell):
    """Is x above ``threshold``, and ``value`` elsewhere."""

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value

    def construct(self, input_x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        return ops.threshold(input_x, self.threshold, self.value)


class RReLU(Cell):
    """Computes x above 0 and ``slope * x`` below, with a slope drawn for each element, in training or not.

    Args:
        lower, upper: between which numbers slopes lie.

    Raises:
        DTypeError: one is no number.
        ContextError: ``lower`` is above ``upper``.
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        super().__init__()
        for name, bound in (("lower", lower), ("upper", upper)):
            if not isinstance(bound, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DTypeError(f"RReLU({name}={bound!r}): give a number.")
        if lower > upper:
            raise ContextError(f"RReLU(lower={lower}, upper={upper}): lower must be at most upper.")
        self.lower, self.upper = lower, upper

    def construct(self, x: Tensor) -> Tensor:
        """Return the result, shaped as x."""
        slope = ops.uniform(x.shape, self.lower, self.upper).astype(x.dtype)
        return ops.select(x > 0, x, slope * x)


_BY_NAME: dict[str, type[Cell]] = {
    "elu": ELU,
    "fast_gelu": FastGelu,
    "gelu": GELU,
    "hardtanh": Hardtanh,
    "hshrink": HShrink,
    "hsigmoid": HSigmoid,
    "hswish": HSwish,
    "leakyrelu": LeakyReLU,
    "logsigmoid": LogSigmoid,
    "logsoftmax": LogSoftmax,
    "mish": Mish,
    "prelu": PReLU,
    "relu": ReLU,
    "relu6": ReLU6,
    "rrelu": RReLU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "softmax": Softmax,
    "softmax2d": Softmax2d,
    "softmin": Softmin,
    "softshrink": SoftShrink,
    "softsign": Softsign,
    "tanh": Tanh,
    "tanhshrink": Tanhshrink,
}


def get_activation(given: Any) -> Any:
    """Return the activation of a name; a Cell or an op as it is; None for none.

    Raises:
        ContextError: there is no activation of this name.
        DTypeError: it can be no activation.
    """
    if given is None or isinstance(given, str):
        if given and given.lower() not in _BY_NAME:
            raise ContextError(f"there is no activation {given!r}; choose one of {', '.join(_BY_NAME)}.")
        return _BY_NAME[given.lower()]() if given else None
    if not callable(given) or isinstance(given, type):
        raise DTypeError(f"an activation is a name, a Cell or an op, not {given!r}.")
    return given
