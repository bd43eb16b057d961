"""``GetNext``: rows that a dataset leaves in a queue, as inputs of the program that nobody passes."""

from collections.abc import Sequence

from simpar.context import current
from simpar.dtype import DType, as_dtype
from simpar.errors import RuleError, TraceError
from simpar.graph import NEXT, Trace
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["GetNext"]


class GetNext(Primitive):
    """Takes the next row of a queue. A program with it can be planned; to run, it needs rows as arguments instead.

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
            TraceError: outside of a compiled function, where there is no queue.
        """
        trace: Trace | None = current().trace
        if trace is None:
            raise TraceError("GetNext has a queue only inside of a compiled function. Give the rows as arguments.")
        made = (
            trace.argument(shape, as_dtype(kind), f"{NEXT}{i} of {self.shared_name or 'queue'}")
            for i, (shape, kind) in enumerate(zip(self.shapes, self.types, strict=True))
        )
        return tuple(Tensor.wrap(value) for value in made)
