"""All ops as functions, under MindSpore's lower-case names (``from mindspore.ops import functional as F``)."""

from simpar.ops import (
    convolution,
    functions_activation,
    functions_arrays,
    functions_attention,
    functions_axes,
    functions_boxes,
    functions_complex,
    functions_creation,
    functions_elementwise,
    functions_fourier,
    functions_images,
    functions_index,
    functions_loss,
    functions_math,
    functions_matrix,
    functions_order,
    functions_random,
    functions_reduction,
    functions_slices,
    functions_special,
    functions_windows,
    normalization,
    pooling,
)
from simpar.ops.assignment import assign, assign_add, assign_sub, clip_by_global_norm, depend
from simpar.ops.convolution import *  # noqa: F403
from simpar.ops.functions_activation import *  # noqa: F403
from simpar.ops.functions_arrays import *  # noqa: F403
from simpar.ops.functions_attention import *  # noqa: F403
from simpar.ops.functions_axes import *  # noqa: F403
from simpar.ops.functions_boxes import *  # noqa: F403
from simpar.ops.functions_complex import *  # noqa: F403
from simpar.ops.functions_creation import *  # noqa: F403
from simpar.ops.functions_elementwise import *  # noqa: F403
from simpar.ops.functions_fourier import *  # noqa: F403
from simpar.ops.functions_images import *  # noqa: F403
from simpar.ops.functions_index import *  # noqa: F403
from simpar.ops.functions_loss import *  # noqa: F403
from simpar.ops.functions_math import *  # noqa: F403
from simpar.ops.functions_matrix import *  # noqa: F403
from simpar.ops.functions_order import *  # noqa: F403
from simpar.ops.functions_random import *  # noqa: F403
from simpar.ops.functions_reduction import *  # noqa: F403
from simpar.ops.functions_slices import *  # noqa: F403
from simpar.ops.functions_special import *  # noqa: F403
from simpar.ops.functions_windows import *  # noqa: F403
from simpar.ops.gather import gather, one_hot
from simpar.ops.loss import cross_entropy, l1_loss, mse_loss, nll_loss
from simpar.ops.normalization import *  # noqa: F403
from simpar.ops.pooling import *  # noqa: F403
from simpar.ops.printing import print_
from simpar.ops.queries import dtype, dyn_shape, numel, rank, scalar_to_tensor, shape, size, tuple_to_array
from simpar.ops.random import dropout
from simpar.ops.resharding import reshard

__all__: list[str] = [
    "assign",
    "assign_add",
    "assign_sub",
    "clip_by_global_norm",
    "cross_entropy",
    "depend",
    "dropout",
    "dtype",
    "dyn_shape",
    "gather",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "numel",
    "one_hot",
    "rank",
    "reshard",
    "scalar_to_tensor",
    "shape",
    "size",
    "tuple_to_array",
]
__all__ += convolution.__all__
__all__ += functions_arrays.__all__
__all__ += functions_axes.__all__
__all__ += functions_elementwise.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
__all__ += ["print_"]
__all__ += functions_activation.__all__
__all__ += functions_math.__all__
__all__ += functions_boxes.__all__
__all__ += functions_complex.__all__
__all__ += functions_fourier.__all__
__all__ += functions_special.__all__
__all__ += functions_index.__all__
__all__ += functions_order.__all__
__all__ += functions_slices.__all__
__all__ += functions_creation.__all__
__all__ += functions_random.__all__
__all__ += functions_matrix.__all__
__all__ += functions_loss.__all__
__all__ += functions_reduction.__all__
__all__ += functions_attention.__all__
__all__ += functions_images.__all__
__all__ += functions_windows.__all__
