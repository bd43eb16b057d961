"""Cells that cut the batch into micro-batches: PipelineCell, GradAccumulationCell, MicroBatchInterleaved.

Each calls its network once for every micro-batch and adds the results, so a gradient is the sum over micro-batches of
the gradient of each. ``TrainAccumulatedStepCell`` takes a step by their mean, as MindSpore's Model does.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from simpar.context import current
from simpar.errors import ContextKeyError, DTypeError, LayoutError, ModeError
from simpar.graph import NO_MICRO, Trace
from simpar.nn.cell import Cell
from simpar.nn.containers import CellList
from simpar.nn.optim import Optimizer
from simpar.nn.wrap.cells import TrainOneStepCell
from simpar.ops import StridedSlice
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = [
    "GradAccumulationCell",
    "MicroBatch",
    "MicroBatchInterleaved",
    "PipelineCell",
    "PipelineGradReducer",
    "TrainAccumulatedStepCell",
    "micro_batches",
]


class MicroBatch(Cell):
    """Takes one part of each input along its first axis; a Cell that cuts its batch has one for each part.

    Where each rank is given rows of its own, a part is made of a part of each rank's.

    Args:
        micro_size: how many equal parts there are.

    Raises:
        LayoutError: when it is called, a length does not divide.

    >>> [part.tolist() for part in MicroBatch(2)(1, Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))]
    [[2.0], [4.0]]
    """

    def __init__(self, micro_size: int) -> None:
        super().__init__()
        self.micro_size = micro_size
        self.strided_slice = StridedSlice()

    def construct(self, i: int, *inputs: Any) -> tuple[Any, ...]:
        """Return part ``i`` of each input; what has no axes is handed on."""
        ranks = _ranks_with_rows(inputs, self.micro_size)
        return tuple(self._part_of(x, i, ranks) for x in inputs)

    def _part_of(self, given: Any, number: int, ranks: int) -> Any:
        if not isinstance(given, Tensor) or not given.shape:
            return given
        length, *others = given.shape
        if length % self.micro_size:
            raise LayoutError(
                f"the 0th dimension shape of input({length}) must be divided by micro size({self.micro_size}), so that "
                f"each micro-batch has as many rows. Give {-(-length // self.micro_size) * self.micro_size} rows, or "
                "cut them otherwise."
            )
        if ranks > 1:
            return given.apply("micro_batch", number=number, parts=self.micro_size, ranks=ranks)
        size, still = length // self.micro_size, [0] * len(others)
        ends = ((number + 1) * size, *others)
        return self.strided_slice(given, (number * size, *still), ends, (1,) * given.ndim)


class _Cut(Cell):
    """Calls a network on each part of the batch and adds the results."""

    def __init__(self, network: Cell, parts: int, name: str) -> None:
        super().__init__(auto_prefix=False)
        what = type(self).__name__
        if not isinstance(network, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"{what}: network is {network!r}, a {type(network).__name__}; give a Cell.")
        if isinstance(parts, bool) or not isinstance(parts, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"{what}: {name} is {parts!r}, a {type(parts).__name__}; give a whole number above 0.")
        if parts < 1:
            raise LayoutError(f"{what}: {name} is {parts}; give a whole number above 0.")
        self.network = network
        self.micro_inputs = CellList([MicroBatch(parts) for _ in range(parts)])

    def construct(self, *inputs: Any) -> Any:
        """Return the sum of the network's results for each part of the inputs."""
        total: Any = None
        for i, cut in enumerate(self.micro_inputs):
            with self._part(i):
                out = self.network(*cut(i, *inputs))
            total = out if total is None else total + out
        return total

    def _part(self, number: int) -> AbstractContextManager[None]:
        """Record what follows as part ``number``."""
        return nullcontext()


class MicroBatchInterleaved(_Cut):
    """Cuts the batch into parts whose computation and collectives can overlap.

    Args:
        network: a Cell that returns a Tensor.
        interleave_num: into how many parts axis 0 of each input is cut.

    Raises:
        DTypeError: ``network`` is no Cell, or ``interleave_num`` no whole number.
        LayoutError: ``interleave_num`` is below 1; when it is called, an input does not divide.
    """

    def __init__(self, network: Cell, interleave_num: int = 2) -> None:
        super().__init__(network, interleave_num, "interleave_num")
        self.interleave_num = interleave_num


class _Micro(_Cut):
    """Runs forward and backward of one part before the next, so that activations of few parts are kept."""

    def __init__(self, network: Cell, micro_size: int) -> None:
        super().__init__(network, micro_size, "micro_size")
        self.micro_size = micro_size

    def _part(self, number: int) -> AbstractContextManager[None]:
        trace: Trace | None = current().trace
        if trace is None or trace.marks.micro != NO_MICRO:
            return nullcontext()
        return trace.marked(micro=number)


