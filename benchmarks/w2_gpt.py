"""W2: a GPT (d 256, 4 layers, 4 heads, sequence 128, vocabulary 256, batch 16, Adam): simpar's step against by hand.

Run ``python -m benchmarks.w2_gpt`` (one rank), ``-n 4`` (the batch cut in 4) or ``-n 4 --tp 2`` (the batch cut in 2,
heads and hidden columns cut in 2). Both sides start from the same values and see the same batches; that their losses
agree is checked before anything is timed.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.by_hand import Array
from benchmarks.gpt_by_hand import GPTByHand, Sizes
from benchmarks.pairs import Ranks, check_and_compare, open_ranks, parse_and_start

RATE = 1e-3


def run(rounds: int, tp: int, profile: bool) -> None:
    """Compare on this rank."""
    import simpar as ms
    from benchmarks.instructions import print_collectives, print_instructions
    from benchmarks.networks import GPT, compile_step, training_step
    from simpar import Tensor, nn

    ranks = open_ranks(full_batch=True)
    dp, sizes = ranks.count // tp, Sizes()
    ms.set_seed(1)
    net = GPT(sizes, dp, tp)
    weights = net.trainable_params()
    step = training_step(net, nn.Adam(weights, RATE))
    data = np.random.default_rng(0).integers(0, sizes.vocabulary, (sizes.batch, sizes.sequence + 1), np.int32)
    x, y = np.ascontiguousarray(data[:, :-1]), np.ascontiguousarray(data[:, 1:])
    given = Tensor(x), Tensor(y)
    program = compile_step(step, given)
    by_hand = hand_written(weights, sizes, ranks, dp, tp)
    mine = slice(ranks.rank // tp * (sizes.batch // dp), (ranks.rank // tp + 1) * (sizes.batch // dp))
    x, y = x[mine], y[mine]
    check_and_compare("W2", ranks, lambda: float(step(*given)), lambda: by_hand.step(x, y), rounds)
    if profile:
        print_instructions(program, silent=ranks.rank > 0)
        if ranks.rank == 0:
            print_collectives(program)


def hand_written(weights: Sequence[Any], sizes: Sizes, ranks: Ranks, dp: int, tp: int) -> GPTByHand:
    """Return the hand-written program of this rank; the slices of the weights are simpar's."""
    first: dict[str, Array] = {p.name: np.array(p.asnumpy()) for p in weights}
    mine = replace(sizes, batch=sizes.batch // dp, heads=sizes.heads // tp, hidden=sizes.hidden // tp)
    if ranks.count == 1:
        return GPTByHand(first, mine, RATE)
    data, model = ranks.part(ranks.rank % tp), ranks.part(ranks.rank // tp)
    return GPTByHand(first, mine, RATE, sizes.rows, data, model if tp > 1 else None)


def main() -> int:
    """Run on the ranks that the command line asks for."""
    given = parse_and_start(
        "benchmarks.w2_gpt", __doc__, lambda p: p.add_argument("--tp", type=int, default=1) and None
    )
    if isinstance(given, int):
        return given
    run(given.rounds, given.tp, given.profile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
