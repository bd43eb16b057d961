"""``GetNext``: rows that a dataset leaves in a queue, as inputs of the program that nobody passes.

A dataset fills a queue with ``device_que().send()``; each step of a compiled program takes the next row.
"""

from collections.abc import Sequence

from simpar.context import current, next_row
from simpar.dtype import DType, as_dtype
from simpar.errors import RuleError
from simpar.graph import NEXT, Trace
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["GetNext"]


class GetNext(Primitive):
    """Takes the next row of a queue, each rank its part as the dataset strategy tells.

    Args:
        types: the element type of each column.
        shapes: the shape of each column, of the whole batch.
        output_num: how many columns there are.
        shared_name: the name of the queue.

    Raises:
        RuleError: these numbers do not agree.
    """

    def __init__(
        self, types: Sequence[DType], shapes: Sequence[Sequence[int]], output_num: int, shared_name: str
    ) -> None:
        super().__init__()
        if not len(types) == len(shapes) == output_num:
            raise RuleError(
                f"GetNext with {len(types)} types and {len(shapes)} shapes for {output_num} columns: give one of each "
                f"for every column."
            )
        self.types, self.shapes, self.shared_name = tuple(types), tuple(map(tuple, shapes)), shared_name

    def __call__(self) -> tuple[Tensor, ...]:
        """Return a Tensor for each column, which arrives as ``dataset_strategy`` tells.

        Raises:
            DatasetError: outside of a compiled function, and when one runs: nothing is in the queue.
        """
        trace: Trace | None = current().trace
        if trace is None:
            return tuple(next_row(self.shared_name))
        made = (
            trace.argument(shape, as_dtype(kind), f"{NEXT}{i} of {self.shared_name}")
            for i, (shape, kind) in enumerate(zip(self.shapes, self.types, strict=True))
        )
        return tuple(Tensor.wrap(value) for value in made)
