"""``Tensor``: a numpy array, or a value of a graph that is being traced.

Every operator of a Tensor calls an op by name (``graph.apply``), so that the same program computes at once or becomes
a graph, and so that tensors stand below the ops.

Read in this order: ``tensor`` (what a Tensor holds), ``operators`` (its arithmetic and methods, each an op by name),
``indexing`` (``x[1:, None]`` as a slice and a reshape), ``axes`` (axes and lengths as users give them), ``elsewhere``
(values that only other ranks hold), ``methods`` (those that ``ops`` lends), ``branches`` (conditions on values).
"""

from simpar.tensor.axes import axes_of, axis_of, lengths_of
from simpar.tensor.branches import branched
from simpar.tensor.elsewhere import Elsewhere, on_other_ranks
from simpar.tensor.indexing import Bounds, bounds_of
from simpar.tensor.methods import register_methods
from simpar.tensor.tensor import Tensor, as_tensor, call, filled

__all__ = [
    "Bounds",
    "Elsewhere",
    "Tensor",
    "as_tensor",
    "axes_of",
    "axis_of",
    "bounds_of",
    "branched",
    "call",
    "filled",
    "lengths_of",
    "on_other_ranks",
    "register_methods",
]
