"""Random tensors: equal under every layout, new at each step."""

from collections.abc import Sequence

from simpar import ops
from simpar.dtype import DType
from simpar.ops import rand, rand_like, randint_like, randn, randn_like, randperm
from simpar.tensor import Tensor

__all__ = [
    "bernoulli",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def bernoulli(input: Tensor) -> Tensor:
    """Return 1 where a draw from [0, 1) stays below the input, else 0."""
    return ops.bernoulli(input, input)


def normal(mean: float | Tensor = 0.0, std: float | Tensor = 1.0, size: Sequence[int] | None = None) -> Tensor:
    """Return normally distributed numbers, of this size or one for each mean and standard deviation."""
    given = next((n.shape for n in (mean, std) if isinstance(n, Tensor)), (1,))
    return ops.normal(given if size is None else size, mean, std)


def randint(low: int, high: int, size: Sequence[int], *, dtype: DType | None = None) -> Tensor:
    """Return whole numbers drawn evenly from ``low`` to below ``high``."""
    return ops.randint(low, high, size, dtype=dtype)
