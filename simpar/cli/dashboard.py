"""``simpar dashboard``: serve the inspector."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from simpar.cli.output import console
from simpar.dashboard import serve
from simpar.errors import RunStoreError
from simpar.recorder import runs_folder

__all__ = ["dashboard"]


def dashboard(
    runs: Path | None = None,
    /,
    *,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
    host: str = "127.0.0.1",
    open_: Annotated[bool | None, Parameter(name="--open", negative="--no-open")] = None,
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
    out = console()

    def tell(address: str) -> None:
        out.print(f"runs in {folder}", markup=False, highlight=False, soft_wrap=True)
        out.print(address, markup=False, highlight=False, soft_wrap=True)
        out.print("Ctrl-C ends it.", highlight=False)
        if _has_desktop() if open_ is None else open_:
            webbrowser.open(address)

    serve(folder, host, port, allow_host, tell)
    out.print("ended", highlight=False)


def _has_desktop() -> bool:
    """Return whether a browser with windows can be expected; one that draws in the terminal would be in the way."""
    has_screen = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and has_screen
