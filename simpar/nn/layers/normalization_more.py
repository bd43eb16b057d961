"""GroupNorm and InstanceNorm, by the statistics of each image; SyncBatchNorm, by those of several ranks' batches."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from simpar import ops
from simpar.context import current
from simpar.dtype import DType, float32
from simpar.errors import ContextError, LayoutError, NotYetError
from simpar.nn.cell import Cell
from simpar.nn.layers.basic import check_length, initial
from simpar.nn.layers.normalization import BatchNorm2d
from simpar.parameter import Parameter
from simpar.tensor import Tensor, call

__all__ = ["GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "SyncBatchNorm"]


def _vector(init: Any, length: int, dtype: DType, what: str, name: str, is_trained: bool) -> Parameter:
    return Parameter(initial(init, (length,), dtype, f"the {what} of {name}"), name=what, requires_grad=is_trained)


class GroupNorm(Cell):
    """Computes ``(x - mean) / sqrt(variance + eps) * gamma + beta`` for groups of channels of each image.

    Args:
        num_groups: into how many groups the channels fall.
        num_channels: channels c of x (n, c, ...).
        eps: added to the variance.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init: what fills them, each (c,).
        dtype: the element type of the Parameters.

    Raises:
        ContextError: the groups do not divide the channels.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        check_length("GroupNorm", "num_groups", num_groups)
        check_length("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ContextError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels.")
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.gamma = _vector(gamma_init, num_channels, dtype, "gamma", "GroupNorm", affine)
        self.beta = _vector(beta_init, num_channels, dtype, "beta", "GroupNorm", affine)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        if x.shape[1] != self.num_channels:
            raise LayoutError(f"GroupNorm of {self.num_channels} channels was given an input of shape {x.shape}.")
        return ops.group_norm(x, self.num_groups, self.gamma, self.beta, self.eps)

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"num_groups={self.num_groups}, num_channels={self.num_channels}"


