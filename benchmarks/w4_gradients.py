"""W4: sums of 200 gradients of 40 KB over the ranks: one by one, in buckets, and as one message.

Run ``python -m benchmarks.w4_gradients -n 4``. One program for each way, chosen with ``comm_fusion`` as a user does; of
each only the collectives are timed, with the copies they need. The measure is one hand-written Allreduce over a flat
buffer.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.pairs import Ranks, compare, open_ranks, parse_and_start, time_pairs

COUNT, LENGTH, RATE = 200, 10_000, 0.5
WAYS: dict[str, dict[str, Any]] = {
    "one by one": {"openstate": False},
    "buckets of 1 MB": {"allreduce": {"mode": "size", "config": 1}},
    "buckets of 2 MB": {"allreduce": {"mode": "size", "config": 2}},
    "one message": {"allreduce": {"mode": "auto", "config": None}},
}


def collectives_of(name: str, x: Any, ranks: Ranks) -> Callable[[], None]:
    """Compile a step whose gradients are summed in one of the ways, check it, and return a call of its collectives."""
    import simpar as ms
    from benchmarks.networks import compile_step, training_step
    from simpar import Parameter, Tensor, nn

    ms.set_auto_parallel_context(comm_fusion=WAYS[name])
    params = [Parameter(Tensor(np.zeros(LENGTH, np.float32)), name=f"p{i}") for i in range(COUNT)]

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.params = ms.ParameterTuple(params)

        def construct(self, x: Tensor) -> Tensor:
            total = x * self.params[0]
            for i in range(1, COUNT):
                total = total + x * float(i) * self.params[i]
            return total.sum()

    net = Net()
    step = training_step(net, nn.SGD(net.trainable_params(), RATE))
    program = compile_step(step, (Tensor(x),))
    step(Tensor(x))
    whole = np.array(x[0])
    ranks.sum(whole)
    np.testing.assert_allclose(params[-1].asnumpy(), -RATE * (COUNT - 1) * whole, rtol=1e-5, atol=1e-3)
    executor: Any = program.executor
    moving = [c for c in executor._calls if "_timed" in getattr(c, "__qualname__", "")]
    if ranks.rank == 0:
        print(f"{name}: {len(program.plan.collectives)} collectives, {len(moving)} calls")

    def replay() -> None:
        for call in moving:
            call()

    return replay


def run(rounds: int) -> None:
    """Compare every way with the hand-written one."""
    ranks = open_ranks(full_batch=False)
    x = np.random.default_rng(ranks.rank).standard_normal((1, LENGTH)).astype(np.float32)
    flat = np.zeros(COUNT * LENGTH, np.float32)
    parts = np.split(flat, COUNT)
    ways = {name: collectives_of(name, x, ranks) for name in WAYS}

    def one_by_one_by_hand() -> None:
        for part in parts:
            ranks.sum(part)

    for name, ours in {**ways, "one by one, by hand": one_by_one_by_hand}.items():
        ours()
        ranks.sum(flat)

        def after_barrier(call: Callable[[], object]) -> Callable[[], None]:
            def run() -> None:
                if ranks.communicator is not None:
                    ranks.communicator.Barrier()
                call()

            return run

        times = time_pairs(after_barrier(ours), after_barrier(lambda: ranks.sum(flat)), rounds)
        if ranks.communicator is not None:
            times = np.mean(ranks.communicator.allgather(times), axis=0)
        if ranks.rank == 0:
            print(f"W4, {ranks.count} ranks, {name} / one Allreduce by hand: {compare(times)}", flush=True)


def main() -> int:
    """Run on the ranks that the command line asks for."""
    given = parse_and_start("benchmarks.w4_gradients", __doc__)
    if isinstance(given, int):
        return given
    run(given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
