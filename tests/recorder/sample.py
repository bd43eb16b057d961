"""A small run to record in tests: the two-layer program of four ranks whose figures can be checked by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from simpar.layout import Layout
from simpar.recorder import (
    OPTIMIZER_STATE,
    CollectiveSpec,
    Event,
    GraphNode,
    GraphValue,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankStarted,
    RunFinished,
    RunStarted,
    RunWriter,
    Scalar,
    StepFinished,
    measure_values,
)

RANKS = 4
STEPS = 5
STEP_S = 0.02
DEV_MAT = (2, 2)
W1 = ParameterPlaced(
    "w1", (4, 6), "float32", Layout(DEV_MAT, (1, 0)), Layout(DEV_MAT, (-1, 0)), comm_fusion=1, flags=("requires_grad",)
)
W2 = ParameterPlaced("w2", (6, 2), "float32", Layout(DEV_MAT, (0, -1)), Layout(DEV_MAT, (0, -1)), comm_fusion=1)
W1_VALUES = np.arange(24, dtype=np.float32).reshape(W1.shape)
MOMENT = ParameterPlaced("moments.w1", (4, 6), "float32", W1.storage, W1.storage, kind=OPTIMIZER_STATE)


def started(run: str = "2026-01-02-030405-mlp", wall_s: float = 1_700_000_000.0) -> RunStarted:
    """Open the sample run."""
    return RunStarted(run, "mlp.py", ("--steps", "5"), wall_s, "semi_auto_parallel", 4, RANKS)


def collectives(rank: int) -> tuple[CollectiveSpec, ...]:
    """Give the collectives of one rank: groups {0, 1}, {2, 3} along device axis 0, {0, 2}, {1, 3} along axis 1."""
    row, column = rank // 2, rank % 2
    along_0, along_1 = (2 * row, 2 * row + 1), (column, column + 2)
    return (
        CollectiveSpec(0, "all_gather", along_1, 24, "parallel optimizer", 0, ("w1",), "forward"),
        CollectiveSpec(1, "all_reduce", along_0, 32, "partial", 0, ("z",), "forward"),
        CollectiveSpec(2, "all_reduce", along_1, 4, "partial", 0, ("loss",), "forward"),
        CollectiveSpec(3, "reduce_scatter", along_1, 48, "gradient", 1, ("w1",), "backward"),
        CollectiveSpec(4, "all_reduce", along_1, 24, "gradient", 1, ("w2",), "backward"),
    )


def compiled(rank: int) -> ProgramCompiled:
    """Give the compiled program of one rank."""
    values = (GraphValue("x", (8, 4), "float32", Layout(DEV_MAT, (1, -1))), GraphValue("w1", (4, 6), "float32", None))
    nodes = (GraphNode("matmul1", "matmul", ("x", "w1"), ("y",), "mlp", strategy="((2, 1), (1, 2))"),)
    return ProgramCompiled("train", "matmul1 = [x] @ [w1]\n", "d1ge57", collectives(rank), 4096 + rank, values, nodes)


def clock_of(rank: int, step: int) -> float:
    """Give the reading of the clock of a rank's machine at the start of a step."""
    return _clock_at_start(rank) + 10.0 + STEP_S * step


def _clock_at_start(rank: int) -> float:
    """Two ranks share a machine; the second machine was switched on an hour before the first."""
    return 3600.0 * (rank // 2)


def step(rank: int, number: int) -> StepFinished:
    """Give one step: collective i runs from 2i to 2i + 1 milliseconds after the step's start."""
    start = clock_of(rank, number)
    times = start + np.array([[2e-3 * i, 2e-3 * i + 1e-3] for i in range(5)])
    return StepFinished("train", number, start, start + STEP_S * 0.75, 2.0 / number, times)


def events(rank: int) -> Iterator[Event]:
    """Give all events of one rank, in order."""
    if rank == 0:
        yield started()
    late = 1e-3 * (rank % 2)  # between the readings of its two clocks the second rank of a machine was interrupted
    yield RankStarted(rank, f"host{rank // 2}", 100 + rank, 1_700_000_000.0 + late, _clock_at_start(rank))
    yield from (W1, W2, MOMENT)
    yield compiled(rank)
    for number in range(1, STEPS + 1):
        yield step(rank, number)
    yield Scalar("learning rate", 1, 0.5)
    yield MemoryMeasured(rank, STEPS, 3 << 20, None, 4096 + rank)
    yield measure_values(
        rank, "train", "w1", STEPS, W1_VALUES[tuple(slice(*b) for b in W1.storage.box(W1.shape, rank))]
    )
    if rank == 0:
        yield RunFinished(1_700_000_060.0)


@contextmanager
def writing(path: Path) -> Iterator[RunWriter]:
    """Open a run store for writing."""
    writer = RunWriter(path)
    try:
        yield writer
    finally:
        writer.close()


def write_sample(path: Path, run: str | None = None, wall_s: float | None = None) -> Path:
    """Write the sample run into a store and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as writer:
        writer.write((rank, event) for rank in range(RANKS) for event in events(rank))
        if run is not None:
            writer.write([(0, started(run, 1_700_000_000.0 if wall_s is None else wall_s))])
    return path
