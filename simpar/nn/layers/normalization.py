"""LayerNorm."""

from collections.abc import Sequence
from typing import Any

from simpar import ops
from simpar.dtype import DType, float32
from simpar.errors import DTypeError
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import initial
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["LayerNorm"]


class LayerNorm(Cell):
    """Computes ``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` over the last axes.

    Args:
        normalized_shape: the shape of ``gamma`` and ``beta``.
        begin_norm_axis: the first axis to take mean and variance over.
        begin_params_axis: the first axis of gamma and beta.
        gamma_init, beta_init: what fills them.
        epsilon: added to the variance.
        dtype: the element type of the Parameters.

    Raises:
        DTypeError: ``normalized_shape`` is no tuple or list.
    """

    def __init__(
        self,
        normalized_shape: Sequence[int],
        begin_norm_axis: int = -1,
        begin_params_axis: int = -1,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        epsilon: float = 1e-7,
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        if not isinstance(normalized_shape, list | tuple):
            raise DTypeError(f"LayerNorm's normalized_shape is a tuple such as (64,), not {normalized_shape!r}.")
        shape = tuple(normalized_shape)
        self.normalized_shape = shape
        self.gamma = Parameter(initial(gamma_init, shape, dtype, "the gamma of LayerNorm"))
        self.beta = Parameter(initial(beta_init, shape, dtype, "the beta of LayerNorm"))
        self.layer_norm = ops.LayerNorm(begin_norm_axis, begin_params_axis, epsilon)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        return self.layer_norm(x, self.gamma, self.beta)[0]

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"normalized_shape={self.normalized_shape}"
