"""The operators as functions: ``ops.add(x, y)``.

A function checks what the user gave, turns it into operands and attributes, and applies records by name; it holds no
arithmetic of its own. One module a family, as the records have; where a family has few functions, they stand beside its
records instead. ``ops.functional`` is the door to all of them.
"""

from simpar.ops.functions import (
    activation,
    arrays,
    attention,
    axes,
    boxes,
    complex_numbers,
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
    slices,
    special,
    windows,
)
from simpar.ops.functions.activation import *  # noqa: F403
from simpar.ops.functions.arrays import *  # noqa: F403
from simpar.ops.functions.attention import *  # noqa: F403
from simpar.ops.functions.axes import *  # noqa: F403
from simpar.ops.functions.boxes import *  # noqa: F403
from simpar.ops.functions.complex_numbers import *  # noqa: F403
from simpar.ops.functions.creation import *  # noqa: F403
from simpar.ops.functions.elementwise import *  # noqa: F403
from simpar.ops.functions.fourier import *  # noqa: F403
from simpar.ops.functions.images import *  # noqa: F403
from simpar.ops.functions.index import *  # noqa: F403
from simpar.ops.functions.loss import *  # noqa: F403
from simpar.ops.functions.math import *  # noqa: F403
from simpar.ops.functions.matrix import *  # noqa: F403
from simpar.ops.functions.order import *  # noqa: F403
from simpar.ops.functions.random import *  # noqa: F403
from simpar.ops.functions.reduction import *  # noqa: F403
from simpar.ops.functions.slices import *  # noqa: F403
from simpar.ops.functions.special import *  # noqa: F403
from simpar.ops.functions.windows import *  # noqa: F403

__all__: list[str] = []
__all__ += activation.__all__
__all__ += arrays.__all__
__all__ += attention.__all__
__all__ += axes.__all__
__all__ += boxes.__all__
__all__ += complex_numbers.__all__
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
__all__ += slices.__all__
__all__ += special.__all__
__all__ += windows.__all__
