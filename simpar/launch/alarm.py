"""One rank fails: all ranks stop, and the first cause is shown once.

A rank that raises while others wait in a collective would leave them waiting for ever. So each rank arranges that an
error nobody caught ends the whole program. Who was first is settled on each host by a file that only one process can
create; the others stay silent and are stopped with the rest.
"""

import atexit
import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TextIO

from simpar.errors import SimparError, VerifyError

__all__ = [
    "ALARM_FOLDER",
    "INTERRUPTED",
    "STOPPED",
    "Alarm",
    "alarm_folder",
    "exit_code",
    "print_whole_lines",
    "stop_together",
]

ALARM_FOLDER = "SIMPAR_ALARM_FOLDER"
"""The variable in which ``simpar run`` tells its ranks where the first to fail leaves its token."""
STOPPED = "stopped"
"""The file beside that folder in which a rank that ends before MPI has started leaves the exit code of all."""

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 and the signal's number."""

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep
_PATIENCE_S = 5.0
"""How long a rank that was not first waits for the first to have spoken."""
_RESPITE_S = 1.0
"""How long it then waits to be stopped by the first, before it stops everything itself."""


def alarm_folder() -> str:
    """Return the folder for the token of the first rank to fail: the launcher's, else a new one."""
    if ALARM_FOLDER in os.environ:
        return os.environ[ALARM_FOLDER]
    folder = tempfile.mkdtemp(prefix="simpar-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(slots=True)
class Alarm:
    """What a rank does when its program fails.

    Args:
        rank: this rank.
        size: how many ranks there are.
        folder: where the first rank to fail on this host leaves its token.
        abort: ends all ranks with an exit code.
        pause: waits for seconds.
    """

    rank: int
    size: int
    folder: Path
    abort: Callable[[int], object]
    pause: Callable[[float], None] = time.sleep
    code: int = field(default=0)
    """The exit code of a ``sys.exit`` that nobody caught."""

    def is_first(self) -> bool:
        """Return whether no other rank of this host failed before; the answer is yes only once."""
        try:
            os.close(os.open(self.folder / "failed", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except OSError:  # taken, or the first rank has already cleared the folder away
            return False
        return True

    def on_error(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        """Show the error if this rank is the first to fail, then stop all; serves as ``sys.excepthook``."""
        if issubclass(kind, KeyboardInterrupt):
            self.stop("interrupted.", INTERRUPTED)
        else:
            self.stop("failed:\n" + _told(kind, error, where), 1)

    def on_exit(self) -> None:
        """Stop all ranks if this one ends by ``sys.exit`` with a code that is not 0."""
        if self.code:
            self.stop(f"ended with exit code {self.code}.", self.code)

    def stop(self, what: str, code: int) -> None:
        """Say ``what`` once and stop all ranks."""
        _flush(sys.stdout)
        if self.is_first():
            sys.stderr.write(f"rank {self.rank} of {self.size} {what}\n")  # one write, so that it arrives in one piece
            _flush(sys.stderr)
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self._wait_for_the_first()
        self.abort(code)

    def _wait_for_the_first(self) -> None:
        tick_s = 0.02
        for _ in range(int(_PATIENCE_S / tick_s)):
            if not self.folder.exists():  # the first has spoken
                break
            self.pause(tick_s)
        self.pause(_RESPITE_S)


def _told(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> str:
    """Return an error as Python shows it; of a user's mistake only the lines that the user wrote."""
    told = traceback.TracebackException(kind, error, where)
    if issubclass(kind, SimparError) and not issubclass(kind, VerifyError):
        written = [frame for frame in told.stack if not frame.filename.startswith(_PACKAGE)]
        told.stack = traceback.StackSummary.from_list(written or told.stack)
    return "".join(told.format()).rstrip()


def _flush(stream: TextIO | None) -> None:
    with contextlib.suppress(Exception):
        if stream is not None:
            stream.flush()


def stop_together(alarm: Alarm, is_over: Callable[[], bool]) -> None:
    """Arrange that an uncaught error or a nonzero ``sys.exit`` on this rank stops every rank.

    Args:
        alarm: what to do then.
        is_over: whether MPI has ended, after which there is nobody left to stop.
    """
    sys.excepthook = alarm.on_error
    _watch_exit(alarm)
    atexit.register(lambda: None if is_over() else alarm.on_exit())


def print_whole_lines() -> None:
    """Let this rank print line by line, at once, so that the lines of several ranks do not mix."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(line_buffering=True, write_through=False)


def _watch_exit(alarm: Alarm) -> None:
    """Let the alarm know the code of a ``sys.exit`` that ends the program.

    Python tells nobody: ``sys.excepthook`` is not called and ``atexit`` is not given the code. So ``sys.exit`` raises
    an exception that notices its own end. If that comes when no Python code runs any more, nobody caught it.
    """

    class NoticedExit(SystemExit):
        def __del__(self) -> None:
            if sys._getframe().f_back is None:  # pyright: ignore[reportPrivateUsage]
                alarm.code = exit_code(self.code)

    def exit_(status: object = None, /) -> NoReturn:
        raise NoticedExit(status)

    sys.exit = exit_


def exit_code(given: object) -> int:
    """Return the exit code of a process that ends by ``sys.exit(given)``.

    >>> exit_code(None), exit_code(3), exit_code("no such file")
    (0, 3, 1)
    """
    return 0 if given is None else int(given) & 0xFF if isinstance(given, int) else 1
