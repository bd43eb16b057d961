"""Messages that the user writes, between ranks that run programs of their own."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Tensor, ops
from simpar.collectives import run_threads
from simpar.communication import get_rank, init
from simpar.errors import DTypeError, PlanMismatchError, RuleError


def start() -> int:
    init()
    ms.set_auto_parallel_context(parallel_mode="hybrid_parallel")
    return get_rank()


def ring(n: int) -> Any:
    """Send to the next rank and receive from the one before."""
    rank = start()
    shapes = ([2, 3],)
    move = ops.NeighborExchange([(rank + 1) % n], [(rank - 1) % n], shapes, shapes, ms.float32)
    x = Tensor(np.full((2, 3), rank + 1.0, "f4"))
    weight = float(10 * (rank + 1))
    value, gradient = ms.value_and_grad(lambda x: (move((x,))[0] * weight).sum())(x)
    eager = move((x,))[0]
    return value.item(), gradient.asnumpy(), eager.asnumpy()


def test_a_ring_of_exchanges_hands_on_values_and_hands_back_gradients() -> None:
    for rank, (value, gradient, eager) in enumerate(run_threads(3, ring, 3)):
        before, behind = (rank - 1) % 3 + 1, (rank + 1) % 3 + 1
        assert value == 6 * before * 10 * (rank + 1)
        np.testing.assert_array_equal(gradient, np.full((2, 3), 10.0 * behind))
        np.testing.assert_array_equal(eager, np.full((2, 3), float(before)))


def one_way() -> list[float]:
    rank = start()
    x = Tensor(np.arange(4, dtype="f4"))

    @ms.jit
    def step(x: Tensor) -> Tensor:
        if rank == 0:
            return ops.Send(7, 1)(x * 2)
        return ops.Receive(7, 0, [4], ms.float32)() + x

    return step(x).tolist()


def test_what_one_rank_sends_another_receives() -> None:
    assert run_threads(2, one_way) == [[0, 2, 4, 6], [0, 3, 6, 9]]


def nobody_receives() -> None:
    rank = start()
    ms.jit(lambda x: ops.Send(0, 1)(x) if rank == 0 else x * 2)(Tensor(np.ones(2, "f4")))


def test_a_message_that_nobody_receives_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(
        PlanMismatchError, match=r"rank 0 has a message of float32 \(2,\) for rank 1, which receives none"
    ):
        run_threads(2, nobody_receives)


def borders() -> Any:
    """Two ranks, one above the other: each gives a row; a side without a neighbour stays as it is."""
    rank = start()
    x = Tensor(np.arange(4, dtype="f4").reshape(1, 1, 2, 2) + 10 * rank)
    none = [-1] * 8
    at = 4 if rank == 0 else 0
    ranks = [1 - rank if k == at else n for k, n in enumerate(none)]
    rows = [0, 1] if rank == 0 else [1, 0]
    move = ops.NeighborExchangeV2(ranks, [*rows, 0, 0], ranks, [*rows, 1 - rank, 0], "NCHW")
    made, gradient = ms.value_and_grad(lambda x: (ops.square(move(x)).sum(), move(x)), has_aux=True)(x)
    return made[1].asnumpy()[0, 0].tolist(), gradient.asnumpy()[0, 0].tolist()


def test_borders_go_to_neighbours_and_their_gradients_come_back() -> None:
    upper, lower = run_threads(2, borders)
    assert upper[0] == [[0, 1], [2, 3], [10, 11]]
    assert lower[0] == [[2, 3], [10, 11], [12, 13]]
    assert upper[1] == [[0, 2], [8, 12]]  # its second row is squared on both ranks
    assert lower[1] == [[40, 44], [24, 26]]


def test_messages_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 send_rank_ids and 1 send_shapes"):
        ops.NeighborExchange([0, 1], [1], ([2],), ([2],), ms.float32)()
    with pytest.raises(DTypeError, match=r"send_rank_ids is \(0,\); give a list"):
        ops.NeighborExchange((0,), [], (), ([2],), ms.float32)()
    with pytest.raises(RuleError, match=r"sends Tensors of \[\(3,\)\], but was given \[\(2,\)\]"):
        ops.NeighborExchange([0], [0], ([3],), ([3],), ms.float32)((Tensor(np.ones(2)),))
    with pytest.raises(RuleError, match="rank 5 is none of the group's"):
        ops.Send(0, 5)(Tensor(np.ones(2)))
    with pytest.raises(RuleError, match="give 8 numbers of at least -1"):
        ops.NeighborExchangeV2([0], [0, 0, 0, 0], [0], [0, 0, 0, 0], "NCHW")(Tensor(np.ones((1, 1, 2, 2))))
    with pytest.raises(RuleError, match="names a rank twice"):
        ops.NeighborExchangeV2([0, 0] + [-1] * 6, [0] * 4, [-1] * 8, [0] * 4, "NCHW")(Tensor(np.ones((1, 1, 2, 2))))
