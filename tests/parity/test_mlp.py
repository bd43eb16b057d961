"""MLPs under any legal strategy, against one device; and against PyTorch."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simpar as ms
from simpar import Tensor, nn
from simpar.collectives import run_threads
from tests.parity.models import MLP
from tests.parity.runs import Piece, Run, assert_equal_to_one_device, held, piece
from tests.parity.strategies import zero

Sizes = tuple[int, int, int, int]  # rows, inputs, hidden, outputs


def data(sizes: Sizes, steps: int) -> list[tuple[Tensor, Tensor]]:
    rows, inputs, _, outputs = sizes
    rng = np.random.default_rng(5)
    x = rng.standard_normal((steps, rows, inputs), np.float32)
    y = np.tanh(x @ rng.standard_normal((inputs, outputs), np.float32))
    return [(Tensor(a), Tensor(b)) for a, b in zip(x, y, strict=True)]


def train(n: int, sizes: Sizes, cuts: Mapping[str, Any], options: Mapping[str, Any], steps: int) -> Run:
    """Train on one rank."""
    ms.set_seed(3)
    if n > 1:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, **options)
    net = MLP(cuts, sizes[1:])
    weights = net.trainable_params()
    optimizer = nn.Momentum(weights, 0.1, 0.9)
    with_gradients = ms.value_and_grad(net, None, weights)

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Any:
        loss, gradients = with_gradients(x, y)
        optimizer(gradients)
        return loss, gradients

    losses, found = list[float](), dict[str, Piece]()
    for x, y in data(sizes, steps):
        loss, gradients = step(x, y)
        found = found or {p.name: piece(g) for p, g in zip(weights, gradients, strict=True)}
        losses.append(loss.item())
    return Run(tuple(losses), held(weights), found, {})


def cuts_of(lengths: tuple[int, ...], n: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Give every way to cut axes evenly into parts whose number divides the devices."""
    ways: list[tuple[int, ...]] = [()]
    for length in lengths:
        ways = [(*way, c) for way in ways for c in range(1, n + 1) if length % c == 0 and n % prod((*way, c)) == 0]
    return st.sampled_from(ways)


@st.composite
def programs(draw: st.DrawFn) -> tuple[int, Sizes, dict[str, Any], dict[str, Any]]:
    n = draw(st.sampled_from([2, 4, 8, 3, 6]))
    lengths = st.sampled_from([n, 2 * n, 8, 12, 6])
    b, d, h, o = sizes = draw(st.tuples(lengths, lengths, lengths, lengths))
    up, down = draw(cuts_of((b, d, h), n)), draw(cuts_of((b, h, o), n))
    rows, columns = draw(cuts_of((b, h), n))
    error = draw(cuts_of((b, o), n))
    cuts = {
        "up": (up[:2], up[1:]),
        "down": (down[:2], down[1:]),
        "bias": ((rows, columns), (columns,)),
        "tanh": (draw(cuts_of((b, h), n)),),
        "error": (error, error),
    }
    left_out = draw(st.sets(st.sampled_from(sorted(cuts)), max_size=2))
    size = draw(st.sampled_from([-1, 2, n]))
    options = zero(size) if draw(st.booleans()) else {}
    return n, sizes, {k: v for k, v in cuts.items() if k not in left_out}, options


@given(programs())
@settings(max_examples=25)
def test_any_legal_strategy_is_equal_to_one_device(program: tuple[int, Sizes, dict[str, Any], dict[str, Any]]) -> None:
    n, sizes, cuts, options = program
    alone = run_threads(1, train, 1, sizes, {}, {}, 2)[0]
    runs = run_threads(n, train, n, sizes, cuts, options, 2)
    assert_equal_to_one_device(runs, alone, first=False)


CASES: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "alone": (1, {}, {}),
    "data": (4, {"up": ((4, 1), (1, 1)), "down": ((4, 1), (1, 1))}, zero()),
    "column-row": (2, {"up": ((1, 1), (1, 2)), "bias": ((1, 2), (2,)), "down": ((1, 2), (2, 1))}, {}),
    "all-ways": (8, {"up": ((2, 2), (2, 2)), "down": ((2, 2), (2, 2))}, zero(2)),
}


@pytest.fixture(scope="module")
def losses_in_torch() -> list[float]:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    sizes = (8, 8, 16, 8)
    first = run_threads(1, first_weights, sizes)[0]
    up, down, bias = (torch.tensor(first[name], requires_grad=True) for name in ("up", "down", "bias"))
    optimizer = torch.optim.SGD([up, down, bias], 0.1, 0.9)
    losses: list[float] = []
    for x, y in data(sizes, 100):
        made = torch.tanh(torch.tensor(x.asnumpy()) @ up + bias) @ down
        loss = ((made - torch.tensor(y.asnumpy())) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def first_weights(sizes: Sizes) -> dict[str, Any]:
    ms.set_seed(3)
    return {p.name: np.array(p.init_data().asnumpy()) for p in MLP({}, sizes[1:]).trainable_params()}


@pytest.mark.parametrize("name", CASES)
def test_a_hundred_losses_are_those_of_torch(name: str, losses_in_torch: list[float]) -> None:
    n, cuts, options = CASES[name]
    for run in run_threads(n, train, n, (8, 8, 16, 8), cuts, options, 100):
        np.testing.assert_allclose(run.losses, losses_in_torch, rtol=1e-4)
