"""``simpar dashboard``: serve the inspector."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from simpar.cli.inspector import Open, serve_until_ctrl_c
from simpar.cli.output import console
from simpar.errors import RunStoreError
from simpar.recorder import runs_folder

__all__ = ["dashboard"]


def dashboard(
    runs: Path | None = None,
    /,
    *,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
    host: str = "127.0.0.1",
    open_: Open = None,
    allow_host: Annotated[tuple[str, ...], Parameter(name="--allow-host", negative="")] = (),
) -> None:
    """Serve the inspector of recorded runs, live and finished, on this machine until Ctrl-C.

    Open the address that is printed: it carries the token without which the server tells nothing.

    ```
    simpar dashboard                  the runs in SIMPAR_RUNS, or ./simpar-runs
    simpar dashboard path/to/runs     those in another folder, or one run
    simpar dashboard --host 0.0.0.0 --allow-host lab.example --port 8000      for others, by this name
    ```

    Args:
        runs: The folder of the runs, or of one run; by default SIMPAR_RUNS, or ./simpar-runs.
        port: To listen on; 0 for a free one.
        host: The address to listen on; only this machine reaches 127.0.0.1.
        open_: Open the address in the browser; by default if this is a terminal on a desktop.
        allow_host: A further name that browsers may call the server by; can be given several times.
    """
    folder = runs_folder(runs)
    if runs is not None and not folder.exists():
        raise RunStoreError(f"there is no folder {folder}. Give the one that `simpar runs` lists, or leave it out.")
    serve_until_ctrl_c(folder, console(), open_, host=host, port=port, allowed=allow_host)
