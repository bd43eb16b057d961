"""W6: start-up: ``simpar run`` of an empty script, and of a script with one training step, against plain mpiexec.

Run ``python -m benchmarks.w6_startup -n 4``. The measure is a script that imports numpy and mpi4py and meets in one
barrier, started by mpiexec with the same environment. All byte code is compiled before, as in an installed package.
Times are of the whole command; the processor time is that of all its processes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from simpar.launch import find_mpi, launch_command, launch_environment

SCRIPTS = {
    "numpy and mpi4py": "import numpy\nfrom mpi4py import MPI\nMPI.COMM_WORLD.Barrier()\n",
    "an empty script": "",
    "import simpar": "import simpar\n",
    "import simpar and init": "import simpar\nsimpar.communication.init()\n",
    "one training step": """
import numpy as np
import simpar as ms
from simpar import Tensor, nn
ms.communication.init()
ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
net = nn.Dense(16, 8)
optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
with_gradients = ms.value_and_grad(lambda x: (net(x) * net(x)).mean(), None, net.trainable_params())
@ms.jit
def step(x):
    loss, gradients = with_gradients(x)
    optimizer(gradients)
    return loss
step(Tensor(np.ones((8, 16), np.float32)))
""",
}


def time_command(command: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Run a command and return the seconds of the clock, and of the processor for all its processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=dict(environ), check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print one line for each script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=4, help="ranks")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    mpi = find_mpi()
    measure, *others = SCRIPTS
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled"))}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        plain = launch_environment(mpi, given.n, environ)
        paths = {name: Path(folder, f"{i}.py") for i, name in enumerate(SCRIPTS)}
        for name, text in SCRIPTS.items():
            paths[name].write_text(text, encoding="utf-8")
        by_mpiexec = launch_command(mpi, given.n, [sys.executable, str(paths[measure])])
        for name in others:
            ours = [sys.executable, "-m", "simpar", "run", "--no-record", str(paths[name]), "-n", str(given.n)]
            time_command(by_mpiexec, plain)  # which compiles the byte code
            time_command(ours, environ)
            pairs = [(time_command(by_mpiexec, plain), time_command(ours, environ)) for _ in range(given.rounds)]
            words = [
                f"{what} {median(b[k] for _, b in pairs) * 1e3:.0f} / {median(a[k] for a, _ in pairs) * 1e3:.0f} ms = "
                f"{median(b[k] / a[k] for a, b in pairs):.2f}"
                for k, what in ((1, "CPU"), (0, "wall"))
            ]
            print(f"W6, {given.n} ranks, simpar run of {name} / mpiexec of {measure}: {'; '.join(words)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
