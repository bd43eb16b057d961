"""A network to plan for many devices: 24 blocks of two layers, cut over tensor-parallel groups of 16, and a head."""

import simpar as ms
from simpar import nn, ops
from simpar.common.initializer import initializer
from simpar.communication import get_group_size, init

WIDTH, HIDDEN, CLASSES, BATCH = 2048, 8192, 32_768, 8192
TENSOR_PARALLEL = 16


class Block(nn.Cell):
    def __init__(self, dp: int, tp: int) -> None:
        super().__init__()
        self.up = ms.Parameter(initializer("normal", (WIDTH, HIDDEN)), name="up.weight")
        self.down = ms.Parameter(initializer("normal", (HIDDEN, WIDTH)), name="down.weight")
        self.first = ops.MatMul().shard(((dp, 1), (1, tp)))
        self.relu = ops.ReLU().shard(((dp, tp),))
        self.second = ops.MatMul().shard(((dp, tp), (tp, 1)))
        self.add = ops.Add().shard(((dp, 1), (dp, 1)))

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        return self.add(x, self.second(self.relu(self.first(x, self.up)), self.down))


class Net(nn.Cell):
    def __init__(self, dp: int, tp: int) -> None:
        super().__init__()
        self.blocks = nn.CellList([Block(dp, tp) for _ in range(24)])
        self.head = ms.Parameter(initializer("normal", (WIDTH, CLASSES)), name="head.weight")
        self.matmul = ops.MatMul().shard(((dp, 1), (1, tp)))

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        for block in self.blocks:
            x = block(x)
        y = self.matmul(x, self.head)
        return ops.mean(y * y)


def main() -> None:
    init()
    dp, tp = get_group_size() // TENSOR_PARALLEL, TENSOR_PARALLEL
    ms.set_auto_parallel_context(
        parallel_mode="semi_auto_parallel", dataset_strategy="full_batch", enable_parallel_optimizer=True
    )
    net = Net(dp, tp)
    for i, block in enumerate(net.blocks):
        for weight in block.get_parameters():
            weight.comm_fusion = 1 + i // 6
    step = nn.TrainOneStepCell(net, nn.Momentum(net.trainable_params(), 0.1, 0.9))
    step(ms.Tensor(initializer("zeros", (BATCH, WIDTH)).init_data()))


if __name__ == "__main__":
    main()
