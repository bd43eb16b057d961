"""Runs a script under a planner."""

import contextlib
import runpy
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from simpar.context import Context, current, entered
from simpar.launch import file_and_function, run_file
from simpar.planning.planner import PlannedProgram, ValueAsked, VirtualPlanner

__all__ = ["PlannedScript", "ScriptFailure", "line_of", "plan_script"]

_PACKAGE = str(Path(__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class PlannedScript:
    """What a script compiled.

    Args:
        script: its path as it was given.
        device_num: how many devices it was planned for.
        rank: which of them it played.
        stopped_at: the value that it asked for, and where; None if it ran to its end.
        programs: what it compiled, in order.
    """

    script: str
    device_num: int
    rank: int
    stopped_at: str | None
    programs: tuple[PlannedProgram, ...]


class ScriptFailure(Exception):
    """Says that a script did not get as far as a plan.

    Args:
        cause: what it raised; SystemExit if it ended with an exit code.
        traceback: of the script alone, without the frames that started it.
    """

    def __init__(self, cause: BaseException, traceback: TracebackType | None) -> None:
        super().__init__(str(cause))
        self.cause, self.traceback = cause, traceback


def plan_script(
    script: Path,
    arguments: Sequence[str],
    device_num: int,
    rank: int = 0,
    output: TextIO | None = None,
    strategy_file: str = "",
) -> PlannedScript:
    """Run a script on an imagined device and return the plans of its programs.

    Args:
        script: a Python file; ``FILE::FUNCTION`` calls one of its functions.
        arguments: what it finds in ``sys.argv``.
        device_num: how many devices to imagine.
        rank: which of them it plays.
        output: where what it prints goes; where it prints anyway if None.
        strategy_file: whose strategies count more than the script's; empty for none.

    Raises:
        ScriptFailure: it raised an error, or ended with an exit code other than 0.
    """
    planner = VirtualPlanner(device_num, rank, strategy_file)
    stopped: str | None = None
    context = Context(planner=planner, mindspore=current().mindspore)
    with entered(context), _as_main(script, arguments), redirect_stdout(output or sys.stdout):
        try:
            run_file(str(script))
        except ValueAsked as asked:
            stopped = f"{asked} at {line_of(asked.__traceback__)}"
        except SystemExit as end:
            if end.code not in (None, 0):
                raise ScriptFailure(end, None) from None
        except Exception as error:
            raise ScriptFailure(error, _of_script(error.__traceback__)) from error
    return PlannedScript(str(script), device_num, rank, stopped, tuple(planner.programs))


@contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Generator[None]:
    """Let the script find itself in ``sys.argv`` and its neighbours on the path, as Python itself would."""
    argv, path = sys.argv, sys.path
    file, _ = file_and_function(str(script))
    sys.argv, sys.path = [file, *arguments], [str(Path(file).resolve().parent), *path]
    try:
        yield
    finally:
        sys.argv, sys.path = argv, path


def _of_script(where: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of this module and of what runs files, which the user did not write."""
    own = (__file__, run_file.__code__.co_filename, runpy.__file__, "<frozen runpy>")
    while where is not None and where.tb_frame.f_code.co_filename in own:
        where = where.tb_next
    return where


def line_of(where: TracebackType | None) -> str:
    """Return file and line of the innermost frame outside of simpar."""
    found = ""
    while where is not None:
        name = where.tb_frame.f_code.co_filename
        if not name.startswith((_PACKAGE, "<frozen")) and name not in (runpy.__file__, contextlib.__file__):
            found = f"{Path(name).name}:{where.tb_lineno}"
        where = where.tb_next
    return found
