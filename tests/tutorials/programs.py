"""The programs of MindSpore's tutorials on parallel training, small: each trains for three steps and returns losses.

A program is given whether to train in parallel; if not, it is that of one device.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import simpar as ms
from simpar import Parameter, Tensor, mint, nn, ops
from simpar.common import no_init_parameters
from simpar.common.initializer import Normal, initializer
from simpar.communication import get_group_size, get_rank
from simpar.parallel import Layout
from simpar.parallel.auto_parallel import AutoParallel
from simpar.parallel.nn import GradAccumulation, MicroBatchInterleaved

RANDOM = np.random.default_rng(7)
IMAGES = RANDOM.standard_normal((16, 1, 4, 8)).astype(np.float32)
LABELS = RANDOM.integers(0, 10, 16).astype(np.int32)
STEPS = 3
Step = Callable[..., Any]


class Network(nn.Cell):
    """Three layers whose products and rectifiers may be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = ops.Flatten()
        self.fc1_weight = Parameter(initializer(Normal(0.2), [32, 64]))
        self.fc2_weight = Parameter(initializer(Normal(0.2), [64, 64]))
        self.fc3_weight = Parameter(initializer(Normal(0.2), [64, 10]))
        self.matmul1, self.relu1 = ops.MatMul(), ops.ReLU()
        self.matmul2, self.relu2 = ops.MatMul(), ops.ReLU()
        self.matmul3 = ops.MatMul()

    def construct(self, x: Tensor) -> Tensor:
        x = self.relu1(self.matmul1(self.flatten(x), self.fc1_weight))
        x = self.relu2(self.matmul2(x, self.fc2_weight))
        return self.matmul3(x, self.fc3_weight)