class GradAccumulationCell(_Micro):
    """Accumulates gradients over micro-batches: activations of one are kept at a time, gradients are reduced once.

    Args:
        network: a Cell that returns the loss of a micro-batch.
        micro_size: into how many micro-batches axis 0 of each input is cut.

    Returns:
        The sum of the losses.

    Raises:
        DTypeError: ``network`` is no Cell, or ``micro_size`` no whole number.
        LayoutError: ``micro_size`` is below 1; when it is called, an input does not divide.

    >>> GradAccumulationCell(Cell(), 4).micro_size
    4
    """


class PipelineCell(_Micro):
    """Lets micro-batches run through the stages of a pipeline one behind the other.

    Which Cell is on which stage says its ``pipeline_stage``; how many stages there are, and their schedule, the
    context's ``pipeline_stages`` and ``pipeline_config``.

    Args:
        network: a Cell that returns the loss of a micro-batch.
        micro_size: into how many micro-batches axis 0 of each input is cut; at least the number of stages.
        stage_config: the stage of Cells below ``network``, by their paths.
        segment_config: taken as MindSpore does; it changes nothing.

    Returns:
        The sum of the losses.

    Raises:
        DTypeError: ``network`` is no Cell, or ``micro_size`` no whole number.
        LayoutError: ``micro_size`` is below 1; when it is called, an input does not divide.
        ContextKeyError: ``stage_config`` names a Cell that is not there.

    >>> net = Cell()
    >>> net.one, net.two = Cell(), Cell()
    >>> _ = PipelineCell(net, 4, stage_config={"one": 0, "two": 1})
    >>> net.two.pipeline_stage
    1
    """

    def __init__(
        self,
        network: Cell,
        micro_size: int,
        stage_config: Mapping[str, int] | None = None,
        segment_config: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(network, micro_size)
        below = {path or type(network).__name__: cell for path, cell in network.cells_and_names()}
        for path, stage in (stage_config or {}).items():
            if path not in below:
                raise ContextKeyError(f"stage_config names {path!r}, which is none of the Cells {', '.join(below)}.")
            below[path].pipeline_stage = stage

    def shard(self, *_: Any, **__: Any) -> Any:
        """Refuse: a pipeline is cut by its stages, and each stage by its ops.

        Raises:
            ModeError: always (MindSpore raises ``ValueError``).
        """
        raise ModeError("PipelineCell cannot be sharded. Shard the Cells or ops of its network.")


def _ranks_with_rows(inputs: Sequence[Any], parts: int) -> int:
    """Return how many ranks are given rows of their own, of which each can take its part; 1 if all are given all."""
    context = current()
    parallel = context.parallel
    if not context.is_partitioned or parallel.full_batch or parallel.dataset_strategy != "data_parallel":
        return 1
    ranks = context.device_num // parallel.pipeline_stages
    lengths = [x.shape[0] for x in inputs if isinstance(x, Tensor) and x.shape]
    return ranks if all(n % (ranks * parts) == 0 for n in lengths) else 1


def micro_batches(network: Cell) -> int:
    """Return into how many micro-batches a network cuts its inputs; 1 if it does not.

    >>> micro_batches(GradAccumulationCell(Cell(), 4))
    4
    """
    return next((c.micro_size for _, c in network.cells_and_names() if isinstance(c, _Micro)), 1)


class TrainAccumulatedStepCell(TrainOneStepCell):
    """Takes one step of training by the mean of the gradients of all micro-batches.

    Args:
        network: a Cell that returns the sum of the losses, with a PipelineCell or GradAccumulationCell in it.
        optimizer: updates its Parameters.
        sens: what gradients are multiplied by; 1 over the number of micro-batches if None.
    """

    def __init__(self, network: Cell, optimizer: Optimizer, sens: float | None = None) -> None:
        super().__init__(network, optimizer, 1 / micro_batches(network) if sens is None else sens)


class PipelineGradReducer(Cell):
    """Ends the gradients of a pipeline in a training function of the user's: divides them by a scale.

    They are accumulated already: each is the sum over micro-batches, whole on the stage that holds its Parameter.

    Args:
        parameters: those that are updated.
        scale_sense: what gradients are divided by.
        opt_shard: taken as MindSpore does; the layout of each Parameter says how its gradient is cut.
    """

    def __init__(self, parameters: Any, scale_sense: float = 1.0, opt_shard: bool | None = None) -> None:
        super().__init__(auto_prefix=False)
        self.weights: tuple[Parameter, ...] = tuple(parameters)
        self.scale_sense = float(scale_sense)

    def construct(self, grads: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the gradients, scaled."""
        return tuple(grads) if self.scale_sense == 1 else tuple(g * (1 / self.scale_sense) for g in grads)
