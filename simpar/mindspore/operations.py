"""Objects of ops under MindSpore's private or older names."""

from typing import Any

from simpar.ops import Add, Primitive

__all__ = ["PrimitiveWithInfer", "TensorAdd", "prim_attr_register"]

TensorAdd = Add


class PrimitiveWithInfer(Primitive):
    """The base of ops that MindSpore's users write with ``infer_shape`` and ``infer_dtype``.

    simpar needs a kernel and a rule instead (``graph.OpDef``), so that such an op can be built, but not be called.
    """


def prim_attr_register(fn: Any) -> Any:
    """Return a constructor: MindSpore's mark for those whose arguments become attributes."""
    return fn