class Layers(nn.Cell):
    """The same of layers, in a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.layer1, self.relu1 = nn.Dense(32, 64), nn.ReLU()
        self.layer2, self.relu2 = nn.Dense(64, 64), nn.ReLU()
        self.layer3 = nn.Dense(64, 10)

    def construct(self, x: Tensor) -> Tensor:
        x = self.relu1(self.layer1(self.flatten(x)))
        return self.layer3(self.relu2(self.layer2(x)))


class MintNetwork(Network):
    """The same of functions, two of which may be cut."""

    def __init__(self, first: tuple[Any, ...] | None, second: tuple[Any, ...] | None) -> None:
        super().__init__()
        self.product1 = ms.parallel.shard(mint.matmul, in_strategy=first) if first else mint.matmul
        self.product2 = ms.parallel.shard(mint.matmul, in_strategy=second) if second else mint.matmul

    def construct(self, x: Tensor) -> Tensor:
        x = mint.nn.functional.relu(self.product1(mint.flatten(x, start_dim=1, end_dim=3), self.fc1_weight))
        x = mint.nn.functional.relu(self.product2(x, self.fc2_weight))
        return mint.matmul(x, self.fc3_weight)


def step_of(net: nn.Cell, rate: float = 0.1) -> Step:
    """Return a function that trains ``net`` by one batch and returns its loss."""
    optimizer, loss_of = nn.SGD(net.trainable_params(), rate), nn.CrossEntropyLoss()

    def forward(data: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        logits = net(data)
        return loss_of(logits, target), logits

    gradients_of = ms.value_and_grad(forward, None, net.trainable_params(), has_aux=True)

    def step(data: Tensor, target: Tensor) -> Tensor:
        (loss, _), gradients = gradients_of(data, target)
        optimizer(gradients)
        return loss

    return step


def train(step: Step, images: Any = IMAGES, labels: Any = LABELS) -> list[float]:
    """Return the losses of three steps on the same batch."""
    return [float(step(Tensor(images), Tensor(labels))) for _ in range(STEPS)]


def whole_batch(step: Step, in_parallel: bool, **options: Any) -> Any:
    """Return the step under AutoParallel, each rank given the whole batch; alone, the step as a program."""
    if not in_parallel:
        return ms.jit(step)
    made = AutoParallel(step, **options)
    made.dataset_strategy("full_batch")
    return made


def operator_parallel(in_parallel: bool) -> list[float]:
    """Cut operators by counts of slices."""
    with no_init_parameters():
        net = Network()
    if in_parallel:
        net.matmul1.shard(((2, 4), (4, 1)))
        net.relu1.shard(((4, 1),))
        net.matmul2.shard(((1, 8), (8, 1)))
        net.relu2.shard(((8, 1),))
    return train(whole_batch(step_of(net), in_parallel))


def operator_parallel_by_layouts(in_parallel: bool) -> list[float]:
    """Cut operators by layouts, one axis by two device axes."""
    net = Network()
    if in_parallel:
        layout, line = Layout((2, 2, 2), ("dp", "sp", "mp")), Layout((8,), ("tp",))
        net.matmul1.shard((layout("mp", ("sp", "dp")), layout(("sp", "dp"), "None")))
        net.matmul2.shard((line("None", "tp"), line("tp", "None")))
    return train(whole_batch(step_of(net), in_parallel))


def tensor_parallel_in_two_dimensions(in_parallel: bool) -> list[float]:
    """Gather operands and scatter results along two device axes in turn."""
    net = Network()
    if in_parallel:
        layout = Layout((2, 4), ("x", "y"))
        net.matmul1.add_prim_attr("enable_nd_tp", True)
        net.matmul1.shard((layout("None", ("x", "y")), layout("x", "y")))
        net.relu1.shard((layout("None", ("y", "x")),))
        net.matmul2.add_prim_attr("enable_nd_tp", True)
        net.matmul2.shard((layout("None", ("y", "x")), layout("y", "x")))
    return train(whole_batch(step_of(net), in_parallel))


def tensor_parallel_in_three_dimensions(in_parallel: bool) -> list[float]:
    """Gather activations and weights along a device axis each."""
    net = Network()
    if in_parallel:
        layout = Layout((2, 2, 2), ("z", "x", "y"))
        net.matmul1.add_prim_attr("enable_nd_tp", True)
        net.matmul1.shard((layout(("z", "y"), "x"), layout(("x", "z"), "y")))
        net.relu1.shard((layout(("z", "x"), "y"),))
        net.matmul2.add_prim_attr("enable_nd_tp", True)
        net.matmul2.shard((layout(("z", "x"), "y"), layout(("y", "z"), "x")))
    return train(whole_batch(step_of(net), in_parallel))


def functions_in_parallel(in_parallel: bool) -> list[float]:
    """Cut functions with ``parallel.shard``."""
    layout = Layout((2, 2, 2), ("dp", "sp", "mp"))
    first = (layout("mp", ("sp", "dp")), layout(("sp", "dp"), "None"))
    net = MintNetwork(first, ((1, 8), (8, 1))) if in_parallel else MintNetwork(None, None)
    return train(whole_batch(step_of(net), in_parallel))


def optimizer_parallel(in_parallel: bool) -> list[float]:
    """Store Parameters and what the optimizer keeps in slices, their collectives fused by layer."""
    net = Layers()
    for number, layer in enumerate((net.layer1, net.layer2, net.layer3)):
        layer.set_comm_fusion(number)
    step = whole_batch(step_of(net), in_parallel)
    if in_parallel:
        step.hsdp(threshold=0)
        step.comm_fusion({"allreduce": {"mode": "auto", "config": None}})
    return train(step)


def gradient_accumulation(in_parallel: bool) -> list[float]:
    """Add up the gradients of four micro-batches, then train."""
    net = GradAccumulation(nn.WithLossCell(Layers(), nn.CrossEntropyLoss()), 4)
    trained = nn.TrainAccumulatedStepCell(net, nn.SGD(net.trainable_params(), 0.1))
    return train(whole_batch(trained, in_parallel))


def multiple_copies(in_parallel: bool) -> list[float]:
    """Interleave two halves of the batch, so that one may compute while the other communicates."""
    net = MicroBatchInterleaved(nn.WithLossCell(Layers(), nn.CrossEntropyLoss()), 2)
    return train(whole_batch(nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.1)), in_parallel))


def dataset_slice(in_parallel: bool) -> list[float]:
    """Read images in four strips, each rank its own."""
    step = ms.jit(step_of(Layers()))
    if not in_parallel:
        return train(step)
    made = AutoParallel(step)
    made.dataset_strategy(((1, 1, 1, 4), (1,)))
    strip = get_rank() % 4
    return train(made, IMAGES[:, :, :, 2 * strip : 2 * strip + 2])


def recomputation(in_parallel: bool) -> list[float]:
    """Compute parts of the forward pass again for the backward pass."""
    net = Layers()
    net.relu1.recompute()
    net.layer2.recompute()
    return train(whole_batch(step_of(net), in_parallel))


def sharding_propagation(in_parallel: bool) -> list[float]:
    """Cut one operator; the others follow it."""
    net = Network()
    net.matmul1.shard(((2, 1), (1, 4)) if in_parallel else None)
    options = {"parallel_mode": "sharding_propagation"} if in_parallel else {}
    return train(whole_batch(step_of(net), in_parallel, **options))


def data_parallel(in_parallel: bool) -> list[float]:
    """Train each rank on its part of the batch, with averaged gradients; the mean of the ranks' losses."""
    if not in_parallel:
        return train(ms.jit(step_of(Layers())))
    ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True)
    net, loss_of = Layers(), nn.CrossEntropyLoss()
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    gradients_of = ms.value_and_grad(lambda x, y: loss_of(net(x), y), None, net.trainable_params())
    reduce_gradients, mean = nn.DistributedGradReducer(optimizer.parameters), ops.AllReduce()

    def step(data: Tensor, target: Tensor) -> Tensor:
        loss, gradients = gradients_of(data, target)
        optimizer(reduce_gradients(gradients))
        return mean(loss) / get_group_size()

    mine = slice(get_rank(), None, get_group_size())
    return train(step, IMAGES[mine], LABELS[mine])


def manual_parallel(in_parallel: bool) -> list[float]:
    """Take the rank's rows and average loss and gradients by hand, in a program of each rank's own."""
    n, rank = (get_group_size(), get_rank()) if in_parallel else (1, 0)
    net, loss_of, join = Layers(), nn.CrossEntropyLoss(), ops.AllReduce()
    rows = slice(rank * 16 // n, (rank + 1) * 16 // n)
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    gradients_of = ms.value_and_grad(lambda x, y: loss_of(net(x[rows]), y[rows]), None, net.trainable_params())

    @ms.jit
    def step(data: Tensor, target: Tensor) -> Tensor:
        loss, gradients = gradients_of(data, target)
        if n == 1:
            optimizer(gradients)
            return loss
        optimizer(tuple(join(g) / n for g in gradients))
        return join(loss) / n

    return train(step)


PROGRAMS = (
    operator_parallel,
    operator_parallel_by_layouts,
    tensor_parallel_in_two_dimensions,
    tensor_parallel_in_three_dimensions,
    functions_in_parallel,
    optimizer_parallel,
    gradient_accumulation,
    multiple_copies,
    dataset_slice,
    recomputation,
    sharding_propagation,
    data_parallel,
    manual_parallel,
)
