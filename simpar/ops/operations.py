"""All ops as objects, under MindSpore's class names (``from mindspore.ops import operations as P``)."""

from simpar.ops import (
    communication,
    exchanges,
    messages,
    neural,
    primitives,
)
from simpar.ops.assignment import Assign, AssignAdd, AssignSub, Depend, InplaceCopy
from simpar.ops.batch_norm import BatchNorm
from simpar.ops.communication import *  # noqa: F403
from simpar.ops.dumping import DumpGradient, InsertGradientOf, TensorDump
from simpar.ops.exchanges import *  # noqa: F403
from simpar.ops.messages import *  # noqa: F403
from simpar.ops.neural import *  # noqa: F403
from simpar.ops.primitives import *  # noqa: F403
from simpar.ops.printing import Print
from simpar.ops.queries import (
    DType,
    NPUAllocFloatStatus,
    NPUClearFloatStatus,
    NPUGetFloatStatus,
    Rank,
    ScalarToTensor,
    Shape,
    Size,
    TensorToScalar,
    TupleToArray,
)
from simpar.ops.queues import GetNext

__all__: list[str] = [
    "Assign",
    "AssignAdd",
    "AssignSub",
    "BatchNorm",
    "DType",
    "Depend",
    "DumpGradient",
    "GetNext",
    "InplaceCopy",
    "InsertGradientOf",
    "NPUAllocFloatStatus",
    "NPUClearFloatStatus",
    "NPUGetFloatStatus",
    "Print",
    "Rank",
    "ScalarToTensor",
    "Shape",
    "Size",
    "TensorDump",
    "TensorToScalar",
    "TupleToArray",
]
__all__ += communication.__all__
__all__ += exchanges.__all__
__all__ += messages.__all__
__all__ += neural.__all__
__all__ += primitives.__all__
