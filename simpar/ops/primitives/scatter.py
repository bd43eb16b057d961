"""The ops as objects, under MindSpore's class names: putting elements into a tensor or a Parameter by number."""

import numpy as np

from simpar.errors import RuleError
from simpar.layout import Layout
from simpar.ops.assignment import assign
from simpar.ops.functions.index import masked_fill
from simpar.ops.primitive import Primitive
from simpar.parameter import Parameter, parameter_behind
from simpar.tensor import Tensor, as_tensor, axis_of

__all__ = [
    "InplaceAdd",
    "InplaceSub",
    "InplaceUpdate",
    "MaskedFill",
    "ScatterAdd",
    "ScatterDiv",
    "ScatterMax",
    "ScatterMin",
    "ScatterMul",
    "ScatterNd",
    "ScatterNdAdd",
    "ScatterNdDiv",
    "ScatterNdMax",
    "ScatterNdMin",
    "ScatterNdMul",
    "ScatterNdSub",
    "ScatterNdUpdate",
    "ScatterSub",
    "ScatterUpdate",
    "TensorScatterAdd",
    "TensorScatterDiv",
    "TensorScatterElements",
    "TensorScatterMax",
    "TensorScatterMin",
    "TensorScatterMul",
    "TensorScatterSub",
    "TensorScatterUpdate",
]


