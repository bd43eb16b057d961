"""Objects of ops under MindSpore's private or older names."""

from typing import Any

from simpar.ops import Add, Primitive
from simpar.tensor import call

__all__ = [
    "PrimitiveWithCheck",
    "PrimitiveWithInfer",
    "TensorAdd",
    "_VirtualDataset",
    "_add_attr",
    "prim_attr_register",
]

TensorAdd = Add


class PrimitiveWithInfer(Primitive):
    """The base of ops that MindSpore's users write with ``infer_shape`` and ``infer_dtype``.

    simpar needs a kernel and a rule instead (``graph.OpDef``), so that such an op can be built, but not be called.

    Args:
        name: what it is called in messages.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.name = name or self.name


class PrimitiveWithCheck(PrimitiveWithInfer):
    """The base of ops that MindSpore's users write with a check of their arguments."""


class _VirtualDataset(Primitive, op="identity"):
    """Marks inputs that come from the dataset, with the strategy of each if ``shard`` gave one."""

    def __call__(self, *data: Any) -> Any:
        """Return the inputs."""
        if self.in_strategy is None:
            return data
        cuts = (*self.in_strategy, *(None,) * (len(data) - len(self.in_strategy)))
        return tuple(
            x if cut is None else call("identity", x, strategy=(cut,)) for x, cut in zip(data, cuts, strict=True)
        )


def _add_attr(fn: Any, **attrs: Any) -> Any:
    """Return a function of ops: attributes of the compiler's nodes change nothing here."""
    return fn


def prim_attr_register(fn: Any) -> Any:
    """Return a constructor: MindSpore's mark for those whose arguments become attributes."""
    return fn
