"""The ops as functions, under MindSpore's lower-case names: joining, moving axes, diagonals, differences."""

from collections.abc import Sequence
from math import prod

from simpar.errors import LayoutError, RuleError
from simpar.ops.batch_norm import BatchNorm
from simpar.ops.functions.arrays import concat, stack
from simpar.ops.functions.creation import eye
from simpar.ops.functions.matrix import outer
from simpar.ops.support import one
from simpar.tensor import Tensor, axis_of

__all__ = [
    "batch_norm",
    "cat",
    "cross",
    "diag",
    "diagonal",
    "diff",
    "dstack",
    "ger",
    "hstack",
    "inner",
    "is_tensor",
    "meshgrid",
    "moveaxis",
    "movedim",
    "ravel",
    "swapdims",
    "t",
    "vstack",
]

Axes = int | Sequence[int]

cat = concat
ger = outer


def is_tensor(obj: object) -> bool:
    """Return whether something is a Tensor."""
    return isinstance(obj, Tensor)


def batch_norm(
    input_x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor,
    bias: Tensor,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize channels by the batch's statistics in training, which the running ones follow; else by these."""
    return BatchNorm(training, eps, momentum)(input_x, weight, bias, running_mean, running_var)[0]


# --- joining ---


def _with_axes(tensors: Sequence[Tensor], count: int) -> list[Tensor]:
    """Return tensors with axes of length 1 in front, so that each has ``count``."""
    return [x if x.ndim >= count else x.reshape(*(1,) * (count - x.ndim), *x.shape) for x in tensors]


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors side by side: joined along axis 1, vectors along their only axis."""
    wide = _with_axes(tensors, 1)
    return concat(wide, 0 if wide[0].ndim == 1 else 1)


def vstack(inputs: Sequence[Tensor]) -> Tensor:
    """Return tensors on top of each other: joined along axis 0, vectors as rows."""
    return concat(_with_axes(inputs, 2), 0)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors behind each other: joined along axis 2, which matrices get."""
    flat = _with_axes(tensors, 2)
    return concat([x if x.ndim > 2 else x.expand_dims(2) for x in flat], 2)


def meshgrid(*inputs: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return for each vector a tensor with an axis for every vector, along which it changes.

    Args:
        inputs: vectors.
        indexing: ``"ij"``: the axes come in the vectors' order; ``"xy"``: the first two change places.

    Raises:
        RuleError: another word.

    >>> [x.tolist() for x in meshgrid(Tensor([1, 2]), Tensor([3, 4, 5]), indexing="ij")]
    [[[1, 1, 1], [2, 2, 2]], [[3, 4, 5], [3, 4, 5]]]
    """
    if indexing not in ("xy", "ij"):
        raise RuleError(f"indexing of meshgrid is {indexing!r}; choose 'xy' or 'ij'.")
    places = list(range(len(inputs)))
    if indexing == "xy":
        places[:2] = places[:2][::-1]
    shape = [0] * len(inputs)
    for vector, place in zip(inputs, places, strict=True):
        shape[place] = vector.size
    rows = ([-1 if a == place else 1 for a in range(len(inputs))] for place in places)
    return tuple(x.reshape(*row).broadcast_to(tuple(shape)) for x, row in zip(inputs, rows, strict=True))


# --- axes ---


def ravel(input: Tensor) -> Tensor:
    """Return all elements along one axis."""
    return input.reshape(prod(input.shape))


def t(input: Tensor) -> Tensor:
    """Return a matrix transposed, and a vector or number as it is.

    Raises:
        LayoutError: there are more than two axes.
    """
    if input.ndim > 2:
        raise LayoutError(f"t takes a matrix, not shape {input.shape}. Use permute or swapaxes.")
    return input.T if input.ndim == 2 else input


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return the tensor with two axes in each other's place."""
    return input.swapaxes(dim0, dim1)


def movedim(x: Tensor, source: Axes, destination: Axes) -> Tensor:
    """Return the tensor with some axes at other places, the others in their order.

    Raises:
        LayoutError: sources and destinations differ in number, or one stands twice.

    >>> movedim(Tensor([[[1, 2, 3]]]), 2, 0).shape
    (3, 1, 1)
    """
    given = [(axes,) if isinstance(axes, int) else tuple(axes) for axes in (source, destination)]
    from_axes, to_axes = ([axis_of(a, x.ndim) for a in axes] for axes in given)
    if len(set(from_axes)) != len(given[1]) or len(set(to_axes)) != len(given[0]):
        raise LayoutError(f"movedim takes as many sources as destinations, each once, not {source} and {destination}.")
    order = [a for a in range(x.ndim) if a not in from_axes]
    for place, axis in sorted(zip(to_axes, from_axes, strict=True)):
        order.insert(place, axis)
    return x.transpose(*order)


moveaxis = movedim


# --- diagonals, differences, products ---


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return a square matrix with a vector on its diagonal, or the diagonal of a matrix.

    >>> diag(Tensor([1.0, 2.0])).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    if input.ndim != 1:
        return _diagonal(input, diagonal)
    rows, far = input.reshape(-1, 1) * eye(input.shape[0], dtype=input.dtype), abs(diagonal)
    above, beside = max(-diagonal, 0), max(diagonal, 0)
    return one("pad", rows, paddings=((above, far - above), (beside, far - beside))) if far else rows


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonals of the matrices along two axes, along a new last axis.

    >>> diagonal(Tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 4.0]
    """
    return _diagonal(movedim(input, (dim1, dim2), (-2, -1)), offset)


def _diagonal(x: Tensor, offset: int) -> Tensor:
    part = x[..., max(-offset, 0) :, max(offset, 0) :]
    size = min(part.shape[-2:])
    return (part[..., :size, :size] * eye(size, dtype=x.dtype)).sum(-1)


def diff(x: Tensor, n: int = 1, axis: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Return the differences of neighbours along an axis, ``n`` times over.

    Args:
        x: the tensor.
        n: how often.
        axis: along which neighbours lie.
        prepend, append: what is joined before and behind first.
    """
    x = concat([p for p in (prepend, x, append) if p is not None], axis)
    place = axis_of(axis, x.ndim)
    before = (slice(None),) * place
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the sums of products along the last axes of both."""
    if not input.ndim or not other.ndim:
        return input * other
    columns = other.reshape(-1, other.shape[-1]).T
    return (input.reshape(-1, input.shape[-1]) @ columns).reshape(*input.shape[:-1], *other.shape[:-1])


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the cross products of vectors of three along an axis; of the first of that length if None.

    Raises:
        LayoutError: no axis has the length 3.
    """
    axis = next((a for a, n in enumerate(input.shape) if n == 3), -1) if dim is None else axis_of(dim, input.ndim)
    if not input.ndim or input.shape[axis] != 3:
        raise LayoutError(f"cross needs an axis of length 3 (dim={dim}), but the shape is {input.shape}.")
    before = (slice(None),) * axis
    x, y = ([v[(*before, k)] for k in range(3)] for v in (input, other))
    made = [x[i] * y[j] - x[j] * y[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return stack(made, axis)
