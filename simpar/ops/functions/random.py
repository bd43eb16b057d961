"""Random tensors as functions, under MindSpore's lower-case names; equal under every layout, new at each step."""

from collections.abc import Sequence

from simpar.dtype import DType, float32, int64
from simpar.errors import RuleError
from simpar.ops._made import lengths, places
from simpar.ops.primitives.random import (
    Dropout2D,
    Gamma,
    StandardLaplace,
    StandardNormal,
    UniformCandidateSampler,
    UniformInt,
    UniformReal,
)
from simpar.ops.random import seeded, step_tensor
from simpar.ops.support import one
from simpar.tensor import Tensor

__all__ = [
    "bernoulli",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "gamma",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "shuffle",
    "standard_laplace",
    "standard_normal",
    "uniform",
    "uniform_candidate_sampler",
]

Shape = Sequence[int] | Tensor


def uniform(
    shape: Shape,
    minval: float | Tensor,
    maxval: float | Tensor,
    seed: int | None = None,
    dtype: DType = float32,
) -> Tensor:
    """Return numbers drawn evenly from ``minval`` to below ``maxval``; whole ones for a whole ``dtype``."""
    if not dtype.is_float:
        low, high = (n if isinstance(n, Tensor) else int(n) for n in (minval, maxval))
        return UniformInt(seed or 0)(shape, low, high, dtype)
    return (UniformReal(seed or 0)(shape) * (maxval - minval) + minval).astype(dtype)


def standard_normal(shape: Shape, seed: int | None = None) -> Tensor:
    """Return numbers of mean 0 and variance 1, normally distributed."""
    return StandardNormal(seed or 0)(shape)


def standard_laplace(shape: Shape, seed: int | None = None) -> Tensor:
    """Return numbers of Laplace's distribution: mean 0, mean distance 1."""
    return StandardLaplace(seed or 0)(shape)


def normal(shape: Shape, mean: float | Tensor, stddev: float | Tensor, seed: int | None = None) -> Tensor:
    """Return normally distributed numbers; mean and standard deviation broadcast with the shape."""
    return StandardNormal(seed or 0)(shape) * stddev + mean


def gamma(shape: Shape, alpha: Tensor, beta: Tensor, seed: int | None = None) -> Tensor:
    """Return numbers of the gamma distribution, so many as ``shape`` says for each ``alpha`` and rate ``beta``."""
    each = (alpha * beta).shape
    return Gamma(seed or 0)((*lengths(shape), *each), alpha, beta)


def rand(*size: int, dtype: DType | None = None, seed: int | None = None) -> Tensor:
    """Return numbers drawn evenly from [0, 1)."""
    return UniformReal(seed or 0)(size or (1,)).astype(dtype or float32)


def randn(*size: int, dtype: DType | None = None, seed: int | None = None) -> Tensor:
    """Return numbers of mean 0 and variance 1, normally distributed."""
    return StandardNormal(seed or 0)(size or (1,)).astype(dtype or float32)


def randint(low: int, high: int, size: Shape, seed: int | None = None, *, dtype: DType | None = None) -> Tensor:
    """Return whole numbers drawn evenly from ``low`` to below ``high``."""
    return UniformInt(seed or 0)(size, low, high, dtype or int64)


def rand_like(input: Tensor, seed: int | None = None, *, dtype: DType | None = None) -> Tensor:
    """Return ``rand`` in the shape and type of a Tensor."""
    return rand(*input.shape, dtype=dtype or input.dtype, seed=seed)


def randn_like(input: Tensor, seed: int | None = None, *, dtype: DType | None = None) -> Tensor:
    """Return ``randn`` in the shape and type of a Tensor."""
    return randn(*input.shape, dtype=dtype or input.dtype, seed=seed)


def randint_like(input: Tensor, low: int, high: int, seed: int | None = None, *, dtype: DType | None = None) -> Tensor:
    """Return ``randint`` in the shape and type of a Tensor."""
    return randint(low, high, input.shape, seed, dtype=dtype or input.dtype)


def randperm(n: int, seed: int = 0, offset: int = 0, dtype: DType = int64) -> Tensor:
    """Return the numbers below n in a random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    return one("random_permutation", step_tensor(), *places((n,)), **seeded(seed or None), dtype=dtype.name)


def shuffle(x: Tensor, seed: int | None = None) -> Tensor:
    """Return the rows of x in a random order."""
    return one("gather", x, randperm(x.shape[0], seed or 0), axis=0)


def bernoulli(input: Tensor, p: float | Tensor = 0.5, seed: int | None = None) -> Tensor:
    """Return 1 with probability p, else 0, in the shape and type of a Tensor.

    Raises:
        RuleError: p is a number that is no probability.
    """
    if not isinstance(p, Tensor) and not 0 <= p <= 1:
        raise RuleError(f"bernoulli with p = {p}: give a probability, from 0 to 1.")
    return (rand(*input.shape, seed=seed) < p).astype(input.dtype)


def uniform_candidate_sampler(
    true_classes: Tensor,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int = 0,
    remove_accidental_hits: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return classes drawn evenly; arguments and results as of ``UniformCandidateSampler``."""
    made = UniformCandidateSampler(num_true, num_sampled, unique, range_max, seed, remove_accidental_hits)
    return made(true_classes)


# --- dropout of whole channels ---


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Return x (n, c, …) with a random part p of its channels 0, and the others divided by 1 - p.

    Raises:
        RuleError: p is not from 0 to 1.
    """
    if not 0 <= p <= 1:
        raise RuleError(f"dropout with p = {p}: give a part of all channels, from 0 to 1.")
    return Dropout2D(1.0 - p)(input)[0] if training and p else input


dropout1d = dropout3d = dropout2d
