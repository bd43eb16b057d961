"""Functions of MindSpore that are private, or older names of others."""

from collections.abc import Sequence
from typing import Any

from simpar import mint
from simpar.dtype import DType
from simpar.ops import AddcmulExt, DropoutExt, Primitive
from simpar.tensor import Tensor

__all__ = [
    "_get_cache_prim",
    "add_ext",
    "addcmul_ext_op",
    "dropout_ext_op",
    "make_range",
    "mean_ext",
    "prod_ext",
    "sub_ext",
    "sum_ext",
    "tuple_len",
]


def _get_cache_prim(cls: type[Primitive]) -> type[Primitive]:
    """Return the class of an op: its objects are cheap, so that none is kept."""
    return cls


Axes = int | Sequence[int] | None


class _Ready:
    """Stands for an object of an op that MindSpore has ready: each ``shard`` gives another object."""

    def __init__(self, kind: type[AddcmulExt | DropoutExt]) -> None:
        self._kind = kind

    def __call__(self, *operands: Any) -> Any:
        return self._kind()(*operands)

    def shard(self, *strategies: Any) -> Primitive:
        return self._kind().shard(*strategies)


addcmul_ext_op, dropout_ext_op = _Ready(AddcmulExt), _Ready(DropoutExt)


def add_ext(input: Tensor | float, other: Tensor | float, alpha: float = 1) -> Tensor:
    """Return input + alpha * other."""
    return mint.add(input, other, alpha=alpha)


def sub_ext(input: Tensor | float, other: Tensor | float, alpha: float = 1) -> Tensor:
    """Return input - alpha * other."""
    return mint.sub(input, other, alpha=alpha)


def sum_ext(input: Tensor, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """Return the sum over some axes, all if None."""
    return mint.sum(input, dim, keepdim, dtype=dtype)


def mean_ext(input: Tensor, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """Return the mean over some axes, all if None."""
    return mint.mean(input, dim, keepdim, dtype=dtype)


def prod_ext(input: Tensor, dim: int | None = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """Return the product along an axis, of all elements if None."""
    return mint.prod(input, dim, keepdim, dtype=dtype)


def make_range(*bounds: int) -> tuple[int, ...]:
    """Return whole numbers in order.

    >>> make_range(1, 4)
    (1, 2, 3)
    """
    return tuple(range(*bounds))


def tuple_len(x: tuple[Any, ...]) -> int:
    """Return how many members a tuple has."""
    return len(x)
