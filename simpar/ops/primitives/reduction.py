"""Reductions, running sums, extrema with their places, and norms as objects, under MindSpore's class names."""

from collections.abc import Sequence
from math import prod

from simpar.dtype import DType, int32, int64
from simpar.errors import RuleError
from simpar.graph import Strategy
from simpar.layout import Layout
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, axes_of, axis_of, call

__all__ = [
    "ArgMaxExt",
    "ArgMaxWithValue",
    "ArgMinExt",
    "ArgMinWithValue",
    "Argmin",
    "CumProd",
    "Cummax",
    "Cummin",
    "CumsumExt",
    "L2Loss",
    "L2Normalize",
    "LpNorm",
    "Max",
    "MaxDim",
    "MeanExt",
    "Min",
    "MinDim",
    "ProdExt",
    "ReduceStd",
    "RmsNorm",
    "SquareSumAll",
    "SumExt",
]

Axes = int | Sequence[int] | None


def _typed(x: Tensor, dtype: DType | None, is_sum: bool = False) -> Tensor:
    """Return x in the type that a result shall have; sums and products of whole numbers are int64."""
    wide = int64 if is_sum and not x.dtype.has_gradient else None
    return x if dtype is None and wide is None else x.astype(dtype or wide)


# --- under the names of ``mint``: the axis is an argument ---