class _InstanceNorm(Cell):
    """Is what the three have in common; ``InstanceNorm2d`` says what they do."""

    _dims = 4

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        dtype: DType = float32,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_length(name, "num_features", num_features)
        if not 0 <= momentum <= 1:
            raise ContextError(f"{name}(momentum={momentum}): momentum lies from 0 to 1.")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.moving_mean = _vector("zeros", num_features, dtype, "mean", name, False)
        self.moving_variance = _vector("ones", num_features, dtype, "variance", name, False)
        self.gamma = _vector(gamma_init, num_features, dtype, "gamma", name, affine)
        self.beta = _vector(beta_init, num_features, dtype, "beta", name, affine)

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        if x.ndim != self._dims:
            raise LayoutError(f"{type(self).__name__} takes {self._dims} axes, not an input of shape {x.shape}.")
        if self.training:
            self._follow(x)
        return ops.group_norm(x, self.num_features, self.gamma, self.beta, self.eps)

    def _follow(self, x: Tensor) -> None:
        """Let the moving statistics follow the mean of those of the images; of variances, the unbiased ones."""
        places, m = ops.stop_gradient(x.reshape(*x.shape[:2], -1)), self.momentum
        count = places.shape[2]
        mean = places.mean(2, keep_dims=True)
        spread = ops.square(places - mean).sum(2) * (1 / max(count - 1, 1))
        for moving, now in ((self.moving_mean, mean.squeeze(2)), (self.moving_variance, spread)):
            ops.assign(moving, moving * (1 - m) + now.mean(0) * m)

    def extend_repr(self) -> str:
        """Return the layer's numbers."""
        return f"num_features={self.num_features}, eps={self.eps}, momentum={self.momentum}"


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each sequence (n, c, w); arguments as of ``InstanceNorm2d``."""

    _dims = 3


class InstanceNorm2d(_InstanceNorm):
    """Computes ``(x - mean) / sqrt(variance + eps) * gamma + beta`` for each channel of each image (n, c, h, w).

    Args:
        num_features: channels c.
        eps: added to the variance.
        momentum: how much of an image's statistics goes into the moving ones, in training.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init: what fills them, each (c,).
        dtype: the element type of the Parameters.
    """


class InstanceNorm3d(_InstanceNorm):
    """Normalizes each channel of each volume (n, c, d, h, w); arguments as of ``InstanceNorm2d``."""

    _dims = 5


def _group_name(group: tuple[int, ...], is_everyone: bool) -> str:
    """Return what MindSpore calls a group: that of all ranks, or how many they are and a digest of their numbers."""
    if is_everyone:
        return f"{'nccl' if current().others.get('device_target') == 'GPU' else 'hccl'}_world_group"
    return f"{len(group)}_{sha256('_'.join(map(str, group)).encode()).hexdigest()}"


class SyncBatchNorm(BatchNorm2d):
    """Normalizes channels by the statistics of the batches of several ranks: BatchNorm as if they were one batch.

    Where one program is cut over ranks, every BatchNorm does so. In data parallel mode each rank has a batch of its
    own, and this one sums over a group.

    Args:
        num_features, eps, momentum, affine, gamma_init, beta_init: as of ``BatchNorm2d``.
        moving_mean_init, moving_var_init, use_batch_statistics, dtype: as of ``BatchNorm2d``.
        process_groups: lists of ranks, each a group; all ranks together if None. Where one program is cut, groups are
            of equal sizes and of ranks in succession.

    Attributes: ``is_global`` (whether this rank's group has others), ``group_device_num`` and ``group_name``, made of
    its ranks as MindSpore makes it.

    Raises:
        ContextError: a group names a rank that is not there, or one twice.
    """

    _axes = (2, 4)

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
        process_groups: Sequence[Sequence[int]] | None = None,
        dtype: DType = float32,
    ) -> None:
        filled = (gamma_init, beta_init, moving_mean_init, moving_var_init)
        super().__init__(num_features, eps, momentum, affine, *filled, use_batch_statistics, dtype=dtype)
        self.process_groups = process_groups
        self._check(process_groups, current().device_num)
        group = self._group(current().rank, current().device_num)
        self.is_global, self.group_device_num = len(group) > 1, len(group)
        self.group_name = _group_name(group, process_groups is None) if self.is_global else None

    def construct(self, x: Tensor) -> Tensor:
        """Return x normalized."""
        of_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        context = current()
        group = self._group(context.rank, context.device_num)
        if context.is_partitioned:
            self._cut_into_groups(context.device_num)
        if context.is_partitioned or not of_batch or len(group) == 1:
            return super().construct(x)
        return self._synchronized(x, group)

    def _cut_into_groups(self, device_num: int) -> None:
        """Let the op of a program that is cut over all ranks take statistics of the groups' rows."""
        groups = sorted(map(list, self.process_groups or ()))
        size = len(groups[0]) if groups else device_num
        if groups and groups != [list(range(first, first + size)) for first in range(0, device_num, size)]:
            raise NotYetError(
                f"process_groups of SyncBatchNorm is {self.process_groups}: where one program is cut over "
                f"{device_num} ranks, groups are of equal sizes and of ranks in succession, together all of them."
            )
        if groups:
            self.bn_train.add_prim_attr("group_size", size)

    @staticmethod
    def _check(groups: Sequence[Sequence[int]] | None, device_num: int) -> None:
        named = [rank for ranks in groups or () for rank in ranks]
        wrong = sorted(r for r in set(named) if not 0 <= r < device_num or named.count(r) > 1)
        if wrong:
            raise ContextError(
                f"process_groups of SyncBatchNorm is {groups}: {wrong} stand there twice, or are none of ranks 0 to "
                f"{device_num - 1}. Name each rank once at most."
            )

    def _group(self, rank: int, device_num: int) -> tuple[int, ...]:
        if self.process_groups is None:
            return tuple(range(device_num))
        return next((tuple(ranks) for ranks in self.process_groups if rank in ranks), (rank,))

    def _synchronized(self, x: Tensor, group: tuple[int, ...]) -> Tensor:
        """Normalize by the mean of the ranks' means, and by that of their squares' distances from it."""
        others = tuple(axis for axis in range(x.ndim) if axis != 1)
        row = (1, -1, *(1,) * (x.ndim - 2))
        count = len(group) * x.size // x.shape[1]

        def over_ranks(value: Tensor) -> Tensor:
            total = call("all_reduce", value.sum(others), op="sum", group=group, group_size=len(group))
            assert isinstance(total, Tensor), "an all_reduce has one result"
            return total * (1 / count)

        mean = over_ranks(x)
        far = x - mean.reshape(*row)
        variance = over_ranks(far * far)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance * (count / max(count - 1, 1)))):
            ops.assign(moving, moving * self.momentum + ops.stop_gradient(now) * (1 - self.momentum))
        made = far * ops.rsqrt(variance + self.eps).reshape(*row)
        return made * self.gamma.reshape(*row) + self.beta.reshape(*row)
