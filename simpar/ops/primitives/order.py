"""The ops as objects, under MindSpore's class names: elements in another order or more often, or of unknown number."""

from typing import Any

from simpar.ops.functions.index import distinct, masked_select, nonzero
from simpar.ops.functions.order import counts_of, roll, topk
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor, axes_of, axis_of

__all__ = [
    "ArgSort",
    "MaskedSelect",
    "NonZero",
    "RepeatInterleaveInt",
    "RepeatInterleaveTensor",
    "ReverseV2",
    "Roll",
    "Sort",
    "SortExt",
    "TopK",
    "TopkExt",
    "Unique",
]


# --- order ---


class TopK(Primitive, op="top_k"):
    """Takes the largest elements along the last axis, which stays whole.

    Args:
        sorted: the largest first; they always are here.
    """

    def __init__(self, sorted: bool = True) -> None:
        del sorted
        super().__init__()

    def __call__(self, input_x: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Return the elements and where they stand."""
        made = self.apply(input_x, axis=input_x.ndim - 1, k=int(k), largest=True)
        assert isinstance(made, tuple), "top_k has two results"
        return made[0], made[1]


class TopkExt(Primitive, op="top_k"):
    """Takes the largest or smallest elements along an axis, which stays whole."""

    def __call__(
        self, input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Return the elements, in order, and where they stand."""
        if self.in_strategy is None:
            return topk(input, k, dim, largest, sorted)
        made = self.apply(input, axis=axis_of(dim, input.ndim), k=int(k), largest=largest, ids="int64")
        assert isinstance(made, tuple), "top_k has two results"
        return made[0], made[1]


class Sort(Primitive, op="sort"):
    """Puts the elements along an axis, which stays whole, in order."""

    def __init__(self, axis: int = -1, descending: bool = False) -> None:
        super().__init__(descending=descending)
        self.axis = axis

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the elements, and where they stood."""
        made = self.apply(x, axis=axis_of(self.axis, x.ndim))
        assert isinstance(made, tuple), "sort has two results"
        return made[0], made[1]


class SortExt(Primitive, op="sort"):
    """Puts the elements along an axis, which stays whole, in order; equal ones keep theirs."""

    def __call__(
        self, input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the elements, and where they stood."""
        made = self.apply(input, axis=axis_of(dim, input.ndim), descending=descending, ids="int64")
        assert isinstance(made, tuple), "sort has two results"
        return made[0], made[1]


class ArgSort(Primitive, op="sort"):
    """Tells where the elements along an axis, which stays whole, stood before they are put in order."""

    def __call__(self, input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
        """Return the places."""
        made = self.apply(input, axis=axis_of(dim, input.ndim), descending=descending, ids="int64")
        return made[1]


class ReverseV2(Primitive, op="reverse"):
    """Turns the order of elements round, along axes that stay whole."""

    def __init__(self, axis: int | tuple[int, ...]) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, input: Tensor) -> Tensor:
        """Apply the op."""
        return self.apply_one(input, axis=axes_of(self.axis, input.ndim))


class Roll(Primitive, op="roll"):
    """Moves elements along axes, round the end."""

    def __init__(self, shifts: int | tuple[int, ...], dims: int | tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.shifts, self.dims = shifts, dims

    def __call__(self, input: Tensor) -> Tensor:
        """Apply the op."""
        if self.dims is None:
            return roll(input, self.shifts)
        shifts = (self.shifts,) if isinstance(self.shifts, int) else tuple(self.shifts)
        return self.apply_one(input, axis=axes_of(self.dims, input.ndim), shifts=shifts)


class RepeatInterleaveInt(Primitive, op="repeat"):
    """Repeats each element along an axis, or of the flat tensor."""

    def __call__(self, input: Tensor, repeats: int, dim: int | None = None, output_size: int | None = None) -> Tensor:
        """Apply the op."""
        del output_size
        given = input.flatten() if dim is None else input
        return self.apply_one(given, axis=axis_of(dim or 0, given.ndim), repeats=int(repeats))


class RepeatInterleaveTensor(Primitive, op="repeat"):
    """Repeats each element along an axis, which stays whole, its own number of times."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "RepeatInterleaveTensor":
        """Say how the input is cut; what it says of the numbers of repeats changes nothing: they are no operand."""
        super().shard(in_strategy, out_strategy)
        if self.in_strategy and len(self.in_strategy) == 2:
            self.in_strategy = self.in_strategy[:1]
        return self

    def __call__(self, input: Tensor, repeats: Any, dim: int | None = None, output_size: int | None = None) -> Tensor:
        """Apply the op; ``repeats`` must be known when the program is made."""
        del output_size
        given = input.flatten() if dim is None else input
        counts = counts_of(repeats)
        each = counts[0] if len(counts) == 1 else tuple(counts)
        return self.apply_one(given, axis=axis_of(dim or 0, given.ndim), repeats=each)


# --- results whose size depends on values ---


class Unique(Primitive, op="distinct"):
    """Lists the different elements of a tensor of one axis, and the number of that of each element."""

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Apply the op."""
        return distinct(x, self.in_strategy)


class MaskedSelect(Primitive, op="places"):
    """Lists the elements where a mask is true."""

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Apply the op."""
        return masked_select(x, mask)


class NonZero(Primitive, op="places"):
    """Lists where the elements are that are not zero."""

    def __call__(self, input: Tensor) -> Tensor:
        """Apply the op."""
        return nonzero(input)