class ScatterNd(Primitive, op="scatter_nd"):
    """Adds updates into zeros, at the places that the last axis of the indices numbers."""

    def __call__(self, indices: Tensor, updates: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Return the tensor of this shape."""
        return self.apply_one(indices, updates, shape=tuple(shape))


class _TensorScatter(Primitive):
    """Joins elements of a tensor with updates, at the places that the last axis of the indices numbers."""

    how = "update"

    def __init__(self) -> None:
        super().__init__(how=self.how)

    def __call__(self, input_x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        """Return the new tensor."""
        return self.apply_one(input_x, indices, updates)


class _WriteNd(Primitive):
    """Joins elements of a Parameter with updates, at the places that the last axis of the indices numbers.

    Args:
        use_locking: without meaning here.
    """

    how = "update"

    def __init__(self, use_locking: bool = False) -> None:
        del use_locking
        super().__init__(how=self.how)

    def __call__(self, input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
        """Write, and return what the Parameter holds."""
        return assign(input_x, self.apply_one(input_x, indices, updates))


class _WriteRows(Primitive):
    """Joins rows of a Parameter with updates, one for each index.

    Args:
        use_locking: without meaning here.
    """

    how = "update"

    def __init__(self, use_locking: bool = False) -> None:
        del use_locking
        super().__init__(how=self.how, rows=True)

    def __call__(self, input_x: Parameter, indices: Tensor, updates: Tensor) -> Tensor:
        """Write, and return what the Parameter holds."""
        return assign(input_x, self.apply_one(input_x, indices, updates))


class _InplaceRows(Primitive):
    """Joins the rows of a tensor that are numbered once and for all with updates.

    Args:
        indices: the numbers of the rows.
    """

    how = "update"

    def __init__(self, indices: int | tuple[int, ...]) -> None:
        super().__init__(how=self.how, rows=True)
        self.indices = (indices,) if isinstance(indices, int) else tuple(indices)

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "_InplaceRows":
        """Say how tensor and updates are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        given = self.in_strategy
        if given and len(given) == 2:
            first = given[0]
            whole = Layout(first.dev_mat, (-1,), first.rank_list) if isinstance(first, Layout) else (1,)
            self.in_strategy = (given[0], whole, given[1])
        return self

    def __call__(self, x: Tensor, input_v: Tensor) -> Tensor:
        """Return the new tensor; a Parameter holds it from here on."""
        made = self.apply_one(x, Tensor(np.array(self.indices, np.int32)), input_v)
        held = parameter_behind(x)
        return made if held is None else assign(held, made)


class TensorScatterUpdate(_TensorScatter, op="tensor_scatter"):
    """Replaces elements of a tensor by updates."""


class TensorScatterAdd(_TensorScatter, op="tensor_scatter"):
    """Adds updates to elements of a tensor."""

    how = "add"


class TensorScatterSub(_TensorScatter, op="tensor_scatter"):
    """Subtracts updates from elements of a tensor."""

    how = "sub"


class TensorScatterMul(_TensorScatter, op="tensor_scatter"):
    """Multiplies elements of a tensor by updates."""

    how = "mul"


class TensorScatterDiv(_TensorScatter, op="tensor_scatter"):
    """Divides elements of a tensor by updates."""

    how = "div"


class TensorScatterMax(_TensorScatter, op="tensor_scatter"):
    """Takes the larger of elements of a tensor and updates."""

    how = "max"


class TensorScatterMin(_TensorScatter, op="tensor_scatter"):
    """Takes the smaller of elements of a tensor and updates."""

    how = "min"


class ScatterNdUpdate(_WriteNd, op="tensor_scatter"):
    """Replaces elements of a Parameter by updates."""


class ScatterNdAdd(_WriteNd, op="tensor_scatter"):
    """Adds updates to elements of a Parameter."""

    how = "add"


class ScatterNdSub(_WriteNd, op="tensor_scatter"):
    """Subtracts updates from elements of a Parameter."""

    how = "sub"


class ScatterNdMul(_WriteNd, op="tensor_scatter"):
    """Multiplies elements of a Parameter by updates."""

    how = "mul"


class ScatterNdDiv(_WriteNd, op="tensor_scatter"):
    """Divides elements of a Parameter by updates."""

    how = "div"


class ScatterNdMax(_WriteNd, op="tensor_scatter"):
    """Takes the larger of elements of a Parameter and updates."""

    how = "max"


class ScatterNdMin(_WriteNd, op="tensor_scatter"):
    """Takes the smaller of elements of a Parameter and updates."""

    how = "min"


class ScatterUpdate(_WriteRows, op="tensor_scatter"):
    """Replaces rows of a Parameter by updates."""


class ScatterAdd(_WriteRows, op="tensor_scatter"):
    """Adds updates to rows of a Parameter."""

    how = "add"


class ScatterSub(_WriteRows, op="tensor_scatter"):
    """Subtracts updates from rows of a Parameter."""

    how = "sub"


class ScatterMul(_WriteRows, op="tensor_scatter"):
    """Multiplies rows of a Parameter by updates."""

    how = "mul"


class ScatterDiv(_WriteRows, op="tensor_scatter"):
    """Divides rows of a Parameter by updates."""

    how = "div"


class ScatterMax(_WriteRows, op="tensor_scatter"):
    """Takes the larger of rows of a Parameter and updates."""

    how = "max"


class ScatterMin(_WriteRows, op="tensor_scatter"):
    """Takes the smaller of rows of a Parameter and updates."""

    how = "min"


class InplaceUpdate(_InplaceRows, op="tensor_scatter"):
    """Replaces rows of a tensor by updates."""


class InplaceAdd(_InplaceRows, op="tensor_scatter"):
    """Adds updates to rows of a tensor."""

    how = "add"


class InplaceSub(_InplaceRows, op="tensor_scatter"):
    """Subtracts updates from rows of a tensor."""

    how = "sub"


class TensorScatterElements(Primitive, op="scatter_elements"):
    """Puts updates along one axis of a tensor, by indices of as many axes.

    Args:
        axis: the axis that is numbered.
        reduction: ``"none"`` replaces, ``"add"`` adds.
    """

    def __init__(self, axis: int = 0, reduction: str = "none") -> None:
        if reduction not in ("none", "add"):
            raise RuleError(f"reduction is {reduction!r}; choose 'none' or 'add'.")
        super().__init__(how="add" if reduction == "add" else "update")
        self.axis = axis

    def __call__(self, data: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        """Return the new tensor."""
        return self.apply_one(data, indices, updates, axis=axis_of(self.axis, data.ndim))


class MaskedFill(Primitive, op="select"):
    """Puts one number where a mask is true."""

    def shard(self, in_strategy: object = None, out_strategy: object = None) -> "MaskedFill":
        """Say how tensor, mask and value are cut; see ``Primitive.shard``."""
        super().shard(in_strategy, out_strategy)
        given = self.in_strategy
        if given and len(given) in (2, 3):
            first = given[0]
            number = Layout(first.dev_mat, (), first.rank_list) if isinstance(first, Layout) else ()
            self.in_strategy = (given[1], given[2] if len(given) == 3 else number, given[0])
        return self

    def __call__(self, input_x: Tensor, mask: Tensor, value: Tensor | float) -> Tensor:
        """Return the filled tensor."""
        if self.in_strategy is None:
            return masked_fill(input_x, mask, value)
        return self.apply_one(mask, as_tensor(value, input_x).astype(input_x.dtype), input_x)
