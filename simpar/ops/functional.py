"""All ops as functions, under MindSpore's lower-case names (``from mindspore.ops import functional as F``)."""

from simpar.ops import (
    convolution,
    functions,
    normalization,
    pooling,
)
from simpar.ops.assignment import assign, assign_add, assign_sub, clip_by_global_norm, depend
from simpar.ops.convolution import *  # noqa: F403
from simpar.ops.dumping import tensordump
from simpar.ops.functions import *  # noqa: F403
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
    "tensordump",
    "tuple_to_array",
]
__all__ += convolution.__all__
__all__ += functions.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
__all__ += ["print_"]
