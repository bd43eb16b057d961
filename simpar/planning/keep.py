"""Keeps a plan as a run that nobody ran, so that the dashboard shows it like any other."""

import time
from collections.abc import Sequence
from pathlib import Path

from simpar import recorder as records
from simpar.compile import describe_program
from simpar.execute import foresee_memory
from simpar.planning.script import PlannedScript

__all__ = ["keep_plans"]


def keep_plans(planned: PlannedScript, arguments: Sequence[str] = (), folder: Path | None = None) -> Path:
    """Write what a script compiled into a run store without steps.

    Args:
        planned: the plans.
        arguments: of the script.
        folder: of all runs; ``SIMPAR_RUNS`` or ``./simpar-runs`` if None.

    Returns:
        The folder of the run.

    Raises:
        RunStoreError: the run store cannot be made.
    """
    mode = planned.programs[0].parallel_mode if planned.programs else "stand_alone"
    recorder = records.start_recording(
        planned.script, arguments, mode=mode, device_num=planned.device_num, folder=folder
    )
    for program in planned.programs:
        total = foresee_memory(program.plan).total_bytes
        # whichever device was asked for, it is the one rank of this recording
        describe_program(recorder, program.name, program.plan, total, program.source, is_first=True)
    recorder.emit(records.RunFinished(time.time()))
    recorder.close()
    assert recorder.path is not None, "the first rank of a recording keeps the store"
    return recorder.path.parent
