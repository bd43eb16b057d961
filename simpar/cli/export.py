"""``simpar export``: a run for other tools."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simpar.cli.output import console
from simpar.errors import RunStoreError
from simpar.recorder import Run, find_run, open_run, runs_folder, write_chrome_trace, write_csv_files

__all__ = ["export"]


def export(
    run: str = "last",
    /,
    *,
    chrome_trace: Annotated[Path | None, Parameter(name="--chrome-trace")] = None,
    csv: Annotated[Path | None, Parameter(name="--csv")] = None,
    folder: Annotated[Path | None, Parameter(name="--folder")] = None,
) -> None:
    """Write a run as a Chrome trace, as CSV files, or both.

    Args:
        run: An id, the beginning of one, a path, or `last`.
        chrome_trace: The JSON file to write; open it at ui.perfetto.dev: one process for each rank.
        csv: The folder to write parameters, collectives, movements, steps, scalars, memory and values into.
        folder: Where the runs lie; by default SIMPAR_RUNS, or ./simpar-runs.
    """
    if chrome_trace is None and csv is None:
        raise RunStoreError("nothing to export to: give --chrome-trace FILE, --csv FOLDER, or both.")
    with open_run(find_run(run, runs_folder(folder))) as opened:
        try:
            _write(opened, chrome_trace, csv)
        except OSError as error:
            raise RunStoreError(f"the export could not be written: {error}. Choose another place.") from error


def _write(run: Run, chrome_trace: Path | None, csv: Path | None) -> None:
    out = console()
    if chrome_trace is not None:
        count = write_chrome_trace(run, chrome_trace)
        out.print(f"{chrome_trace}: {count} events; open it at ui.perfetto.dev", markup=False, soft_wrap=True)
    if csv is not None:
        for path in write_csv_files(run, csv):
            out.print(str(path), markup=False, soft_wrap=True)
