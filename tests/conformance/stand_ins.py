"""What a checkout's parallel tests import from the rest of its tests, where that cannot be had or does not belong here.

The finder of ``simpar_conformance`` offers these under the modules' own names.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from simpar import Tensor, nn, ops

__all__ = ["STAND_INS", "MindData", "VirtualLoss"]


class VirtualLoss:
    """Joins a value of any shape to one number per device, the way losses end a network."""

    def __call__(self, x: Tensor) -> Tensor:
        axes = tuple(range(len(x.shape)))
        return ops.reshape(ops.ReduceSum()(x, axes), (1,)) if axes else x

    def shard(self, *strategies: object) -> "VirtualLoss":
        return self


class MindData:
    """A dataset that says how much it has; subclasses give the rows."""

    def __init__(
        self,
        size: int = 1,
        batch_size: int = 32,
        repeat_count: int = 1,
        np_types: Any = None,
        output_shapes: Any = None,
        input_indexs: Any = (),
    ) -> None:
        self._size, self._batch_size, self._repeat_count = size, batch_size, repeat_count
        self._np_types, self._output_shapes, self._input_indexs = np_types, output_shapes, input_indexs
        self._iter_num = 0

    def get_dataset_size(self) -> int:
        return self._size

    def get_batch_size(self) -> int:
        return self._batch_size

    def get_repeat_count(self) -> int:
        return self._repeat_count

    @property
    def input_indexs(self) -> Any:
        return self._input_indexs

    def output_types(self) -> Any:
        return self._np_types

    def output_shapes(self) -> Any:
        return self._output_shapes

    def create_tuple_iterator(self, **options: object) -> Iterator[Any]:
        return iter(self)

    def create_dict_iterator(self, **options: object) -> Iterator[Any]:
        return iter(self)

    def reset(self) -> None:
        self._iter_num = 0

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if self._iter_num >= self._size:
            raise StopIteration
        self._iter_num += 1
        types, shapes = self._np_types or (), self._output_shapes or ()
        return tuple(Tensor(np.zeros(s, t)) for s, t in zip(shapes, types, strict=True))


def train_step_with_loss_warp(network: nn.Cell) -> nn.Cell:
    """Return one step of training of a network that predicts classes."""
    loss = nn.SoftmaxCrossEntropyWithLogits(reduction="mean")
    optimizer = nn.Momentum(network.trainable_params(), 0.1, 0.9)
    return nn.TrainOneStepCell(nn.WithLossCell(network, loss), optimizer)


def security_off_wrap(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test as it is; builds of MindSpore that leave out what it tests skip it."""
    return test


STAND_INS: dict[str, dict[str, Any]] = {
    "tests.ut.python.ops.test_math_ops": {"VirtualLoss": VirtualLoss},
    "tests.train_step_wrap": {"train_step_with_loss_warp": train_step_with_loss_warp},
    "tests.vm_impl": {"vm": None},
    "tests.dataset_mock": {"MindData": MindData},
    "tests.security_utils": {"security_off_wrap": security_off_wrap},
}
