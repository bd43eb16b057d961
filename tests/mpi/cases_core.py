"""Training on real ranks: equal to one device, and errors that every rank raises."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import simpar as ms
from simpar import Tensor, nn, ops
from simpar.collectives import World, solo_world
from simpar.context import Context, entered
from simpar.errors import PlanMismatchError
from tests.mpi.harness import on_ranks, refusal
from tests.parity import test_mlp as mlp
from tests.parity.runs import assert_equal_to_one_device, train_gpt
from tests.parity.strategies import STRATEGIES, Way, zero


def alone(train: Any, *args: Any) -> Any:
    """Run a program on one device."""
    with entered(Context(world=solo_world())):
        return train(*args)


def runs_of(world: World, train: Any, *args: Any) -> list[Any]:
    """Run a program on all ranks and return what each of them noted."""
    with entered(Context(world=world)):
        run = train(*args)
    return world.communicator.gather_objects(run)


def check_gpt(world: World, name: str) -> None:
    way = STRATEGIES[name]
    runs = runs_of(world, train_gpt, way, 2, True)
    if world.rank == 0:
        assert_equal_to_one_device(runs, alone(train_gpt, Way(1, shape=way.shape), 2, True))


@on_ranks(4, threads=False)
def case_a_gpt_with_data_tensor_and_optimizer_parallelism_is_equal_to_one_device(world: World) -> None:
    check_gpt(world, "dp2-tp2-optimizer")


@on_ranks(4, threads=False)
def case_a_gpt_with_cut_vocabulary_is_equal_to_one_device(world: World) -> None:
    check_gpt(world, "vocabulary-tied")


@on_ranks(4, threads=False)
def case_a_gpt_with_cut_sequence_is_equal_to_one_device(world: World) -> None:
    check_gpt(world, "sequence")


@on_ranks(8, threads=False)
def case_a_gpt_with_three_cuts_is_equal_to_one_device(world: World) -> None:
    check_gpt(world, "2x2x2-cut-reduction")


@on_ranks(2, 3, threads=False)
def case_an_mlp_with_a_parallel_optimizer_is_equal_to_one_device(world: World) -> None:
    n = world.size
    cuts: Mapping[str, Any] = {"up": ((n, 1), (1, 1)), "bias": ((1, n), (n,)), "down": ((1, n), (n, 1))}
    sizes = (12, 12, 24, 12)
    runs = runs_of(world, mlp.train, n, sizes, cuts, zero(), 10)
    if world.rank == 0:
        assert_equal_to_one_device(runs, alone(mlp.train, 1, sizes, {}, {}, 10), first=False)


@on_ranks(3, 4, threads=False)
def case_ranks_that_trace_different_programs_all_say_so(world: World) -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)

    @ms.jit
    def step(x: Tensor) -> Tensor:
        return ops.exp(x) if world.rank == world.size - 1 else ops.tanh(x)

    message = refusal(PlanMismatchError, lambda: step(Tensor(np.ones(4, np.float32))))
    assert "on rank 0 and" in message
    assert f"on rank {world.size - 1}" in message


@on_ranks(4, threads=False)
def case_data_parallel_gradients_are_the_mean_over_ranks(world: World) -> None:
    ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True)
    net = nn.Dense(3, 2, weight_init="ones", has_bias=False)
    optimizer = nn.SGD(net.trainable_params(), 1.0)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, Sum()), optimizer).set_train()
    rows = [np.full((1, 3), r, np.float32) for r in range(world.size)]
    step(Tensor(rows[world.rank]), Tensor(np.zeros((1, 2), np.float32)))
    np.testing.assert_allclose(net.weight.asnumpy(), 1 - np.mean(rows) * np.ones((2, 3)), rtol=1e-6)


class Sum(nn.Cell):
    """A loss whose gradient by the logits is one."""

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        return (logits - labels).sum()


def train_images(cuts: tuple[int, ...] | None) -> tuple[float, list[np.ndarray]]:
    """Train two convolutions for two steps; return the last loss and the gradients."""
    ms.reset_auto_parallel_context()
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    rng = np.random.default_rng(0)
    x, w, v = (Tensor(rng.standard_normal(s).astype("f4")) for s in ((2, 3, 8, 8), (4, 3, 3, 3), (2, 4, 3, 3)))
    first, second = ops.Conv2D(4, 3, pad_mode="same"), ops.Conv2D(2, 3, pad_mode="pad", pad=1, stride=2)
    if cuts is not None:
        first.shard((cuts, (1, 1, 1, 1)))
        second.shard((cuts, (1, 1, 1, 1)))
    step = ms.value_and_grad(lambda x, w, v: ops.reduce_sum(ops.square(second(ops.relu(first(x, w)), v))), (0, 1, 2))
    step(x, w, v)
    loss, gradients = step(x, w, v)  # replayed
    return loss.item(), [g.asnumpy() for g in gradients]


@on_ranks(4, threads=False)
def case_images_cut_by_rows_and_columns_exchange_halos_over_mpi(world: World) -> None:
    loss, expected = alone(train_images, None)
    for cuts in ((1, 1, 2, 2), (1, 1, 4, 1)):
        for got, made in runs_of(world, train_images, cuts):
            np.testing.assert_allclose(got, loss, rtol=1e-5)
            for one, other in zip(made, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)
