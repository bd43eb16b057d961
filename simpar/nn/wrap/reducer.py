"""The reduction of gradients in data and hybrid parallel mode."""

from collections.abc import Sequence

from simpar.context import current
from simpar.dtype import float32
from simpar.errors import ContextError
from simpar.nn.cell import Cell
from simpar.ops import communication
from simpar.parameter import Parameter
from simpar.tensor import Tensor, call

__all__ = ["DistributedGradReducer"]


class DistributedGradReducer(Cell):
    """Sums the gradient of each Parameter over ranks, but not of those with ``layerwise_parallel``.

    Gradients of equal ``comm_fusion`` above 0 share a message. With ``gradient_fp32_sync`` they travel as float32.

    Args:
        parameters: in the order of the gradients.
        mean: whether to divide by ``degree``; the context's ``gradients_mean`` if None.
        degree: by what to divide; the number of ranks in the group if None.
        fusion_type: the fusion index of gradients whose Parameter has none of its own.
        group: the name of the group of ranks.

    Raises:
        ContextError: ``degree`` is no positive int.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        mean: bool | None = None,
        degree: int | None = None,
        fusion_type: int = 1,
        group: str = communication.WORLD_GROUPS[0],
    ) -> None:
        super().__init__(auto_prefix=False)
        if degree is not None and (isinstance(degree, bool) or not isinstance(degree, int) or degree < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ContextError(f"degree is {degree!r}; give a positive int, or None for the number of ranks.")
        self.mean = current().parallel.gradients_mean if mean is None else mean
        self.degree, self.fusion_type = degree, fusion_type
        self._group = communication.ranks_of_group(group)
        self._of = tuple(parameters)

    def construct(self, grads: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradients, reduced.

        Raises:
            ContextError: there are more or fewer than Parameters.
        """
        parameters = self._of
        if len(grads) != len(parameters):
            raise ContextError(
                f"{len(grads)} gradients for {len(parameters)} Parameters; give one each, in their order."
            )
        totals = [self._total(g, p) for g, p in zip(grads, parameters, strict=True)]  # all first, to be one message
        return tuple(self._reduced(t, g, p) for t, g, p in zip(totals, grads, parameters, strict=True))

    @property
    def _size(self) -> int:
        return current().device_num if self._group is None else len(self._group)

    def _total(self, gradient: Tensor, parameter: Parameter) -> Tensor:
        if parameter.layerwise_parallel:
            return gradient
        options = current()
        wide = gradient.astype(float32) if options.parallel.gradient_fp32_sync else gradient
        total = call(
            "all_reduce",
            wide,
            op="sum",
            group=self._group,
            group_size=self._size,
            fusion=parameter.comm_fusion,
            parameter=parameter.name,
        )
        assert isinstance(total, Tensor), "all_reduce has one result"
        return total

    def _reduced(self, total: Tensor, gradient: Tensor, parameter: Parameter) -> Tensor:
        if parameter.layerwise_parallel:
            return gradient
        if self.mean:
            total = total * (1 / (self.degree or self._size))
        return total.astype(gradient.dtype)
