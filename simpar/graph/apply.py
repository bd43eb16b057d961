"""``apply``, the one place where an op meets its operands.

While a trace is active it records; otherwise it computes at once on numpy arrays. ``Tensor`` calls it by the op's name,
so that tensors stand below the ops.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.dtype import as_dtype, bfloat16
from simpar.errors import TraceError
from simpar.graph.ir import Strategy, Value
from simpar.graph.opdef import OpDef, kernel_of, lookup
from simpar.graph.trace import Call, Operand, Trace

__all__ = ["apply", "register_collectives"]

Array = NDArray[np.generic]
Attrs = Mapping[str, Any]


def apply(
    name: str,
    operands: Sequence[Operand],
    attrs: Attrs,
    strategy: Strategy | None = None,
    out_strategy: Strategy | None = None,
) -> tuple[Operand, ...]:
    """Apply an op: record it while a trace is active, compute it otherwise.

    Args:
        name: the op's name in ``OPS``.
        operands: arrays, or values of the active trace.
        attrs: the op's attributes, plain data.
        strategy, out_strategy: the user's cut, kept on the node.

    Returns:
        The results: values while tracing, arrays otherwise.
    """
    made = lookup(name)
    trace: Trace | None = current().trace
    symbolic = any(isinstance(x, Value) for x in operands)
    if trace is not None and (symbolic or made.kernel is None):
        return trace.record(made, operands, attrs, Call(strategy, out_strategy))
    if symbolic:
        raise TraceError(
            f"op {name} was given a Tensor of a trace that has ended. Keep such Tensors inside the function."
        )
    return _compute(made, [x for x in operands if not isinstance(x, Value)], attrs)


def _compute(made: OpDef, arrays: list[Array], attrs: Attrs) -> tuple[Array, ...]:
    """Compute an op at once."""
    if made.kernel is None:
        if not _COLLECTIVES:
            raise TraceError(f"op {made.name} moves data between ranks, which needs `import simpar` as a whole.")
        result = _COLLECTIVES[0](made.name, arrays, attrs)
    else:
        _, results = made.infer([a.shape for a in arrays], [as_dtype(a.dtype) for a in arrays], attrs)
        types = [dtype for _, dtype in results]
        result = kernel_of(made, (*(as_dtype(a.dtype) for a in arrays), *types))(*arrays, **attrs)
        if not isinstance(result, tuple):
            made_array = np.asarray(result, dtype=types[0].numpy)
            # a view of a Parameter would change when the Parameter is trained
            return (made_array.copy() if made.view and np.may_share_memory(made_array, arrays[0]) else made_array,)
        if bfloat16 in types:
            return tuple(np.asarray(r, dtype=t.numpy) for r, t in zip(cast("Any", result), types, strict=True))
    return cast("tuple[Array, ...]", result if isinstance(result, tuple) else (result,))


_COLLECTIVES: list[Callable[[str, list[Array], Attrs], Any]] = []


def register_collectives(run: Callable[[str, list[Array], Attrs], Any]) -> None:
    """Let ``execute`` say how a collective runs at once, outside of a graph."""
    _COLLECTIVES[:] = [run]
