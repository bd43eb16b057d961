"""``Print``: shows values while a program runs. The only op that is kept although nobody takes its result."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.dtype import DType, bool_
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.primitive import Primitive
from simpar.tensor import Tensor

__all__ = ["Print", "print_"]

Shape = tuple[int, ...]


def _rule(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Rule:
    """Return a rule of whole operands, each axis a factor of its own, and of a result without axes."""
    del attrs
    factors = [[f"f{i}_{axis}" for axis in range(len(shape))] for i, shape in enumerate(shapes)]
    text = ", ".join(" ".join(names) for names in factors)
    return parse_rule(f"{text} ->", shapes, whole=[f for names in factors for f in names], combine="max")


def _flag(dtypes: Sequence[DType], attrs: Mapping[str, Any]) -> DType:
    del dtypes, attrs
    return bool_


def _show(*arrays: NDArray[Any], words: Sequence[str | None], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Print words and, where they are None, the next value; each begins a line."""
    left = iter(arrays)
    print("\n".join(repr(Tensor.wrap(next(left).copy())) if w is None else w for w in words), flush=True)
    out = np.zeros((), np.bool_) if out is None else out
    out[...] = False
    return out


op(
    "print",
    rule=_rule,
    kernel=_show,
    dtype=_flag,
    effect=True,
    examples=(
        Example(((2, 4),), {"words": ("x is", None)}, grad=False),
        Example(((2,), (4, 2)), {"words": (None, "and", None)}, grad=False),
    ),
)


class Print(Primitive, op="print"):
    """Shows text and Tensors each time that the program runs, on every rank of the stage, whole as on one device.

    A Tensor that is cut is gathered for it.

    >>> Print()("the sum is", Tensor([1.0, 2.0]).sum())
    the sum is
    Tensor(shape=[], dtype=Float32, value=array(3., dtype=float32))
    """

    def __call__(self, *args: object) -> None:
        """Show Tensors as values, and anything else as text."""
        shown = [a for a in args if isinstance(a, Tensor)]
        words = tuple(None if isinstance(a, Tensor) else str(a) for a in args)
        if shown:
            self.apply(*shown, words=words)
        else:
            print("\n".join(map(str, args)), flush=True)


def print_(*args: object) -> None:
    """Show text and Tensors each time that the program runs; see ``Print``."""
    Print()(*args)
