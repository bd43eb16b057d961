"""The operators: one record each, in families, with two faces: functions (``ops.add``) and objects (``ops.Add()``).

A record (``graph.OpDef``) holds the rule over factors, the kernel on numpy arrays and the gradient; everything else is
derived from it. A file of records reads like a table; the suites find every record by themselves.

Read in this order: ``support`` (what the families share), ``elementwise`` with ``arithmetic``, ``trigonometry``,
``special``, ``complex_numbers`` and ``bitwise``; ``activation`` with ``rectifiers``; ``reduction``, ``matmul`` with
``products``, ``linear_algebra`` and ``attention``; ``fourier``; ``shape`` with ``refinement`` and ``slicing``;
``normalization``, ``gather`` with ``gather_batched`` and ``gather_fields``, ``scatter`` and ``segment``; ``ordering``,
``loss``, ``convolution``, ``pooling`` and ``resize``; ``boxes`` and ``grids``; ``random`` (dropout), ``printing`` and
``dumping``, ``optimizer`` with ``optimizer_adaptive`` (updates), ``communication`` with ``messages`` and ``exchanges``
(what the user moves), ``transfers`` (between the stages of a pipeline) and ``micro`` (its micro-batches); then the
faces, a folder each: ``functions`` with the door ``functional``, and ``primitives`` with the door ``operations`` and
the base ``primitive``; ``methods``, the functions that Tensors have as methods; ``batch_norm``, an object made of other
ops; and ``composite``, functions of functions.
"""

from simpar.ops import (
    activation,
    arithmetic,
    attention,
    bitwise,
    boxes,
    communication,
    complex_numbers,
    composite,
    convolution,
    creation,
    draws,
    dumping,
    elementwise,
    extrema,
    fourier,
    functional,
    gather_batched,
    gather_fields,
    grids,
    linear_algebra,
    loss,
    micro,
    normalization,
    norms,
    operations,
    optimizer,
    optimizer_adaptive,
    ordering,
    pointwise_losses,
    pooling,
    printing,
    products,
    random,
    rectifiers,
    reduction,
    resize,
    scatter,
    segment,
    slicing,
    special,
    transfers,
    trigonometry,
)
from simpar.ops import gather as gather_records
from simpar.ops import matmul as matmul_records
from simpar.ops import shape as shape_records
from simpar.ops.composite import *  # noqa: F403
from simpar.ops.functional import *  # noqa: F403
from simpar.ops.methods import TENSOR_METHODS
from simpar.ops.operations import *  # noqa: F403
from simpar.ops.primitive import Primitive, primitive_names

RECORDS = (
    activation,
    arithmetic,
    attention,
    bitwise,
    boxes,
    communication,
    complex_numbers,
    convolution,
    creation,
    draws,
    dumping,
    elementwise,
    extrema,
    fourier,
    gather_batched,
    gather_fields,
    gather_records,
    grids,
    linear_algebra,
    loss,
    matmul_records,
    micro,
    normalization,
    norms,
    optimizer,
    optimizer_adaptive,
    ordering,
    pointwise_losses,
    pooling,
    printing,
    products,
    random,
    rectifiers,
    reduction,
    resize,
    scatter,
    segment,
    shape_records,
    slicing,
    special,
    transfers,
    trigonometry,
)
"""The modules whose import makes the records known."""

__all__: list[str] = ["RECORDS", "TENSOR_METHODS", "Primitive", "optimizer", "primitive_names"]
__all__ += composite.__all__
__all__ += functional.__all__
__all__ += operations.__all__
