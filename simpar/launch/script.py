"""How one rank runs a script, so that one that fails before it opens the world is reported once too.

A wrong import or a typing mistake stops all ranks alike; without this every rank would say so.
"""

import atexit
import os
import runpy
import sys
from pathlib import Path
from types import TracebackType

from simpar.launch.alarm import Alarm, alarm_folder, exit_code, print_whole_lines

__all__ = ["play"]


def play(script: str, arguments: list[str]) -> None:
    """Run ``script`` as Python itself would, and stop all ranks if it fails."""
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    print_whole_lines()
    early = _early_alarm()
    sys.excepthook = early.on_error  # opening the world puts one in its place that reaches all hosts
    atexit.register(early.on_exit)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if exit_code(end.code):
            _stop(end)
    except BaseException as error:
        own = error.__traceback__
        sys.excepthook(type(error), error, _of_script(own))


def _early_alarm() -> Alarm:
    def number(*names: str) -> int:
        return next((int(os.environ[name]) for name in names if name in os.environ), 0)

    rank, size = number("OMPI_COMM_WORLD_RANK", "PMI_RANK"), number("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
    return Alarm(rank, max(size, 1), Path(alarm_folder()), os._exit)


def _stop(end: SystemExit) -> None:
    alarm = getattr(sys.excepthook, "__self__", None)
    what = f"ended: {end.code}" if isinstance(end.code, str) else f"ended with exit code {end.code}."
    if isinstance(alarm, Alarm):
        alarm.exit(exit_code(end.code), what)


def _of_script(where: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of this module and of ``runpy``, which the user did not write."""
    while where is not None and where.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        where = where.tb_next
    return where
