"""The other optimizers: twenty steps against PyTorch or the definition, and cut over ranks against one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import nn, ops
from simpar.collectives import run_threads
from simpar.context import PYNATIVE_MODE, Context
from simpar.errors import ContextError
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from tests.nn.stepping import START, close, run, run_steps, run_torch

Array = NDArray[Any]


@pytest.fixture
def at_once(own_context: Context) -> None:
    own_context.mode = PYNATIVE_MODE


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("decay", [0.0, 0.03])
def test_those_that_pytorch_has_give_what_it_gives(decay: float) -> None:
    close(
        run(lambda ps: nn.Adagrad(ps, 0.2, 0.1, weight_decay=decay)),
        run_torch("Adagrad", lr=0.1, initial_accumulator_value=0.2, eps=0.0, weight_decay=decay),
    )
    close(
        run(lambda ps: nn.Adadelta(ps, 0.7, 0.8, 1e-5, weight_decay=decay)),
        run_torch("Adadelta", lr=0.7, rho=0.8, eps=1e-5, weight_decay=decay),
    )
    close(
        run(lambda ps: nn.AdaMax(ps, 0.02, 0.8, 0.95, weight_decay=decay)),
        run_torch("Adamax", lr=0.02, betas=(0.8, 0.95), weight_decay=decay),
    )


@pytest.mark.usefixtures("at_once")
def test_rprop() -> None:
    close(run(lambda ps: nn.Rprop(ps, 0.05)), run_torch("Rprop", lr=0.05))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_against_its_definition(centered: bool) -> None:
    mean, square, velocity = np.zeros((4, 6)), np.ones((4, 6)), np.zeros((4, 6))

    def step(w: Array, g: Array, number: int) -> Array:
        mean[:] = 0.8 * mean + 0.2 * g
        square[:] = 0.8 * square + 0.2 * g * g
        below = square - mean**2 if centered else square
        velocity[:] = 0.5 * velocity + 0.01 * g / np.sqrt(below + 1e-3)
        return w - velocity

    close(run(lambda ps: nn.RMSProp(ps, 0.01, 0.8, 0.5, 1e-3, centered=centered)), run_steps(step), 1e-4)


@pytest.mark.usefixtures("at_once")
def test_ftrl_against_its_definition() -> None:
    summed, linear = np.full((4, 6), 0.1), np.zeros((4, 6))

    def step(w: Array, g: Array, number: int) -> Array:
        grown = summed + g * g
        linear[:] += g - (np.sqrt(grown) - np.sqrt(summed)) / 0.05 * w
        summed[:] = grown
        return np.where(np.abs(linear) > 0.3, (0.3 * np.sign(linear) - linear) / (np.sqrt(grown) / 0.05 + 2 * 0.1), 0.0)

    close(run(lambda ps: nn.FTRL(ps, 0.1, 0.05, l1=0.3, l2=0.1)), run_steps(step), 1e-4)


@pytest.mark.usefixtures("at_once")
def test_proximal_adagrad_against_its_definition() -> None:
    summed = np.full((4, 6), 0.1)

    def step(w: Array, g: Array, number: int) -> Array:
        summed[:] += g * g
        moved = w - 0.1 * g / np.sqrt(summed)
        return np.sign(moved) * np.maximum(np.abs(moved) - 0.1 * 0.02, 0) / (1 + 0.1 * 0.3)

    close(run(lambda ps: nn.ProximalAdagrad(ps, 0.1, 0.1, l1=0.02, l2=0.3)), run_steps(step))


@pytest.mark.usefixtures("at_once")
def test_lazy_and_offloaded_adam_are_adam() -> None:
    wanted = run(lambda ps: nn.Adam(ps, 0.01))
    np.testing.assert_array_equal(run(lambda ps: nn.LazyAdam(ps, 0.01)), wanted)
    np.testing.assert_array_equal(run(lambda ps: nn.AdamOffload(ps, 0.01)), wanted)


def lamb_step() -> Callable[[Array, Array, int], Array]:
    m, v = np.zeros((4, 6)), np.zeros((4, 6))

    def step(w: Array, g: Array, number: int) -> Array:
        m[:] = 0.8 * m + 0.2 * g
        v[:] = 0.9 * v + 0.1 * g * g
        r = m / (1 - 0.8**number) / (np.sqrt(v / (1 - 0.9**number)) + 1e-5) + 0.02 * w
        return w - 0.05 * np.linalg.norm(w) / np.linalg.norm(r) * r

    return step


@pytest.mark.usefixtures("at_once")
def test_lamb_against_its_definition() -> None:
    close(run(lambda ps: nn.Lamb(ps, 0.05, 0.8, 0.9, 1e-5, 0.02)), run_steps(lamb_step()), 1e-4)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("clip", [False, True])
def test_lars_scales_gradients_by_norms(clip: bool) -> None:
    def step(w: Array, g: Array, number: int) -> Array:
        trust = 0.02 * np.linalg.norm(w) / (np.linalg.norm(g) + 0.1 * np.linalg.norm(w) + 1e-5)
        trust = min(trust / 0.005, 1.0) if clip else trust
        return w - 0.005 * trust * (g + 0.1 * w)

    made = run(lambda ps: nn.LARS(nn.SGD(ps, 0.005, weight_decay=0.1), 1e-5, 0.02, clip))
    close(made, run_steps(step))


@pytest.mark.usefixtures("at_once")
def test_lars_passes_on_what_its_filter_leaves_out() -> None:
    made = run(lambda ps: nn.LARS(nn.SGD(ps, 0.01), lars_filter=lambda p: p.name != "w"))
    close(made, run_torch("SGD", lr=0.01))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("beta1", [None, 0.9])
def test_adafactor_against_its_definition(beta1: float | None) -> None:
    row, column, average = np.zeros(4), np.zeros(6), np.zeros((4, 6))

    def step(w: Array, g: Array, number: int) -> Array:
        kept = 1 - number**-0.8
        rate = min(1e-2, 1 / np.sqrt(number)) * max(1e-3, np.sqrt((w * w).mean()))
        squares = g * g + 1e-30
        row[:] = kept * row + (1 - kept) * squares.mean(-1)
        column[:] = kept * column + (1 - kept) * squares.mean(-2)
        update = g / np.sqrt(np.outer(row / row.mean(), column))
        update *= rate / max(1.0, np.sqrt((update * update).mean()))
        if beta1:
            average[:] = beta1 * average + (1 - beta1) * update
            update = average
        return w - 0.05 * rate * w - update

    close(run(lambda ps: nn.AdaFactor(ps, beta1=beta1, weight_decay=0.05)), run_steps(step), 1e-4)


@pytest.mark.parametrize(
    "make",
    [
        lambda ps: nn.Lamb(ps, 0.05, weight_decay=0.02),
        lambda ps: nn.LARS(nn.Momentum(ps, 0.05, 0.9, weight_decay=0.1), coefficient=0.1),
        lambda ps: nn.AdaFactor(ps),
        lambda ps: nn.FTRL(ps, learning_rate=0.05, l1=0.01),
        lambda ps: nn.RMSProp(ps, 0.01, centered=True, epsilon=1e-2),
        lambda ps: nn.Rprop(ps, 0.01),
        lambda ps: nn.AdaMax(ps),
    ],
    ids=["lamb", "lars", "adafactor", "ftrl", "rmsprop", "rprop", "adamax"],
)
@pytest.mark.parametrize("sharded", [False, True])
def test_a_cut_weight_is_updated_as_a_whole_one(make: Any, sharded: bool) -> None:
    def train(ranks: int) -> list[Array]:
        ms.set_seed(3)
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel",
            full_batch=True,
            enable_parallel_optimizer=sharded,
            parallel_optimizer_config={"parallel_optimizer_threshold": 0},
        )

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.w = Parameter(Tensor(START), name="w")
                self.b = Parameter(Tensor(START[0]), name="b")
                self.product = ops.MatMul()
                self.product.shard(((2, 1), (1, 2)) if ranks == 4 else ((1, 1), (1, 1)))

            def construct(self, x: Tensor) -> Tensor:
                y = ops.tanh(self.product(x, self.w) + self.b)
                return (y * y).mean()

        net = Net()
        step = nn.TrainOneStepCell(net, make(net.trainable_params()))
        x = Tensor(np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4))
        losses = [float(step(x)) for _ in range(5)]
        return [np.array(losses), *(ms.parallel.full_tensor(p).asnumpy() for p in net.trainable_params())]

    whole, cut = train(1), run_threads(4, train, 4)[0]
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ps: nn.AdaFactor(ps, 0.1), "exclude each other"),
        (lambda ps: nn.AdaFactor(ps, relative_step=False), "a learning_rate is needed"),
        (lambda ps: nn.Lamb(ps, 0.1, beta1=1.0), "betas are between 0 and 1"),
        (lambda ps: nn.Adagrad(ps, accum=-1.0), "accum is -1.0"),
        (lambda ps: nn.FTRL(ps, lr_power=0.5), "at most 0"),
        (lambda ps: nn.Rprop(ps, etas=(1.5, 2.0)), "below and above 1"),
    ],
)
def test_numbers_out_of_range_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ContextError, match=words):
        make([Parameter(Tensor(START), name="w")])


def test_compressed_second_moments_are_halves_that_change_the_steps_by_their_rounding() -> None:
    made: list[Parameter] = []
    for compression in (False, True):
        weight = Parameter(Tensor(START[0]), name="w")
        optimizer = nn.AdaFactor([weight], compression=compression)
        for _ in range(3):
            optimizer((Tensor(START[0] + 0.5),))
        made.append(weight)
        assert optimizer.exp_avg_sq[0].dtype == (ms.float16 if compression else ms.float32)
    np.testing.assert_allclose(made[1].asnumpy(), made[0].asnumpy(), rtol=2e-3)
