"""Values that only other ranks hold: those of another stage of a pipeline."""

from typing import Any

from numpy.typing import NDArray

from simpar.dtype import DType
from simpar.errors import WorldError
from simpar.layout import Layout
from simpar.tensor.tensor import Tensor

__all__ = ["Elsewhere", "on_other_ranks"]


class Elsewhere(Tensor):
    """Stands for a value of another stage: it has a shape and a layout, but no values.

    Args:
        shape: of the whole value.
        dtype: its element type.
        layout: which ranks hold what.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DType, layout: Layout) -> None:
        super().__init__(0)
        self._array, self._shape, self._dtype = None, layout.slice_shape(shape), dtype
        self.layout, self.full_shape_of_slice = layout, shape

    def _data(self, what: str) -> NDArray[Any]:
        assert self.layout is not None, "it is made with a layout"
        raise on_other_ranks(f"{what} needs a value that", self.layout)


def on_other_ranks(what: str, layout: Layout) -> WorldError:
    """Return the error for a value that this rank does not hold.

    Args:
        what: the subject of the sentence, e.g. ``"Parameter 'w'"``.
        layout: which ranks hold it.
    """
    return WorldError(
        f"{what} lives on another stage of the pipeline, on ranks {', '.join(map(str, layout.ranks))}. Gather it on "
        "every rank with simpar.parallel.full_tensor(...)."
    )
