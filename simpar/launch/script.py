"""How one rank runs a script, so that one that fails before it opens the world is reported once too.

A wrong import or a typing mistake stops all ranks alike; without this every rank would say so.
"""

import atexit
import os
import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from simpar.errors import LaunchError
from simpar.launch.alarm import Alarm, alarm_folder, exit_code, print_whole_lines

__all__ = ["file_and_function", "play", "run_file"]


def file_and_function(script: str) -> tuple[str, str]:
    """Return the file of a script, and which of its functions is to be called, as pytest names it.

    >>> file_and_function("train.py"), file_and_function("train.py::test_train")
    (('train.py', ''), ('train.py', 'test_train'))
    """
    file, _, function = script.partition("::")
    return file, function


def play(script: str, arguments: list[str]) -> None:
    """Run ``script`` as Python itself would, or one of its functions, and stop all ranks if it fails."""
    file, _ = file_and_function(script)
    sys.argv = [file, *arguments]
    sys.path[0] = str(Path(file).resolve().parent)
    print_whole_lines()
    early = _early_alarm()
    sys.excepthook = early.on_error  # opening the world puts one in its place that reaches all hosts
    atexit.register(early.on_exit)
    try:
        run_file(script)
    except SystemExit as end:
        if exit_code(end.code):
            _stop(end)
    except BaseException as error:
        own = error.__traceback__
        sys.excepthook(type(error), error, _of_script(own))


def run_file(script: str) -> None:
    """Run a script as Python itself would; if it names a function, ``FILE::FUNCTION``, call that, as pytest would.

    Raises:
        LaunchError: it has no function of this name.
    """
    file, function = file_and_function(script)
    names = runpy.run_path(file, run_name=Path(file).stem if function else "__main__")
    if function:
        _found(names, file, function)()


def _found(names: Mapping[str, Any], file: str, function: str) -> Callable[[], object]:
    """Return a function of a script.

    Raises:
        LaunchError: it has none of this name.
    """
    if not callable(names.get(function)):
        known = [name for name, held in names.items() if callable(held) and name.startswith("test_")]
        told = f"Those that begin with test_: {', '.join(known)}." if known else "It has none that begins with test_."
        raise LaunchError(f"{file} has no function {function!r}. {told}")
    return names[function]


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
