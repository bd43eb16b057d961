"""The operators as objects: ``ops.Add()(x, y)``, with ``shard`` and the attributes of MindSpore's Primitives.

A class names the record or the function that it stands for and keeps the arguments of its making; ``ops.primitive`` is
the base of all. One module a family, as the records have; where a family has few objects, they stand beside its records
instead. ``ops.operations`` is the door to all of them.
"""

from simpar.ops.primitives import (
    activation,
    arrays,
    attention,
    boxes,
    complex_numbers,
    convolution,
    creation,
    elementwise,
    fourier,
    images,
    index,
    loss,
    math,
    matrix,
    order,
    random,
    reduction,
    scatter,
    slices,
    special,
    volumes,
)
from simpar.ops.primitives.activation import *  # noqa: F403
from simpar.ops.primitives.arrays import *  # noqa: F403
from simpar.ops.primitives.attention import *  # noqa: F403
from simpar.ops.primitives.boxes import *  # noqa: F403
from simpar.ops.primitives.complex_numbers import *  # noqa: F403
from simpar.ops.primitives.convolution import *  # noqa: F403
from simpar.ops.primitives.creation import *  # noqa: F403
from simpar.ops.primitives.elementwise import *  # noqa: F403
from simpar.ops.primitives.fourier import *  # noqa: F403
from simpar.ops.primitives.images import *  # noqa: F403
from simpar.ops.primitives.index import *  # noqa: F403
from simpar.ops.primitives.loss import *  # noqa: F403
from simpar.ops.primitives.math import *  # noqa: F403
from simpar.ops.primitives.matrix import *  # noqa: F403
from simpar.ops.primitives.order import *  # noqa: F403
from simpar.ops.primitives.random import *  # noqa: F403
from simpar.ops.primitives.reduction import *  # noqa: F403
from simpar.ops.primitives.scatter import *  # noqa: F403
from simpar.ops.primitives.slices import *  # noqa: F403
from simpar.ops.primitives.special import *  # noqa: F403
from simpar.ops.primitives.volumes import *  # noqa: F403

__all__: list[str] = []
__all__ += activation.__all__
__all__ += arrays.__all__
__all__ += attention.__all__
__all__ += boxes.__all__
__all__ += complex_numbers.__all__
__all__ += convolution.__all__
__all__ += creation.__all__
__all__ += elementwise.__all__
__all__ += fourier.__all__
__all__ += images.__all__
__all__ += index.__all__
__all__ += loss.__all__
__all__ += math.__all__
__all__ += matrix.__all__
__all__ += order.__all__
__all__ += random.__all__
__all__ += reduction.__all__
__all__ += scatter.__all__
__all__ += slices.__all__
__all__ += special.__all__
__all__ += volumes.__all__
