"""``simpar run``: a script on several ranks, with the flags and the environment that its MPI needs here."""

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simpar.cli.inspector import Open, is_interactive, shown_meanwhile
from simpar.cli.output import console
from simpar.compile import RECORD, VALUES
from simpar.errors import LaunchError
from simpar.launch import INTERRUPTED, check_script, run_script
from simpar.recorder import runs_folder

__all__ = ["run"]


def run(
    script: Path,
    /,
    *arguments: Annotated[str, Parameter(show=True)],
    ranks: Annotated[int, Parameter(name=["-n", "--ranks"])] = 4,
    mpi: Literal["openmpi", "mpich"] | None = None,
    timeout: float | None = None,
    record: bool = True,
    values: Literal["off", "seldom", "always"] | None = None,
    mindspore: Annotated[bool, Parameter(name="--mindspore", negative="")] = False,
    dashboard: Annotated[bool, Parameter(negative="")] = False,
    open_: Open = None,
) -> int:
    """Run a script on several ranks.

    Every rank runs the whole script; simpar gives each its slices. The same as `mpirun -n 8 python SCRIPT`, and
    besides: it finds the MPI of this environment, allows more ranks than cores, gives each rank one BLAS thread when
    ranks fill the cores, stops all ranks at Ctrl-C, shows an error once, and records what the compiled programs hold
    and move, for `simpar show`.

    ```
    simpar run train.py -n 8
    simpar run train.py -n 8 -- --epochs 3
    simpar run train.py -n 4 --timeout 60 --no-record
    simpar run mindspore_script.py -n 8 --mindspore
    simpar run test_training.py::test_training -n 8 --mindspore          calls the function, as pytest would
    simpar run train.py -n 8 --dashboard          and watch it in a browser meanwhile
    ```

    Args:
        script: The Python file to run; `FILE::FUNCTION` calls one of its functions.
        arguments: What the script finds in `sys.argv`. Put `--` before the first that begins with a dash.
        ranks: How many ranks; more than there are cores is fine.
        mpi: Which MPI to use, if there are several.
        timeout: Seconds after which all ranks are stopped, with exit code 124.
        record: Keep a record in SIMPAR_RUNS, or ./simpar-runs. SIMPAR_RECORD=0 in the environment means --no-record.
        values: How often the record keeps the values of slices: off, seldom (the default: under 1 % of the time), or
            always (after every step). SIMPAR_VALUES in the environment says the same.
        mindspore: Let `import mindspore` in the script resolve to simpar.
        dashboard: Serve the inspector while the script runs; in a terminal also afterwards, until Ctrl-C.
        open_: Open it in the browser; by default if this is a terminal on a desktop.

    Raises:
        LaunchError: the script does not exist, or there is nothing to watch because nothing is recorded.
    """
    wish = {RECORD: os.environ.get(RECORD) or "1" if record else "0"} | ({} if values is None else {VALUES: values})
    environ, module = os.environ | wish, "simpar.mindspore" if mindspore else "simpar.launch.rank"

    def start() -> int:
        return run_script(script, arguments, ranks, vendor=mpi, timeout_s=timeout, environ=environ, module=module)

    if not dashboard:
        return start()
    if wish[RECORD] != "1":
        raise LaunchError(
            "--dashboard shows what is recorded, and nothing is. Leave out --no-record or SIMPAR_RECORD=0."
        )
    check_script(script)
    with shown_meanwhile(runs_folder(), console(), open_) as go_on:
        code = start()
        if code != INTERRUPTED and is_interactive():
            go_on()
    return code
