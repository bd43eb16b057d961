"""``simpar run``: a script on several ranks, with the flags and the environment that its MPI needs here."""

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simpar.compile import RECORD
from simpar.launch import run_script

__all__ = ["run"]


def run(
    script: Path,
    /,
    *arguments: Annotated[str, Parameter(show=True)],
    ranks: Annotated[int, Parameter(name=["-n", "--ranks"])] = 4,
    mpi: Literal["openmpi", "mpich"] | None = None,
    timeout: float | None = None,
    record: bool = True,
    mindspore: Annotated[bool, Parameter(name="--mindspore", negative="")] = False,
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
    ```

    Args:
        script: The Python file to run.
        arguments: What the script finds in `sys.argv`. Put `--` before the first that begins with a dash.
        ranks: How many ranks; more than there are cores is fine.
        mpi: Which MPI to use, if there are several.
        timeout: Seconds after which all ranks are stopped, with exit code 124.
        record: Keep a record in SIMPAR_RUNS, or ./simpar-runs. SIMPAR_RECORD=0 in the environment means --no-record.
        mindspore: Let `import mindspore` in the script resolve to simpar.
    """
    wish = {RECORD: os.environ.get(RECORD) or "1" if record else "0"}
    module = "simpar.mindspore" if mindspore else "simpar.launch.rank"
    return run_script(script, arguments, ranks, vendor=mpi, timeout_s=timeout, environ=os.environ | wish, module=module)
