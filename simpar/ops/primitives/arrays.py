"""The ops as objects, under MindSpore's class names: reductions and shapes."""

from collections.abc import Sequence
from math import prod

from simpar.dtype import DType, int32
from simpar.ops.primitive import Primitive
from simpar.ops.primitives.slices import Splitting
from simpar.tensor import Tensor, axes_of, axis_of, lengths_of

__all__ = [
    "Argmax",
    "BroadcastTo",
    "Concat",
    "CumSum",
    "DynamicBroadcastTo",
    "ExpandDims",
    "Flatten",
    "Pad",
    "ReduceAll",
    "ReduceAny",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "Reshape",
    "Split",
    "Squeeze",
    "Stack",
    "Tile",
    "Transpose",
]

Axes = int | Sequence[int] | None


# --- reductions ---


class _Reduction(Primitive):
    """Is a reduction over some axes, over all for ``()``.

    Args:
        keep_dims: whether reduced axes stay, with length one.
    """

    def __init__(self, keep_dims: bool = False) -> None:
        super().__init__(keep_dims=keep_dims)

    def __call__(self, x: Tensor, axis: Axes = ()) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axes_of(axis, x.ndim))


class ReduceSum(_Reduction, op="reduce_sum"):
    """Sums over axes."""


class ReduceMean(_Reduction, op="reduce_mean"):
    """Takes the mean over axes."""

    def __call__(self, x: Tensor, axis: Axes = ()) -> Tensor:
        """Apply the op."""
        over = axes_of(axis, x.ndim)
        return self.apply_one(x, axis=over, count=prod(x.shape[a] for a in over))


class ReduceMax(_Reduction, op="reduce_max"):
    """Takes the largest element along axes."""


class ReduceMin(_Reduction, op="reduce_min"):
    """Takes the smallest element along axes."""


class ReduceProd(_Reduction, op="reduce_prod"):
    """Multiplies over axes."""


class ReduceAny(_Reduction, op="reduce_any"):
    """Tells whether any element along axes is true."""


class ReduceAll(_Reduction, op="reduce_all"):
    """Tells whether all elements along axes are true."""


class Argmax(Primitive, op="argmax"):
    """Tells where the largest element stands along an axis, in the type ``output_type``."""

    def __init__(self, axis: int = -1, output_type: DType = int32) -> None:
        super().__init__()
        self.axis, self.output_type = axis, output_type

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(self.axis, x.ndim), keep_dims=False).astype(self.output_type)


class CumSum(Primitive, op="cumsum"):
    """Sums all elements up to each, along an axis.

    Args:
        exclusive: whether each is left out of its own sum.
        reverse: whether to begin at the end.
    """

    def __init__(self, exclusive: bool = False, reverse: bool = False) -> None:
        super().__init__(exclusive=exclusive, reverse=reverse)

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(axis, x.ndim))


# --- shape ---


class Reshape(Primitive, op="reshape"):
    """Gives the elements another shape; one length may be -1."""

    def __call__(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, shape=lengths_of(shape, x.size))


class Flatten(Primitive, op="reshape"):
    """Merges all axes but the first."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, shape=lengths_of((x.shape[0], -1), x.size))


class Transpose(Primitive, op="transpose"):
    """Puts axes in another order."""

    def __call__(self, x: Tensor, input_perm: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, perm=tuple(axis_of(a, x.ndim) for a in input_perm))


class ExpandDims(Primitive, op="expand_dims"):
    """Inserts an axis of length one."""

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, axis=axis_of(axis, x.ndim + 1))


class Squeeze(Primitive, op="squeeze"):
    """Takes axes of length one away, all of them for ``()``."""

    def __init__(self, axis: int | tuple[int, ...] = ()) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        ones = tuple(i for i, n in enumerate(x.shape) if n == 1)
        return self.apply_one(x, axis=ones if self.axis == () else axes_of(self.axis, x.ndim))


class BroadcastTo(Primitive, op="broadcast_to"):
    """Repeats a tensor to a shape; -1 keeps an axis."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        lead = len(self.shape) - x.ndim
        return self.apply_one(x, shape=tuple(x.shape[i - lead] if n == -1 else n for i, n in enumerate(self.shape)))


class DynamicBroadcastTo(Primitive, op="broadcast_to"):
    """Repeats a tensor to a shape that is itself a tensor, whose numbers are known while a program is traced."""

    def __call__(self, input_x: Tensor, shape: Tensor | Sequence[int]) -> Tensor:
        """Apply the op; -1 keeps an axis."""
        wanted = [int(n) for n in (shape.tolist() if isinstance(shape, Tensor) else shape)]
        lead = len(wanted) - input_x.ndim
        return self.apply_one(
            input_x, shape=tuple(input_x.shape[i - lead] if n == -1 else n for i, n in enumerate(wanted))
        )


class Tile(Primitive, op="tile"):
    """Repeats a tensor so many times along each axis."""

    def __call__(self, x: Tensor, multiples: Sequence[int]) -> Tensor:
        """Apply the op."""
        return self.apply_one(x, multiples=(*(1,) * (x.ndim - len(multiples)), *multiples))


class Concat(Primitive, op="concat"):
    """Joins tensors along an axis."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*tensors, axis=axis_of(self.axis, tensors[0].ndim))


class Stack(Primitive, op="stack"):
    """Joins tensors along a new axis."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, tensors: Sequence[Tensor]) -> Tensor:
        """Apply the op."""
        return self.apply_one(*tensors, axis=axis_of(self.axis, tensors[0].ndim + 1))


class Split(Splitting, op="split"):
    """Cuts a tensor into equal parts along an axis."""

    def __init__(self, axis: int = 0, output_num: int = 1) -> None:
        super().__init__()
        self.axis, self.output_num = axis, output_num

    def __call__(self, x: Tensor) -> tuple[Tensor, ...]:
        """Apply the op."""
        return self.pieces(x, self.axis, self.output_num)


class Pad(Primitive, op="pad"):
    """Puts zeros around a tensor."""

    def __init__(self, paddings: tuple[tuple[int, int], ...]) -> None:
        super().__init__(paddings=paddings)

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(x)
