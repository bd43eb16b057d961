"""LayerNorm, and BatchNorm for rows, images and volumes."""

from collections.abc import Sequence
from typing import Any

from simpar import ops
from simpar.dtype import DType, float32
from simpar.errors import ContextError, DTypeError, LayoutError
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import check_length, initial
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm"]


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


class _BatchNorm(Cell):
    """Is what the three have in common; ``BatchNorm2d`` says what they do."""

    _axes: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.9,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        moving_mean_init: Any = "zeros",
        moving_var_init: Any = "ones",
        use_batch_statistics: bool | None = None,
        data_format: str = "NCHW",
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_length(name, "num_features", num_features)
        if not 0 <= momentum <= 1 or eps <= 0:
            raise ContextError(f"{name}(eps={eps}, momentum={momentum}): momentum lies from 0 to 1, eps above 0.")
        if data_format not in ("NCHW", "NHWC", "NCDHW"):
            raise ContextError(f"{name}'s data_format is {data_format!r}; choose 'NCHW' or 'NHWC'.")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.use_batch_statistics = use_batch_statistics

        def vector(init: Any, what: str, trained: bool) -> Parameter:
            filled = initial(init, (num_features,), dtype, f"the {what} of {name}")
            return Parameter(filled, name=what, requires_grad=trained)

        self.moving_mean = vector(moving_mean_init, "mean", False)
        self.moving_variance = vector(moving_var_init, "variance", False)
        self.gamma = vector(gamma_init, "gamma", affine)
        self.beta = vector(beta_init, "beta", affine)
        layout = "NHWC" if data_format == "NHWC" else "NCHW"
        self.bn_train = ops.BatchNorm(True, eps, 1 - momentum, layout)
        self.bn_infer = ops.BatchNorm(False, eps, 1 - momentum, layout)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        if x.ndim not in self._axes:
            raise LayoutError(
                f"{type(self).__name__} takes an input with {self._axes} axes, not one of shape {x.shape}."
            )
        of_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        norm = self.bn_train if of_batch else self.bn_infer
        return norm(x, self.gamma, self.beta, self.moving_mean, self.moving_variance)[0]

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"num_features={self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    """Normalizes the channels of rows (n, c) or sequences (n, c, l); arguments as of ``BatchNorm2d``."""

    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Computes ``(x - mean) / sqrt(variance + eps) * gamma + beta`` for each channel of images (n, c, h, w).

    In training, mean and variance are those of the whole batch, also where ranks hold its rows, and ``moving_mean`` and
    ``moving_variance`` follow them; else these two are taken. The ops are ``bn_train`` and ``bn_infer``; give them
    strategies with ``shard``.

    Args:
        num_features: channels c.
        eps: added to the variance.
        momentum: how much of the moving statistics stays.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init, moving_mean_init, moving_var_init: what fills the Parameters, each (c,).
        use_batch_statistics: whether the batch's statistics are taken: always, never, or in training if None.
        data_format: ``"NCHW"``, or ``"NHWC"`` for channels last.
        dtype: the element type of the Parameters.

    Raises:
        ContextError: a number is out of range.
        LayoutError: the input has another number of axes.
    """

    _axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalizes the channels of volumes (n, c, d, h, w); arguments as of ``BatchNorm2d``."""

    _axes = (5,)
