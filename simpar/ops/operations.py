"""All ops as objects, under MindSpore's class names (``from mindspore.ops import operations as P``)."""

from simpar.ops import (
    communication,
    exchanges,
    messages,
    neural,
    primitives_activation,
    primitives_arrays,
    primitives_attention,
    primitives_boxes,
    primitives_complex,
    primitives_convolution,
    primitives_creation,
    primitives_elementwise,
    primitives_fourier,
    primitives_images,
    primitives_index,
    primitives_loss,
    primitives_math,
    primitives_matrix,
    primitives_order,
    primitives_random,
    primitives_reduction,
    primitives_scatter,
    primitives_slices,
    primitives_special,
    primitives_volumes,
)
from simpar.ops.assignment import Assign, AssignAdd, AssignSub, Depend, InplaceCopy
from simpar.ops.batch_norm import BatchNorm
from simpar.ops.communication import *  # noqa: F403
from simpar.ops.dumping import DumpGradient, InsertGradientOf, TensorDump
from simpar.ops.exchanges import *  # noqa: F403
from simpar.ops.messages import *  # noqa: F403
from simpar.ops.neural import *  # noqa: F403
from simpar.ops.primitives_activation import *  # noqa: F403
from simpar.ops.primitives_arrays import *  # noqa: F403
from simpar.ops.primitives_attention import *  # noqa: F403
from simpar.ops.primitives_boxes import *  # noqa: F403
from simpar.ops.primitives_complex import *  # noqa: F403
from simpar.ops.primitives_convolution import *  # noqa: F403
from simpar.ops.primitives_creation import *  # noqa: F403
from simpar.ops.primitives_elementwise import *  # noqa: F403
from simpar.ops.primitives_fourier import *  # noqa: F403
from simpar.ops.primitives_images import *  # noqa: F403
from simpar.ops.primitives_index import *  # noqa: F403
from simpar.ops.primitives_loss import *  # noqa: F403
from simpar.ops.primitives_math import *  # noqa: F403
from simpar.ops.primitives_matrix import *  # noqa: F403
from simpar.ops.primitives_order import *  # noqa: F403
from simpar.ops.primitives_random import *  # noqa: F403
from simpar.ops.primitives_reduction import *  # noqa: F403
from simpar.ops.primitives_scatter import *  # noqa: F403
from simpar.ops.primitives_slices import *  # noqa: F403
from simpar.ops.primitives_special import *  # noqa: F403
from simpar.ops.primitives_volumes import *  # noqa: F403
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
__all__ += primitives_arrays.__all__
__all__ += primitives_elementwise.__all__
__all__ += primitives_activation.__all__
__all__ += primitives_math.__all__
__all__ += primitives_boxes.__all__
__all__ += primitives_complex.__all__
__all__ += primitives_fourier.__all__
__all__ += primitives_special.__all__
__all__ += primitives_index.__all__
__all__ += primitives_order.__all__
__all__ += primitives_scatter.__all__
__all__ += primitives_slices.__all__
__all__ += primitives_creation.__all__
__all__ += primitives_random.__all__
__all__ += primitives_matrix.__all__
__all__ += primitives_loss.__all__
__all__ += primitives_reduction.__all__
__all__ += primitives_attention.__all__
__all__ += primitives_images.__all__
__all__ += primitives_convolution.__all__
__all__ += primitives_volumes.__all__
