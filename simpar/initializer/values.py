"""The initializers: constants, distributions, and those scaled by the number of inputs and outputs of a layer.

``fan_in`` is the second axis, ``fan_out`` the first, each times the lengths of the axes after them (a convolution's
window): weights are stored ``(out, in, ...)``. All but ``Orthogonal`` make only the box they are asked for; ``Sparse``
makes whole columns of it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simpar import philox
from simpar.errors import DTypeError, ParameterError
from simpar.initializer.base import Array, Draw, Initializer, Shape, register

__all__ = [
    "Constant",
    "Dirac",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Normal",
    "One",
    "Orthogonal",
    "Sparse",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zero",
]


@register()
class Constant(Initializer):
    """Fills with one value; a list or array is spread over the shape.

    Args:
        value: a number or an array that broadcasts to the tensor.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(value=value)
        self.value = value

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the value."""
        if np.ndim(self.value) == 0:
            out[...] = self.value
        else:
            whole = np.broadcast_to(np.asarray(self.value), draw.shape)
            out[...] = whole[tuple(slice(low, high) for low, high in draw.box)]


@register("zeros")
class Zero(Constant):
    """Fills with 0."""

    def __init__(self) -> None:
        super().__init__(0)
        self._kwargs = {}


@register("ones")
class One(Constant):
    """Fills with 1."""

    def __init__(self) -> None:
        super().__init__(1)
        self._kwargs = {}


@register()
class Normal(Initializer):
    """Fills from the normal distribution N(mean, sigma**2)."""

    def __init__(self, sigma: float = 0.01, mean: float = 0.0) -> None:
        super().__init__(sigma=sigma, mean=mean)
        self.sigma, self.mean = sigma, mean

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        draw.normal(out, self.sigma, self.mean)


@register()
class TruncatedNormal(Initializer):
    """Fills from the normal distribution, of which only the part between two bounds is left.

    Args:
        sigma: standard deviation of the whole distribution.
        mean: its mean.
        a: lower bound, in sigmas from the mean.
        b: upper bound, likewise.
    """

    def __init__(self, sigma: float = 0.01, mean: float = 0.0, a: float = -2.0, b: float = 2.0) -> None:
        super().__init__(sigma=sigma, mean=mean, a=a, b=b)
        if not a < b:
            raise ParameterError(f"TruncatedNormal has bounds a={a}, b={b}; a must be below b.")
        self.sigma, self.mean, self.a, self.b = sigma, mean, a, b

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        between = (_normal_below(self.a), _normal_below(self.b))
        draw.quantiles(out, self.sigma, self.mean, between)
        np.clip(out, self.mean + self.a * self.sigma, self.mean + self.b * self.sigma, out=out)


def _normal_below(bound: float) -> float:
    """Return the probability that a standard normal variable stays below a bound."""
    return 0.5 * math.erfc(-bound / math.sqrt(2.0))


@register()
class Uniform(Initializer):
    """Fills from the uniform distribution over [-scale, scale)."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self.scale = scale

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        draw.uniform(out, -self.scale, self.scale)


# --- scaled by the layer ---


def fans(shape: Shape) -> tuple[int, int]:
    """Return how many inputs and outputs each unit of a weight ``(out, in, ...)`` has.

    Raises:
        ParameterError: the weight has fewer than two axes.

    >>> fans((64, 3, 5, 5))
    (75, 1600)
    """
    if len(shape) < 2:
        raise ParameterError(
            f"fan_in and fan_out of shape {shape} cannot be told: it has {len(shape)} axes, a weight has at least 2."
        )
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


