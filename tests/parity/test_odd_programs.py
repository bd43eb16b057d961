"""Programs that users write and tests forget: each is equal to one device on any number of ranks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from tests.parity.runs import Piece, held, piece, together

Program = Callable[[int], Mapping[str, Any]]
DATA = np.random.default_rng(0).standard_normal((12, 12)).astype(np.float32)
X = Tensor(DATA)


class Body(nn.Cell):
    """A Cell whose construct is a function of itself and the inputs."""

    def __init__(self, body: Callable[..., Any], **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)
        self.body = body

    def construct(self, *given: Any) -> Any:
        return self.body(self, *given)


def weight(shape: tuple[int, ...], name: str, init: Any = "normal", dtype: Any = ms.float32) -> Parameter:
    return Parameter(initializer(init, shape, dtype), name=name)


def train(net: nn.Cell, *inputs: Tensor) -> dict[str, Any]:
    weights = net.trainable_params()
    optimizer = nn.Momentum(weights, 0.1, 0.9)
    gradients_of = ms.value_and_grad(net, None, weights)

    @ms.jit
    def step(*inputs: Tensor) -> Any:
        loss, gradients = gradients_of(*inputs)
        optimizer(gradients)
        return loss

    return {"losses": Tensor([step(*inputs).item() for _ in range(3)]), **held(weights)}


def a_parameter_that_nothing_uses(n: int) -> Mapping[str, Any]:
    return train(Body(lambda s, x: ops.mean(ops.square(x @ s.w)), w=weight((12, 4), "w"), u=weight((5,), "u")), X)


def gradients_without_jit(n: int) -> Mapping[str, Any]:
    matmul = ops.MatMul().shard(((1, 1), (1, n)))
    net = Body(lambda s, x: ops.mean(ops.tanh(matmul(x, s.w))), w=weight((12, 12), "w"))
    optimizer, gradients_of = nn.SGD(net.trainable_params(), 0.5), ms.value_and_grad(net, None, [net.w])
    found: dict[str, Any] = {}
    for _ in range(2):
        found["loss"], (found["gradient"],) = gradients_of(X)
        optimizer((found["gradient"],))
    return {**found, **held([net.w])}


def other_batches_in_evaluation(n: int) -> Mapping[str, Any]:
    matmul = ops.MatMul().shard(((n, 1), (1, 1)))
    net = Body(lambda s, x: matmul(s.dropout(ops.tanh(x)), s.w), w=weight((12, 6), "w"), dropout=nn.Dropout(p=0.5))
    loss = Body(lambda s, x: ops.mean(ops.square(s.net(x))), net=net).set_train()
    trained = train(loss, X)
    net.set_train(False)
    return {**trained, "24": net(Tensor(np.concatenate([DATA, DATA]))), "12": net(X)}


def batches_that_do_not_divide(n: int) -> Mapping[str, Any]:
    net = Body(lambda s, x: x @ s.w, w=weight((12, 6), "w"))
    return {str(rows): net(Tensor(DATA[:rows])) for rows in (7, 1, 0, 12)}


def programs_that_share_a_parameter(n: int) -> Mapping[str, Any]:
    rows = ops.MatMul().shard(((n, 1), (1, 1)))
    inner = ops.MatMul().shard(((1, n), (n, 1)))
    columns = ops.MatMul().shard(((1, 1), (1, n)))
    w = weight((12, 12), "w")
    first = train(Body(lambda s, x: ops.mean(ops.square(rows(x, s.w))), w=w), X)["losses"]
    second = train(Body(lambda s, x: ops.mean(ops.square(inner(x, s.w) - 1)), w=w), X)["losses"]
    seen = Body(lambda s, x: columns(x, s.w), w=w)(X)
    all_three = Body(lambda s, x: ops.mean(ops.square(columns(ops.tanh(inner(rows(x, s.w), s.w)), s.w))), w=w)
    return {"first": first, "second": second, "seen": seen, **train(all_three, X)}


def scalar_parameters(n: int) -> Mapping[str, Any]:
    a, b = Parameter(Tensor(1.5, ms.float32), name="a"), Parameter(0.5, name="b")
    return train(Body(lambda s, x: ops.mean(ops.square(x * s.a + s.b)), a=a, b=b), X)


def doubles(n: int) -> Mapping[str, Any]:
    matmul = ops.MatMul().shard(((1, n), (n, 1)))
    net = Body(lambda s, x: ops.mean(ops.square(matmul(x, s.w))), w=weight((12, 4), "w", dtype=ms.float64))
    return train(net, Tensor(DATA.astype(np.float64)))


def values_set_between_steps(n: int) -> Mapping[str, Any]:
    matmul = ops.MatMul().shard(((1, 1), (1, n)))
    net = Body(lambda s, x: ops.mean(ops.square(matmul(x, s.w))), w=weight((12, 12), "w"))
    optimizer, gradients_of = nn.SGD([net.w], 0.5), ms.value_and_grad(net, None, [net.w])

    @ms.jit
    def step(x: Tensor) -> Any:
        loss, gradients = gradients_of(x)
        optimizer(gradients)
        return loss

    losses = [step(X)]
    for value in (X, net.w.clone(), initializer("ones", (12, 12), ms.float32)):
        net.w.set_data(value)
        losses.append(step(X))
    optimizer.learning_rate.set_data(Tensor(0.01, ms.float32))
    losses += [step(X), step(X)]
    return {"losses": Tensor([loss.item() for loss in losses]), **held([net.w])}


def ops_without_a_strategy_after_cut_ones(n: int) -> Mapping[str, Any]:
    rows, columns = ops.ReLU().shard(((n, 1),)), ops.ReLU().shard(((1, n),))

    def loss(s: Any, x: Tensor) -> Tensor:
        y, z = rows(x @ s.w), columns(x @ s.v)
        best = ops.argmax(y, 1)
        parts = [
            ops.concat((y, z), 0)[3:20:2],
            ops.split(z, 4, 0)[1],
            ops.amax(y, 0) + z.sum(1),
            ops.softmax(y, 0) * ops.gather(z, best, 0),
            ops.stack((y, z), 1).reshape((24, 12)),
            ops.tile(y, (2, 1)),
            ops.cumsum(y, 0),
            ops.where(y > z, y, z * 2),
            ops.layer_norm(z, (12,), s.gamma, s.beta, 1e-5),
            ops.prod(ops.tanh(y) + 1, 1),
            ops.bmm(y.reshape((3, 4, 12)), z.reshape((3, 12, 4))),
            y.T[2],
            ops.one_hot(best, 12) * y,
            ops.pad(y, (0, 3, 1, 2)),
        ]
        means = [ops.mean(ops.square(p)) for p in parts]
        return sum(means[1:], means[0])

    normal = {"gamma": weight((12,), "gamma", "ones"), "beta": weight((12,), "beta", "zeros")}
    return train(Body(loss, w=weight((12, 12), "w"), v=weight((12, 12), "v"), **normal), X)


PROGRAMS: tuple[Program, ...] = (
    a_parameter_that_nothing_uses,
    gradients_without_jit,
    other_batches_in_evaluation,
    batches_that_do_not_divide,
    programs_that_share_a_parameter,
    scalar_parameters,
    doubles,
    values_set_between_steps,
    ops_without_a_strategy_after_cut_ones,
)


def run(program: Program, n: int) -> dict[str, Piece]:
    """Run a program on one rank and note what it left."""
    ms.set_seed(1)
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    found = program(n).items()
    return {name: value if isinstance(value, Piece) else piece(value) for name, value in found}


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_it_is_equal_to_one_device(program: Program, n: int) -> None:
    alone, ranks = run_threads(1, run, program, 1)[0], run_threads(n, run, program, n)
    for name, wanted in alone.items():
        got = together([rank[name] for rank in ranks])
        np.testing.assert_allclose(got, wanted.array, rtol=2e-4, atol=1e-6, err_msg=name)
