"""W1: an MLP 784-2048-2048-10, batch 512, SGD with momentum: simpar's step against a hand-written one.

Run ``python -m benchmarks.w1_mlp`` (one rank), or with ``-n 4`` for data parallelism over 4 MPI ranks. The
hand-written side is numpy, and mpi4py's Allreduce over one flat buffer of gradients. Both start from the same values
and see the same batches; that their losses agree is checked before anything is timed.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from benchmarks.by_hand import Array, Flat, cross_entropy, momentum
from benchmarks.pairs import Ranks, check_and_compare, open_ranks, parse_and_start

SIZES = (784, 2048, 2048, 10)
BATCH, RATE, SHARE = 512, 0.05, 0.9


class ByHand:
    """The hand-written step.

    Args:
        first: the initial weights by the names simpar gives them.
        rows: of this rank's batch.
        ranks: which sum the flat gradients and the loss.
    """

    def __init__(self, first: dict[str, Array], rows: int, ranks: Ranks) -> None:
        self.weights, self.gradients, self.velocity = Flat(first, fill=True), Flat(first), Flat(first)
        self.ranks = ranks
        self.kept = [np.empty((rows, n), np.float32) for n in SIZES[1:]]
        self.back = [np.empty((rows, n), np.float32) for n in SIZES[1:-1]]
        self.ones = np.ones(rows, np.float32)

    def step(self, x: Array, y: NDArray[np.int32]) -> float:
        """Train on one batch and return the loss."""
        names = [f"layer{i}" for i in range(3)]
        inputs = [x, *self.kept[:-1]]
        for name, given, made in zip(names, inputs, self.kept, strict=True):
            np.matmul(given, self.weights[f"{name}.weight"].T, out=made)
            np.add(made, self.weights[f"{name}.bias"], out=made)
            if made is not self.kept[-1]:
                np.maximum(made, 0, out=made)
        g = self.kept[-1]
        loss = self.ranks.sum_number(cross_entropy(g, y, BATCH))
        for i in (2, 1, 0):
            np.matmul(g.T, inputs[i], out=self.gradients[f"{names[i]}.weight"])
            np.matmul(self.ones, g, out=self.gradients[f"{names[i]}.bias"])
            if i:
                below = self.back[i - 1]
                np.matmul(g, self.weights[f"{names[i]}.weight"], out=below)
                g = np.multiply(below, inputs[i] > 0, out=below)
        self.ranks.sum(self.gradients.whole)
        momentum(self.weights.whole, self.velocity.whole, self.gradients.whole, RATE, SHARE)
        return loss


def run(rounds: int, profile: bool) -> None:
    """Compare on this rank."""
    import simpar as ms
    from benchmarks.instructions import print_instructions
    from benchmarks.networks import MLP, compile_step, training_step
    from simpar import Tensor, nn

    ranks = open_ranks(full_batch=False)
    ms.set_seed(1)
    net = MLP(SIZES)
    weights = net.trainable_params()
    step = training_step(net, nn.Momentum(weights, RATE, SHARE))
    rng, rows = np.random.default_rng(0), BATCH // ranks.count
    mine = slice(ranks.rank * rows, (ranks.rank + 1) * rows)
    x = rng.standard_normal((BATCH, SIZES[0]), np.float32)[mine]
    y = rng.integers(0, SIZES[-1], BATCH, np.int32)[mine]
    given = Tensor(x), Tensor(y)
    program = compile_step(step, given)  # which makes the parameters
    by_hand = ByHand({p.name: np.array(p.asnumpy()) for p in weights}, rows, ranks)
    check_and_compare("W1", ranks, lambda: float(step(*given)), lambda: by_hand.step(x, y), rounds)
    if profile:
        print_instructions(program, silent=ranks.rank > 0)


def main() -> int:
    """Run on the ranks that the command line asks for."""
    given = parse_and_start("benchmarks.w1_mlp", __doc__)
    if isinstance(given, int):
        return given
    run(given.rounds, given.profile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