class SumExt(Primitive, op="reduce_sum"):
    """Sums over axes, over all if None."""

    def __call__(self, x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(_typed(x, dtype, is_sum=True), axis=axes_of(dim, x.ndim), keep_dims=keepdim)


class MeanExt(Primitive, op="reduce_mean"):
    """Takes the mean over axes, over all if None."""

    def __call__(self, x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        over = axes_of(dim, x.ndim)
        return self.apply_one(_typed(x, dtype), axis=over, keep_dims=keepdim, count=prod(x.shape[a] for a in over))


class ProdExt(Primitive, op="reduce_prod"):
    """Multiplies along an axis, all elements if None."""

    def __call__(self, x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(_typed(x, dtype, is_sum=True), axis=axes_of(dim, x.ndim), keep_dims=keepdim)


class Max(Primitive, op="reduce_max"):
    """Takes the largest of all elements."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(None, x.ndim), keep_dims=False)


class Min(Primitive, op="reduce_min"):
    """Takes the smallest of all elements."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(None, x.ndim), keep_dims=False)


class CumsumExt(Primitive, op="cumsum"):
    """Sums all elements up to each, along an axis."""

    def __call__(self, x: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
        """Apply the op."""
        return self.apply_one(_typed(x, dtype, is_sum=True), axis=axis_of(dim, x.ndim))


# --- extrema and where they stand; the axis stays whole ---


class _Pair(Primitive):
    """Is an op along one axis with two results."""

    def _pair(self, x: Tensor, axis: int, **attrs: bool) -> tuple[Tensor, Tensor]:
        made = self.apply(x, axis=axis_of(axis, x.ndim), **attrs)
        assert isinstance(made, tuple), f"{self.op_name} has two results"
        return made[0], made[1]


def _uncut(strategy: Strategy | None, axis: int) -> Strategy | None:
    """Return a strategy of numbers in which an axis is whole."""
    if not strategy or isinstance(strategy[0], Layout):
        return strategy
    cuts = strategy[0]
    return (cuts[:axis] + (1,) * (axis < len(cuts)) + cuts[axis + 1 :], *strategy[1:])


class MaxDim(_Pair, op="max_with_index"):
    """Takes the largest element along an axis, and where it stands first.

    >>> [t.tolist() for t in MaxDim()(Tensor([[1.0, 3.0, 3.0]]), 1)]
    [[3.0], [1]]
    """

    def __call__(self, x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
        """Return values and places."""
        return self._pair(x, dim, keep_dims=keepdim)


class MinDim(MaxDim, op="min_with_index"):
    """Takes the smallest element along an axis, and where it stands first."""


class ArgMaxWithValue(_Pair, op="max_with_index"):
    """Takes the largest element along an axis, and where it stands first.

    Args:
        axis: which.
        keep_dims: whether it stays, with length one.
    """

    def __init__(self, axis: int = 0, keep_dims: bool = False) -> None:
        super().__init__()
        self.axis, self.keep_dims = axis, keep_dims

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return places and values; a strategy that cuts the axis is taken as one that does not, as results are."""
        given, self.in_strategy = self.in_strategy, _uncut(self.in_strategy, axis_of(self.axis, x.ndim))
        value, place = self._pair(x, self.axis, keep_dims=self.keep_dims)
        self.in_strategy = given
        return place, value


class ArgMinWithValue(ArgMaxWithValue, op="min_with_index"):
    """Takes the smallest element along an axis, and where it stands first; arguments as of ``ArgMaxWithValue``."""


class Cummax(_Pair, op="cummax"):
    """Takes the largest element up to each, along an axis, and where it stands last."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return values and places."""
        return self._pair(x, self.axis)


class Cummin(Cummax, op="cummin"):
    """Takes the smallest element up to each, along an axis, and where it stands last."""


class Argmin(Primitive, op="argmin"):
    """Tells where the smallest element stands along an axis, in the type ``output_type``."""

    def __init__(self, axis: int = -1, output_type: DType = int32) -> None:
        super().__init__()
        self.axis, self.output_type = axis, output_type

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(self.axis, x.ndim), keep_dims=False).astype(self.output_type)


class ArgMaxExt(Primitive, op="argmax"):
    """Tells where the largest element stands along an axis, among all elements if None."""

    def __call__(self, x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Apply the op."""
        flat = x.flatten() if dim is None else x
        return self.apply_one(flat, axis=axis_of(dim or 0, flat.ndim), keep_dims=keepdim and dim is not None)


class ArgMinExt(ArgMaxExt, op="argmin"):
    """Tells where the smallest element stands along an axis, among all elements if None."""


class CumProd(Primitive, op="cumprod"):
    """Multiplies all elements up to each, along an axis.

    Args:
        exclusive: whether each is left out of its own product.
        reverse: whether to begin at the end.
    """

    def __init__(self, exclusive: bool = False, reverse: bool = False) -> None:
        super().__init__(exclusive=exclusive, reverse=reverse)

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(axis, x.ndim))


# --- norms ---


class RmsNorm(Primitive, op="rms_norm"):
    """Divides by the root mean square of the axes that gamma has, and scales by gamma.

    >>> y, rstd = RmsNorm(epsilon=0.0)(Tensor([[3.0, 3.0]]), Tensor([1.0, 2.0]))
    >>> y.tolist()
    [[1.0, 2.0]]
    """

    def __init__(self, epsilon: float = 1e-6) -> None:
        super().__init__(epsilon=epsilon)

    def __call__(self, x: Tensor, gamma: Tensor) -> tuple[Tensor, Tensor]:
        """Return the result, and 1 / sqrt(mean of squares + epsilon) of each row."""
        if self._cuts_rows(gamma.ndim):
            return self._joined(x, gamma)
        made = self.apply(x, gamma)
        assert isinstance(made, tuple), "rms_norm has two results"
        return made[0], made[1]

    def _cuts_rows(self, axes: int) -> bool:
        """Return whether the axes that are normalized are cut."""
        given = (self.in_strategy or ((),))[0]
        cuts = given.cuts if isinstance(given, Layout) else given
        return any(n > 1 for n in cuts[-axes:])

    def _joined(self, x: Tensor, gamma: Tensor) -> tuple[Tensor, Tensor]:
        """Sum the squares of rows whose parts lie on several ranks."""
        strategy = self.in_strategy
        over = tuple(range(x.ndim - gamma.ndim, x.ndim))
        count = prod(gamma.shape)
        rows = strategy[:1] if strategy else None
        squares = call("square", x, strategy=rows)
        assert isinstance(squares, Tensor), "square has one result"
        mean = call("reduce_mean", squares, strategy=rows, axis=over, keep_dims=True, count=count)
        assert isinstance(mean, Tensor), "reduce_mean has one result"
        rstd = one("rsqrt", mean + self._attrs["epsilon"])
        made = call("mul", x * rstd, gamma, strategy=strategy, out_strategy=self.out_strategy)
        assert isinstance(made, Tensor), "mul has one result"
        return made, rstd


class L2Normalize(Primitive, op="l2_normalize"):
    """Divides by the square root of the sum of squares along an axis, and of at least ``epsilon``."""

    def __init__(self, axis: int | Sequence[int] = 0, epsilon: float = 1e-4) -> None:
        super().__init__(epsilon=epsilon)
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(self.axis, x.ndim))


class LpNorm(Primitive, op="lp_norm"):
    """Is the p-norm along axes, at least ``epsilon``.

    Raises:
        RuleError: p is below 1.
    """

    def __init__(self, axis: int | Sequence[int], p: int = 2, keep_dims: bool = False, epsilon: float = 1e-12) -> None:
        if p < 1:
            raise RuleError(f"LpNorm with p = {p}: give a whole number of at least 1.")
        super().__init__(p=p, keep_dims=keep_dims, epsilon=epsilon)
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(self.axis, x.ndim))


class ReduceStd(Primitive, op="reduce_std"):
    """Is the standard deviation and the mean along axes, all for ``()``."""

    def __init__(self, axis: int | Sequence[int] = (), unbiased: bool = True, keep_dims: bool = False) -> None:
        super().__init__(unbiased=unbiased, keep_dims=keep_dims, results=2)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the standard deviation and the mean."""
        made = self.apply(x, axis=axes_of(self.axis, x.ndim))
        assert isinstance(made, tuple), "reduce_std has two results"
        return made[0], made[1]


class SquareSumAll(Primitive, op="square_sum_all"):
    """Is the sum of squares of each of two tensors of one shape."""

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two sums."""
        made = self.apply(x, y)
        assert isinstance(made, tuple), "square_sum_all has two results"
        return made[0], made[1]


class L2Loss(Primitive, op="l2_loss"):
    """Is half the sum of squares."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)
