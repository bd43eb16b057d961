"""Times two programs in turn within one process: A B A B, and the medians of their ratios.

A shared machine is noisy: wall time then says little, the processor time of this process repeats within a few percent,
and the ratio of two neighbours in time is what carries over to another machine. On several ranks the processor time is
the mean over the ranks, which includes what they spend waiting for each other.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.launch import run_ranks

__all__ = ["Ranks", "check_and_compare", "compare", "open_ranks", "parse_and_start"]

_MARK = "SIMPAR_BENCHMARK_RANK"


# --- ranks ---


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ranks as a hand-written program sees them.

    Args:
        rank, count: which of how many this is.
        communicator: mpi4py's; None for one rank.
    """

    rank: int = 0
    count: int = 1
    communicator: Any = None

    def sum(self, buffer: NDArray[np.float32]) -> None:
        """Sum an array over the ranks, in place."""
        if self.communicator is not None:
            from mpi4py import MPI

            self.communicator.Allreduce(MPI.IN_PLACE, buffer)

    def sum_number(self, number: float) -> float:
        """Return the sum of a number over the ranks."""
        whole = np.array([number], np.float32)
        self.sum(whole)
        return float(whole[0])

    def part(self, color: int) -> "Ranks":
        """Return those ranks that give the same color."""
        if self.communicator is None:
            return self
        made = self.communicator.Split(color, self.rank)
        return Ranks(made.Get_rank(), made.Get_size(), made)


def open_ranks(*, full_batch: bool, **options: Any) -> Ranks:
    """Return the ranks that this program runs on; on several, let simpar cut over them."""
    import simpar as ms

    if int(os.environ[_MARK]) == 1:
        return Ranks()
    from mpi4py import MPI

    ms.communication.init()
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=full_batch, **options)
    world = MPI.COMM_WORLD
    return Ranks(world.Get_rank(), world.Get_size(), world)


def parse_and_start(
    module: str, told: str | None, more: Callable[[argparse.ArgumentParser], None] = lambda _: None
) -> argparse.Namespace | int:
    """Read the command line; in the first process, start the ranks and return their exit code.

    Each rank runs in the launcher's environment, with one BLAS thread.
    """
    parser = argparse.ArgumentParser(description=(told or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=1, help="ranks")
    parser.add_argument("--rounds", type=int, default=11, help="how often each side is timed")
    parser.add_argument("--profile", action="store_true", help="also print what each instruction costs")
    more(parser)
    given = parser.parse_args()
    if _MARK in os.environ:
        return given
    return start_ranks(module, given.n, sys.argv[1:])


def start_ranks(module: str, n: int, arguments: Sequence[str]) -> int:
    """Run a module on ``n`` ranks and return the exit code."""
    environ = {**os.environ, _MARK: str(n), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return run_ranks([sys.executable, "-m", module, *arguments], n, environ=environ)


# --- pairs ---


def time_call(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of one call, of the processor and of the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


def time_pairs(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> NDArray[np.float64]:
    """Time two calls in turn, in every other round the other one first.

    Returns:
        (rounds, 2, 2): round, whose, processor or clock.
    """
    made = np.empty((rounds, 2, 2))
    for number in range(rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            made[number, which] = time_call(theirs if which else ours)
    return made


def compare(times: NDArray[np.float64]) -> str:
    """Return a line of the times of ``time_pairs``: medians in milliseconds, medians and range of ours / theirs."""
    ratios = times[:, 0] / times[:, 1]
    words: list[str] = []
    for name, k in (("CPU", 0), ("wall", 1)):
        a, b, r = (median(each) for each in (times[:, 0, k], times[:, 1, k], ratios[:, k]))
        span = f"[{ratios[:, k].min():.2f} .. {ratios[:, k].max():.2f}]"
        words.append(f"{name} {a * 1e3:7.1f} / {b * 1e3:7.1f} ms = {r:.3f} {span}")
    return "; ".join(words)


def check_and_compare(
    name: str, ranks: Ranks, ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> None:
    """Check that both sides' losses agree for five steps, then time them and print one line from rank 0."""
    losses = [(ours(), theirs()) for _ in range(5)]
    np.testing.assert_allclose([a for a, _ in losses], [b for _, b in losses], rtol=1e-4)
    times = time_pairs(ours, theirs, rounds)
    if ranks.communicator is not None:
        times = np.mean(ranks.communicator.allgather(times), axis=0)
    if ranks.rank == 0:
        ends = f"losses {losses[0][0]:.4f} .. {losses[-1][0]:.4f}"
        print(f"{name}, {ranks.count} rank{'s' * (ranks.count > 1)}, {ends}: {compare(times)}", flush=True)
