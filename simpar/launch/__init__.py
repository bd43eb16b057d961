"""How ranks are started, watched and stopped.

Read in this order: ``mpi`` (which MPI there is and what it must be told), ``alarm`` (what a rank does when it fails),
``failure`` (why it did, in words), ``ended`` (some ranks have ended and others run on),
``script`` and ``rank`` (how a rank runs a script), ``noise`` (what of MPI's own output is left out), ``process``
(``run_ranks``: start them, pass on what they print, stop them all), ``repair`` (what lets plain ``mpirun`` work).
"""

from simpar.launch.alarm import INTERRUPTED, Alarm, alarm_folder, on_failure, print_whole_lines, stop_together
from simpar.launch.failure import Failure
from simpar.launch.mpi import (
    MPICH,
    OPEN_MPI,
    Mpi,
    core_count,
    find_mpi,
    has_avx512,
    identify,
    launch_command,
    launch_environment,
    mpi_environment,
    share_cores,
)
from simpar.launch.process import check_script, run_ranks, run_script
from simpar.launch.repair import ROOT_EXPORTS, repair
from simpar.launch.script import file_and_function, play, run_file

__all__ = [
    "INTERRUPTED",
    "MPICH",
    "OPEN_MPI",
    "ROOT_EXPORTS",
    "Alarm",
    "Failure",
    "Mpi",
    "alarm_folder",
    "check_script",
    "core_count",
    "file_and_function",
    "find_mpi",
    "has_avx512",
    "identify",
    "launch_command",
    "launch_environment",
    "mpi_environment",
    "on_failure",
    "play",
    "print_whole_lines",
    "repair",
    "run_file",
    "run_ranks",
    "run_script",
    "share_cores",
    "stop_together",
]
