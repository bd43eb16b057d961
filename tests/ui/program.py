"""Trains two matrix products on eight ranks, device matrix (2, 4): the run that the tests look at."""

import numpy as np

import simpar as ms
from simpar import nn, ops
from simpar.communication import init
from simpar.context import current


class Net(nn.Cell):
    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.w1 = ms.Parameter(ms.Tensor(rng.normal(size=(64, 128)).astype(np.float32) / 8), name="w1")
        self.w2 = ms.Parameter(ms.Tensor(rng.normal(size=(128, 16)).astype(np.float32) / 8), name="w2")
        self.matmul1 = ops.MatMul().shard(((rows, 1), (1, columns)))
        self.matmul2 = ops.MatMul().shard(((rows, columns), (columns, 1)))

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        y = self.matmul2(self.matmul1(x, self.w1), self.w2)
        return ops.mean(y * y)


def main() -> None:
    init()
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", dataset_strategy="full_batch")
    rows, columns = {1: (1, 1), 4: (2, 2), 8: (2, 4)}[current().device_num]
    net = Net(rows, columns)
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))
    x = ms.Tensor(np.random.default_rng(1).normal(size=(32, 64)).astype(np.float32))
    for _ in range(5):
        step(x)


if __name__ == "__main__":
    main()
