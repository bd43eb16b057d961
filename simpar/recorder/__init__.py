"""What happened in a run, kept so that it can be looked at later.

Training tells events to a *recorder*; the recorder of rank 0 writes those of all ranks into the *run store*, one SQLite
database per run; the command, the demo and the dashboard read it. The store's tables are all that the two sides share.

Read it in this order:

- `events`: what can happen, as values; `codec`: events as bytes;
- `recorder`: where events go; `writing`: the thread that writes them; `recording`: opens the recorder of a run;
- `last_words`: what a rank that fails still tells;
- `schema`, `store`: the tables of a run store and how events become rows;
- `reader`, `values`, `runs`: a run store as typed rows, and where runs lie;
- `measuring`: memory, checksums and values of a rank as events; `tiles`: a slice as the means of a few cells;
- `movement`: what moved, collectives alike taken together; `agreement`: copies that should agree;
- `tables`, `chrome_trace`, `csv_files`: a run for the terminal, for Perfetto, for a spreadsheet.

What needs SQLite or rich is imported when its name is first used: training with the recorder off loads neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from simpar.recorder.codec import json_text
from simpar.recorder.events import (
    EVENTS,
    OPTIMIZER_STATE,
    PARAMETER,
    Checksum,
    CollectiveSpec,
    Event,
    GraphNode,
    GraphValue,
    MemoryMeasured,
    ParameterPlaced,
    ProgramCompiled,
    RankFailed,
    RankStarted,
    RunFinished,
    RunStarted,
    Scalar,
    SliceValues,
    StepFinished,
)
from simpar.recorder.recorder import Mailbox, MemoryRecorder, NullRecorder, Recorder, StoreRecorder

if TYPE_CHECKING:
    from simpar.recorder.agreement import Disagreement, disagreements
    from simpar.recorder.chrome_trace import write_chrome_trace
    from simpar.recorder.csv_files import write_csv_files
    from simpar.recorder.measuring import BINS, MOST_CELLS, measure_checksum, measure_memory, measure_values
    from simpar.recorder.movement import Movement, movements
    from simpar.recorder.reader import Run, RunInfo, ScalarRow, StepRow, open_run
    from simpar.recorder.recording import start_recording
    from simpar.recorder.runs import find_run, list_runs, new_run, runs_folder
    from simpar.recorder.store import RunWriter
    from simpar.recorder.tables import (
        bytes_text,
        held_text,
        holding_table,
        kinds_table,
        losses_table,
        memory_table,
        movement_table,
        parameter_table,
        slice_table,
        statistics_table,
    )
    from simpar.recorder.tiles import Tile, coarsened, pooled, stitched, tile_shape
    from simpar.recorder.values import slice_values, value_steps

__all__ = [
    "BINS",
    "EVENTS",
    "MOST_CELLS",
    "OPTIMIZER_STATE",
    "PARAMETER",
    "Checksum",
    "CollectiveSpec",
    "Disagreement",
    "Event",
    "GraphNode",
    "GraphValue",
    "Mailbox",
    "MemoryMeasured",
    "MemoryRecorder",
    "Movement",
    "NullRecorder",
    "ParameterPlaced",
    "ProgramCompiled",
    "RankFailed",
    "RankStarted",
    "Recorder",
    "Run",
    "RunFinished",
    "RunInfo",
    "RunStarted",
    "RunWriter",
    "Scalar",
    "ScalarRow",
    "SliceValues",
    "StepFinished",
    "StepRow",
    "StoreRecorder",
    "Tile",
    "bytes_text",
    "coarsened",
    "disagreements",
    "find_run",
    "held_text",
    "holding_table",
    "json_text",
    "kinds_table",
    "list_runs",
    "losses_table",
    "measure_checksum",
    "measure_memory",
    "measure_values",
    "memory_table",
    "movement_table",
    "movements",
    "new_run",
    "open_run",
    "parameter_table",
    "pooled",
    "runs_folder",
    "slice_table",
    "slice_values",
    "start_recording",
    "statistics_table",
    "stitched",
    "tile_shape",
    "value_steps",
    "write_chrome_trace",
    "write_csv_files",
]

_LATER = {
    "agreement": ("Disagreement", "disagreements"),
    "chrome_trace": ("write_chrome_trace",),
    "csv_files": ("write_csv_files",),
    "measuring": ("BINS", "MOST_CELLS", "measure_checksum", "measure_memory", "measure_values"),
    "movement": ("Movement", "movements"),
    "reader": ("Run", "RunInfo", "ScalarRow", "StepRow", "open_run"),
    "recording": ("start_recording",),
    "runs": ("find_run", "list_runs", "new_run", "runs_folder"),
    "store": ("RunWriter",),
    "tables": (
        "bytes_text",
        "held_text",
        "holding_table",
        "kinds_table",
        "losses_table",
        "memory_table",
        "movement_table",
        "parameter_table",
        "slice_table",
        "statistics_table",
    ),
    "tiles": ("Tile", "coarsened", "pooled", "stitched", "tile_shape"),
    "values": ("slice_values", "value_steps"),
}


def __getattr__(name: str) -> Any:
    """Import what needs SQLite or rich when it is first asked for."""
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"simpar.recorder.{module}"), name)
    raise AttributeError(f"module 'simpar.recorder' has no attribute {name!r}")
