"""The operators: one record each, in families, with two faces: functions (``ops.add``) and objects (``ops.Add()``).

A record (``graph.OpDef``) holds the rule over factors, the kernel on numpy arrays and the gradient; everything else is
derived from it. A file of records reads like a table; the suites find every record by themselves.

Read in this order: ``support`` (what the families share), ``elementwise``, ``activation``, ``reduction``, ``matmul``,
``shape`` with ``refinement`` and ``slicing``; then the faces: ``functional``, ``primitive`` and ``operations``.
"""

from simpar.ops import activation, elementwise, functional, matmul, operations, reduction, shape, slicing
from simpar.ops.functional import *  # noqa: F403
from simpar.ops.operations import *  # noqa: F403
from simpar.ops.primitive import Primitive

RECORDS = (activation, elementwise, matmul, reduction, shape, slicing)
"""The modules whose import makes the records known."""

__all__ = ["RECORDS", "Primitive"]
__all__ += functional.__all__
__all__ += operations.__all__
