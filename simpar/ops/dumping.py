"""On the way: ``TensorDump``, ``DumpGradient`` save a value or its gradient; ``InsertGradientOf`` changes that."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.dtype import DType, as_dtype, bool_
from simpar.errors import RuleError
from simpar.graph import Example, op
from simpar.layout import Rule, parse_rule
from simpar.ops.primitive import Primitive
from simpar.ops.support import letters, one, write
from simpar.tensor import Tensor

__all__ = ["DumpGradient", "InsertGradientOf", "TensorDump", "tensordump"]

Array = NDArray[Any]


def _rule(shapes: Sequence[tuple[int, ...]], attrs: Mapping[str, Any]) -> Rule:
    """Return ``"a0 a1 ->"``: a flag without axes, so that the value stays cut as it is."""
    return parse_rule(f"{' '.join(letters(len(shapes[0])))} ->", shapes, combine="max")


def _flag(dtypes: Sequence[DType], attrs: Mapping[str, Any]) -> DType:
    del dtypes, attrs
    return bool_


def _save(x: Array, *, file: str, side: str = "out", out: Array | None = None) -> Array:
    """Write ``file_type_number.npy``, or ``file_in_type_number.npy``; with several ranks in a folder for each."""
    context, path = current(), Path(file.removesuffix(".npy")) if file else None
    if path is not None:
        folder = path.parent if context.device_num == 1 else path.parent / f"rank_{context.rank}"
        folder.mkdir(parents=True, exist_ok=True)
        number = context.count(f"dump {file} {side}")
        np.save(folder / f"{path.name}{'_in' if side == 'in' else ''}_{as_dtype(x.dtype).name}_{number}.npy", x)
    return write(np.zeros((), np.bool_), out)


def _same(x: Array, *, file: str, out: Array | None = None) -> Array:
    del file
    return write(x, out)


def _same_bprop(g: Tensor, x: Tensor, *, file: str) -> Tensor:
    one("dump", g, file=file)
    return g


op(
    "dump",
    rule=_rule,
    kernel=_save,
    dtype=_flag,
    effect=True,
    examples=(Example(((2, 4),), {"file": ""}, grad=False), Example(((4,),), {"file": ""}, grad=False)),
)
op(
    "dump_gradient",
    rule="... -> ...",
    kernel=_same,
    bprop=_same_bprop,
    linear="each",
    view=True,
    examples=(Example(((2, 4),), {"file": ""}), Example(((4,),), {"file": ""})),
)


def _through(g: Tensor, x: Tensor, *, number: int) -> Tensor:
    """Return what the function makes of the gradient, of the gradient's own shape and type."""
    made = _functions()[number](g)
    if not isinstance(made, Tensor) or made.shape != g.shape:
        what = f"a Tensor of shape {made.shape}" if isinstance(made, Tensor) else repr(made)
        raise RuleError(
            f"the function of InsertGradientOf was given a gradient of shape {g.shape} and returned {what}. Return a "
            "Tensor of that shape."
        )
    return made


def _itself(x: Array, *, number: int, out: Array | None = None) -> Array:
    del number
    return write(x, out)


def _functions() -> list[Callable[[Tensor], object]]:
    """Return the functions of gradients of this program, which nodes name by their place; the first does nothing."""
    functions: list[Callable[[Tensor], object]] = current().others.setdefault("functions of gradients", [])
    if not functions:
        functions.append(Tensor.value)
    return functions


op(
    "insert_gradient",
    rule="... -> ...",
    kernel=_itself,
    bprop=_through,
    view=True,
    examples=(Example(((2, 4),), {"number": 0}), Example(((4,),), {"number": 0})),
)


class InsertGradientOf(Primitive, op="insert_gradient"):
    """Is the Tensor itself, whose gradient a function changes on its way back.

    Args:
        f: takes the gradient and returns what goes on in its place.
    """

    def __init__(self, f: Callable[[Tensor], object]) -> None:
        super().__init__()
        self._function = f

    def __call__(self, x: Tensor) -> Tensor:
        """Return the Tensor."""
        functions = _functions()
        functions.append(self._function)
        return self.apply_one(x, number=len(functions) - 1)


class TensorDump(Primitive, op="dump"):
    """Saves what a rank holds of a Tensor as ``<file>_<type>_<number>.npy``, in ``rank_<r>/`` if there are several.

    Args:
        input_output: ``"out"``: as the op before leaves it. ``"in"``: as the next op takes it, which may be another
            slice; the file's name is then ``<file>_in_<type>_<number>.npy``.

    Raises:
        RuleError: another value.
    """

    def __init__(self, input_output: str = "out") -> None:
        super().__init__(side=input_output)
        if input_output not in ("in", "out"):
            raise RuleError(f'{self.name}: input_output is {input_output!r}; give "in" or "out".')

    def __call__(self, file: str, input_x: Tensor) -> None:
        """Save the Tensor each time that the program runs."""
        self.apply(input_x, file=file)


def tensordump(file_name: str, tensor: Tensor, mode: str = "out") -> None:
    """Save what a rank holds of a Tensor; arguments as of ``TensorDump``."""
    TensorDump(mode)(file_name, tensor)


class DumpGradient(Primitive, op="dump_gradient"):
    """Is the Tensor itself, whose gradient is saved as ``TensorDump`` saves it."""

    def __call__(self, path: str, x: Tensor, input_output: str = "out") -> Tensor:
        """Return the Tensor."""
        if input_output != "out":
            raise RuleError(
                f"{self.name}: input_output is {input_output!r}; simpar saves the gradient as the op behind leaves it. "
                'Write "out".'
            )
        return self.apply_one(x, file=path)
