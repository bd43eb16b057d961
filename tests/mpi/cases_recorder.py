"""Recording on real ranks: what every rank tells reaches the one store."""

import tempfile
from pathlib import Path

import numpy as np

from simpar.collectives import World
from simpar.recorder import CollectiveSpec, ProgramCompiled, StepFinished, open_run, start_recording
from tests.mpi.harness import on_ranks

STEPS = 20


@on_ranks(1, 4)
def case_steps_of_all_ranks_reach_the_store(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:  # rank 0 uses its own; the others' stay empty
        recorder = start_recording(
            "case.py",
            mode="data_parallel",
            device_num=world.size,
            rank=world.rank,
            size=world.size,
            mailbox=world.mailbox(),
            folder=folder,
        )
        specs = tuple(CollectiveSpec(i, "all_reduce", tuple(range(world.size)), 8) for i in range(100))
        recorder.emit(ProgramCompiled("train", "a plan\n" * 10_000, "d1ge57", specs))
        for step in range(1, STEPS + 1):
            recorder.emit(StepFinished("train", step, 0.0, 1.0, None, np.full((100, 2), float(world.rank))))
        recorder.close()
        assert (recorder.path is not None) == (world.rank == 0)
        if recorder.path is not None:
            check(recorder.path, world.size)
        world.communicator.barrier()


def check(path: Path, size: int) -> None:
    with open_run(path) as run:
        assert [r.rank for r in run.ranks()] == list(range(size))
        for rank in range(size):
            steps = list(run.steps(rank))
            assert [s.step for s in steps] == list(range(1, STEPS + 1))
            assert (steps[0].times == rank).all()
            assert len(run.collectives("train", rank)) == 100
