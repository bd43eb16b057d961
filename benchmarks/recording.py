"""Measure what recording costs: microseconds for each step, with 1, 10 and 100 collectives in it; and that of values.

Run ``python -m benchmarks.recording`` from the root of the repository. Steps last 20 ms (they sleep), as training steps
of small networks do. ``emit`` is what the rank waits for; ``all`` is the processor time of the whole process, the
writing thread included, less that of the same loop with recording off.

For values one rank trains a network, its losses recorded, with values off, seldom and always: the processor time of all
of it for each step, medians of rounds, and the ratio to that without.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

import simpar as ms
from simpar import nn
from simpar.compile import VALUES
from simpar.context import Context, current, entered
from simpar.recorder import NullRecorder, Recorder, StepFinished, StoreRecorder

STEP_S = 0.02
STEPS = 100
RANKS = 4


class Letters:
    """Brings the batches of pretended ranks to rank 0."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.rank = 0

    def send(self, message: bytes, /) -> None:
        """Keep a letter."""
        self.sent.append((self.rank, message))

    def poll(self) -> list[tuple[int, bytes]]:
        """Give all letters, and, for each of rank 1, the same from the ranks that are only pretended."""
        taken, self.sent = self.sent, []
        return [(rank, message) for _, message in taken for rank in range(1, RANKS)]


def measure(recorder: Recorder, other: Recorder | None, collectives: int) -> tuple[float, float]:
    """Return microseconds for each step: within ``emit``, and of processor time."""
    times = np.zeros((collectives, 2))
    waited, before = 0.0, time.process_time()
    for number in range(STEPS):
        time.sleep(STEP_S)
        event = StepFinished("train", number, 1.0, 2.0, 0.5, times)
        if other is not None:
            other.emit(event)
        start = time.perf_counter()
        recorder.emit(event)
        waited += time.perf_counter() - start
    return waited / STEPS * 1e6, (time.process_time() - before) / STEPS * 1e6


def train(often: str, sizes: Sequence[int], batch: int, steps: int) -> float:
    """Train a network while its values are recorded so often; return seconds of the processor for each step."""
    os.environ[VALUES] = often
    rng = np.random.default_rng(0)
    x = ms.Tensor(rng.normal(size=(batch, sizes[0])).astype(np.float32))
    y = ms.Tensor(rng.integers(0, sizes[-1], batch).astype(np.int32))
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Dense(a, b), nn.ReLU())]
    net = nn.WithLossCell(nn.SequentialCell(layers[:-1]), nn.SoftmaxCrossEntropyWithLogits(True, "mean"))
    step = nn.TrainOneStepCell(net, nn.Adam(net.trainable_params()))
    with tempfile.TemporaryDirectory() as folder, StoreRecorder(Path(folder) / "run.sqlite") as recorder:
        current().recorder = recorder
        step(x, y)
        before = time.process_time()
        for _ in range(steps):
            step(x, y)
        recorder.flush()
        return (time.process_time() - before) / steps


def measure_values(rounds: int = 5) -> None:
    """Print one line for each network: microseconds for each step, and ratios."""
    print("values of slices: processor time of a step, Adam, one rank")
    for sizes, batch, steps in (((784, 256, 10), 128, 400), ((784, 1024, 1024, 10), 256, 64)):
        made: list[list[float]] = []
        for _ in range(rounds):
            with entered(Context()):
                made.append([train(often, sizes, batch, steps) for often in ("off", "seldom", "always")])
        off = median(row[0] for row in made)
        seldom, always = (median(row[i] / row[0] for row in made) for i in (1, 2))
        name = "-".join(map(str, sizes))
        print(f"  {name:18s} off {off * 1e3:6.2f} ms   seldom x {seldom:.3f}   always x {always:.2f}   {steps} steps")


def main() -> None:
    """Print one line for each kind of rank and number of collectives, then what values cost."""
    print(f"{STEPS} steps of {STEP_S * 1e3:.0f} ms; microseconds for each step, and their share of it")
    for collectives in (1, 10, 100):
        _, idle = measure(NullRecorder(), None, collectives)
        with tempfile.TemporaryDirectory() as folder:
            letters = Letters()
            writer = StoreRecorder(Path(folder) / "run.sqlite", 0, 2, letters, drain_timeout_s=1.0)
            sender = StoreRecorder(None, 1, 2, letters)
            emit, busy = measure(writer, sender, collectives)
            sender.close()
            writer.close()
        with tempfile.TemporaryDirectory() as folder:
            sender = StoreRecorder(None, 1, 2, Letters())
            sent, sending = measure(sender, None, collectives)
        for what, waits, spends in (
            (f"rank 0, for {RANKS} ranks", emit, busy - idle),
            ("any other rank", sent, sending - idle),
        ):
            share = spends / (STEP_S * 1e4)
            print(f"{collectives:4d} collectives  {what:21s} emit {waits:6.1f}   all {spends:7.1f} ({share:.2f} %)")
    measure_values()


if __name__ == "__main__":
    main()
