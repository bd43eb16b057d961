"""The activations as objects, under MindSpore's class names."""

from simpar.ops._faces import Unary
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, axis_of

__all__ = [
    "GLU",
    "CeLU",
    "Elu",
    "EluExt",
    "FastGeLU",
    "HShrink",
    "HSigmoid",
    "HSwish",
    "LeakyReLUExt",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "ReLU6",
    "SeLU",
    "SoftShrink",
    "Softplus",
    "SoftplusExt",
    "Softsign",
    "Swiglu",
]


class ReLU6(Unary, op="relu6"):
    """Is min(max(x, 0), 6)."""


class SeLU(Unary, op="selu"):
    """Is the scaled elu, whose results keep mean 0 and variance 1."""


class HSwish(Unary, op="hard_swish"):
    """Is x * relu6(x + 3) / 6."""


class HSigmoid(Unary, op="hard_sigmoid"):
    """Is relu6(x + 3) / 6."""


class Softsign(Unary, op="softsign"):
    """Is x / (1 + |x|)."""


class LogSigmoid(Unary, op="log_sigmoid"):
    """Is the logarithm of sigmoid(x)."""


class Mish(Unary, op="mish"):
    """Is x * tanh(log(1 + exp(x)))."""


class FastGeLU(Unary, op="fast_gelu"):
    """Is x * sigmoid(1.702 x)."""


class Elu(Unary, op="elu"):
    """Is x above 0, and alpha * (exp(x) - 1) below."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class EluExt(Elu):
    """Is ``Elu`` under the name of ``mint``."""


class CeLU(Unary, op="celu"):
    """Is x above 0, and alpha * (exp(x / alpha) - 1) below."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class HShrink(Unary, op="hard_shrink"):
    """Is x, and 0 where |x| is at most ``lambd``."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(bound=lambd)


class SoftShrink(Unary, op="soft_shrink"):
    """Moves x towards 0 by ``lambd``."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(bound=lambd)


class Softplus(Unary, op="softplus"):
    """Is log(1 + exp(x))."""

    def __init__(self) -> None:
        super().__init__(beta=1, threshold=20)


class SoftplusExt(Primitive, op="softplus"):
    """Is log(1 + exp(beta x)) / beta, and x where beta x is above the threshold."""

    def __call__(self, x: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, beta=beta, threshold=threshold)


class LeakyReLUExt(Primitive, op="leaky_relu"):
    """Is x above 0, and x times the slope below."""

    def __call__(self, x: Tensor, negative_slope: float = 0.01) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, slope=negative_slope)


class PReLU(Primitive, op="prelu"):
    """Is x above 0, and x times its channel's slope below; the channels are axis 1.

    >>> PReLU()(Tensor([[-1.0, -1.0]]), Tensor([0.25, 0.5])).tolist()
    [[-0.25, -0.5]]
    """

    def __call__(self, x: Tensor, weight: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, weight)


class Swiglu(Primitive, op="swiglu"):
    """Is silu(first half) * second half along an axis, which stays whole."""

    def __call__(self, x: Tensor, dim: int = -1) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(dim, x.ndim))


class GLU(Primitive, op="glu"):
    """Is first half * sigmoid(second half) along an axis, which stays whole."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(self.axis, x.ndim))