@register("xavier_normal")
class XavierNormal(Initializer):
    """Fills from N(0, s**2) with ``s = gain * sqrt(2 / (fan_in + fan_out))`` (Glorot, Bengio, 2010)."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain=gain)
        self.gain = gain

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        draw.normal(out, self.gain * math.sqrt(2.0 / sum(fans(draw.shape))))


@register("xavier_uniform")
class XavierUniform(Initializer):
    """Fills from [-b, b) with ``b = gain * sqrt(6 / (fan_in + fan_out))`` (Glorot, Bengio, 2010)."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain=gain)
        self.gain = gain

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        bound = self.gain * math.sqrt(6.0 / sum(fans(draw.shape)))
        draw.uniform(out, -bound, bound)


_GAINS: dict[str, Callable[[float], float]] = {
    "linear": lambda _: 1.0,
    "sigmoid": lambda _: 1.0,
    "tanh": lambda _: 5.0 / 3.0,
    "relu": lambda _: math.sqrt(2.0),
    "leaky_relu": lambda slope: math.sqrt(2.0 / (1.0 + slope**2)),
}


class _He(Initializer):
    """What ``HeNormal`` and ``HeUniform`` share: a standard deviation of ``gain / sqrt(fan)``.

    Args:
        negative_slope: of leaky_relu, for negative inputs.
        mode: ``"fan_in"`` keeps the variance of the forward pass, ``"fan_out"`` that of the backward pass.
        nonlinearity: what follows the layer; says the gain.
    """

    def __init__(self, negative_slope: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> None:
        super().__init__(negative_slope=negative_slope, mode=mode, nonlinearity=nonlinearity)
        if mode not in ("fan_in", "fan_out"):
            raise ParameterError(f"mode is {mode!r}; choose 'fan_in' or 'fan_out'.")
        if nonlinearity not in _GAINS:
            raise ParameterError(f"nonlinearity is {nonlinearity!r}; choose one of {', '.join(sorted(_GAINS))}.")
        self.mode, self.gain = mode, _GAINS[nonlinearity](negative_slope)

    def sigma(self, shape: Shape) -> float:
        """Return the standard deviation for a weight of this shape."""
        fan_in, fan_out = fans(shape)
        return self.gain / math.sqrt(fan_in if self.mode == "fan_in" else fan_out)


@register("he_normal")
class HeNormal(_He):
    """Fills from N(0, s**2) with ``s = gain / sqrt(fan)`` (He et al., 2015)."""

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        draw.normal(out, self.sigma(draw.shape))


@register("he_uniform")
class HeUniform(_He):
    """Fills from [-b, b) with ``b = gain * sqrt(3 / fan)`` (He et al., 2015)."""

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        bound = math.sqrt(3.0) * self.sigma(draw.shape)
        draw.uniform(out, -bound, bound)


@register("variance_scaling")
class VarianceScaling(Initializer):
    """Fills so that the variance is ``scale / fan``.

    Args:
        scale: above 0.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``, their mean.
        distribution: ``"truncated_normal"`` (within two of its sigmas), ``"untruncated_normal"`` or ``"uniform"``.
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal") -> None:
        super().__init__(scale=scale, mode=mode, distribution=distribution)
        if scale <= 0:
            raise ParameterError(f"scale is {scale}; it must be above 0.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ParameterError(f"mode is {mode!r}; choose 'fan_in', 'fan_out' or 'fan_avg'.")
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ParameterError(
                f"distribution is {distribution!r}; choose 'uniform', 'truncated_normal' or 'untruncated_normal'."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        fan_in, fan_out = fans(draw.shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        sigma = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            draw.uniform(out, -math.sqrt(3.0) * sigma, math.sqrt(3.0) * sigma)
        elif self.distribution == "untruncated_normal":
            draw.normal(out, sigma)
        else:  # what is cut off at two sigmas takes variance with it: make up for it
            TruncatedNormal(sigma / 0.87962566103423978).fill(out, draw)


# --- matrices ---


def _need_axes(name: str, shape: Shape, allowed: tuple[int, ...]) -> None:
    if len(shape) not in allowed:
        raise ParameterError(
            f"{name} fills tensors of {' or '.join(map(str, allowed))} axes; shape {shape} has {len(shape)}."
        )


@register()
class Identity(Initializer):
    """Fills a matrix with 1 on the diagonal and 0 elsewhere."""

    def __init__(self) -> None:
        super().__init__()

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        _need_axes("Identity", draw.shape, (2,))
        rows, columns = (np.arange(low, high) for low, high in draw.box)
        out[...] = rows[:, None] == columns


@register()
class Dirac(Initializer):
    """Fills a convolution's weight so that each output is the input of its number.

    Args:
        groups: how many groups of channels there are; each maps its own inputs.
    """

    def __init__(self, groups: int = 1) -> None:
        super().__init__(groups=groups)
        if isinstance(groups, bool) or not isinstance(groups, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"groups is {groups!r}; give a whole number of at least 1.")
        if groups < 1:
            raise ParameterError(f"groups is {groups}; give a whole number of at least 1.")
        self.groups = groups

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        _need_axes("Dirac", draw.shape, (3, 4, 5))
        if draw.shape[0] % self.groups:
            raise ParameterError(f"axis 0 of shape {draw.shape} does not divide by groups={self.groups}.")
        per_group = draw.shape[0] // self.groups
        index = np.ix_(*(np.arange(low, high) for low, high in draw.box))
        hit: Any = index[0] % per_group == index[1]
        for at, length in zip(index[2:], draw.shape[2:], strict=True):
            hit = hit & (at == length // 2)
        out[...] = hit


_SPARSE_STREAMS = 1 << 62


@register()
class Sparse(Initializer):
    """Fills a matrix from N(0, sigma**2) and sets the same share of each column to 0.

    Which rows of a column are 0 depends on the whole column, so whole columns are drawn.

    Args:
        sparsity: the share of zeros, from 0 to 1.
        sigma: the standard deviation of the rest.
    """

    def __init__(self, sparsity: float, sigma: float = 0.01) -> None:
        super().__init__(sparsity=sparsity, sigma=sigma)
        if not 0 <= sparsity <= 1:
            raise ParameterError(f"sparsity is {sparsity}; give a share from 0 to 1.")
        self.sparsity, self.sigma = sparsity, sigma

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        _need_axes("Sparse", draw.shape, (2,))
        rows = draw.shape[0]
        draw.normal(out, self.sigma)
        keys = philox.words(draw.seed, draw.stream + _SPARSE_STREAMS, ((0, rows), draw.box[1]), draw.shape)
        zeros = np.argsort(keys, axis=0, kind="stable")[: math.ceil(self.sparsity * rows)]  # (zeros, columns)
        low, high = draw.box[0]
        hit = np.zeros((rows, out.shape[1]), np.bool_)
        np.put_along_axis(hit, zeros, True, axis=0)
        out[hit[low:high]] = 0


@register()
class Orthogonal(Initializer):
    """Fills with a matrix whose rows or columns are orthonormal, times ``gain`` (Saxe et al., 2014).

    The first axis is taken as rows, all others together as columns. The matrix is made whole on each rank.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__(gain=gain)
        self.gain = gain

    def fill(self, out: Array, draw: Draw) -> None:
        """Write the values of a box."""
        if len(draw.shape) < 2:
            raise ParameterError(
                f"Orthogonal fills tensors of at least 2 axes; shape {draw.shape} has {len(draw.shape)}."
            )
        rows, columns = draw.shape[0], math.prod(draw.shape[1:])
        long, short = max(rows, columns), min(rows, columns)
        drawn = np.empty((long, short))
        Draw((long, short), ((0, long), (0, short)), draw.seed, draw.stream).normal(drawn, 1.0)
        q, r = np.linalg.qr(drawn)
        q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
        whole = (q.T if rows < columns else q).reshape(draw.shape) * self.gain
        out[...] = whole[tuple(slice(low, high) for low, high in draw.box)]
