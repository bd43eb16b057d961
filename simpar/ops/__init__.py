"""The operators: one record each, in families, with two faces: functions (``ops.add``) and objects (``ops.Add()``).

A record (``graph.OpDef``) holds the rule over factors, the kernel on numpy arrays and the gradient; everything else is
derived from it. A file of records reads like a table; the suites find every record by themselves.

Read in this order: ``support`` (what the families share), ``elementwise``, ``activation``, ``reduction``, ``matmul``,
``shape`` with ``refinement`` and ``slicing``; ``normalization``, ``gather``, ``loss``, ``convolution``, ``pooling``,
``random`` (dropout), ``optimizer`` (updates) and ``communication`` (collectives written by the user); then the faces:
``functional``, ``primitive``, ``operations`` (both with their ``_arrays``) and ``neural``.
"""

from simpar.ops import (
    activation,
    communication,
    convolution,
    elementwise,
    functional,
    functional_arrays,
    loss,
    neural,
    normalization,
    operations,
    operations_arrays,
    optimizer,
    pooling,
    random,
    reduction,
    shape,
    slicing,
)
from simpar.ops import matmul as matmul_records
from simpar.ops.communication import *  # noqa: F403
from simpar.ops.convolution import *  # noqa: F403
from simpar.ops.functional import *  # noqa: F403
from simpar.ops.functional_arrays import *  # noqa: F403
from simpar.ops.gather import gather, one_hot
from simpar.ops.loss import *  # noqa: F403
from simpar.ops.neural import *  # noqa: F403
from simpar.ops.normalization import *  # noqa: F403
from simpar.ops.operations import *  # noqa: F403
from simpar.ops.operations_arrays import *  # noqa: F403
from simpar.ops.pooling import *  # noqa: F403
from simpar.ops.primitive import Primitive
from simpar.ops.random import dropout

RECORDS = (
    activation,
    communication,
    convolution,
    elementwise,
    loss,
    matmul_records,
    normalization,
    optimizer,
    pooling,
    random,
    reduction,
    shape,
    slicing,
)
"""The modules that hold the records, beside ``gather``."""

__all__ = ["RECORDS", "Primitive", "dropout", "gather", "one_hot", "optimizer"]
__all__ += communication.__all__
__all__ += convolution.__all__
__all__ += functional.__all__
__all__ += functional_arrays.__all__
__all__ += loss.__all__
__all__ += neural.__all__
__all__ += normalization.__all__
__all__ += operations.__all__
__all__ += operations_arrays.__all__
__all__ += pooling.__all__
