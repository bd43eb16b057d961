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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TextIO

from simpar.launch.ended import mark_ended
from simpar.launch.failure import Failure

__all__ = [
    "ALARM_FOLDER",
    "INTERRUPTED",
    "STOPPED",
    "Alarm",
    "alarm_folder",
    "exit_code",
    "on_failure",
    "print_whole_lines",
    "stop_together",
]

ALARM_FOLDER = "SIMPAR_ALARM_FOLDER"
"""The variable in which ``simpar run`` tells its ranks where the first to fail leaves its token."""
STOPPED = "stopped"
"""The file beside that folder in which the first rank to fail leaves the exit code of all.

Without it ``simpar run`` would depend on mpiexec alone: MPICH's does not stop the others for a rank that ends before
MPI has started, and Open MPI's has been seen to crash (signal 11) while it stops them.
"""

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 and the signal's number."""

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


Witness = Callable[[Failure | None], None]
"""Is told why this rank fails, or None if it was interrupted; it must be quick."""


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
    witnesses: list[Witness] = field(default_factory=list["Witness"])
    """Who is told, on the first rank to fail, before all are stopped."""

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
            failure = Failure.of(kind, error, where)
            self.stop("failed:\n" + failure.traceback, 1, failure)

    def on_exit(self) -> None:
        """Stop all ranks if this one ends by ``sys.exit`` with a code that is not 0; else tell the launcher."""
        if self.code:
            self.exit(self.code, f"ended with exit code {self.code}.")
        elif ALARM_FOLDER in os.environ:
            with contextlib.suppress(OSError):
                mark_ended(self.folder, self.rank)

    def exit(self, code: int, what: str) -> None:
        """Say ``what`` once and stop all ranks, since this one ends by ``sys.exit``."""
        self.stop(what, code, Failure("SystemExit", what))

    def stop(self, what: str, code: int, failure: Failure | None = None) -> None:
        """Say ``what`` once, let the witnesses know, and stop all ranks."""
        _flush(sys.stdout)
        if self.is_first():
            sys.stderr.write(f"rank {self.rank} of {self.size} {what}\n")  # one write, so that it arrives in one piece
            _flush(sys.stderr)
            for witness in self.witnesses:
                with contextlib.suppress(Exception):  # whatever happens to a record, the ranks must be stopped
                    witness(failure)
            self._tell_the_launcher(code)
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self._wait_for_the_first()
        self.abort(code)

    def _tell_the_launcher(self, code: int) -> None:
        if ALARM_FOLDER in os.environ:
            with contextlib.suppress(OSError):  # without it the exit code is what mpiexec makes of it
                self.folder.with_name(STOPPED).write_text(str(code), encoding="ascii")

    def _wait_for_the_first(self) -> None:
        tick_s = 0.02
        for _ in range(int(_PATIENCE_S / tick_s)):
            if not self.folder.exists():  # the first has spoken
                break
            self.pause(tick_s)
        self.pause(_RESPITE_S)


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


def on_failure(rank: int, witness: Witness) -> Alarm | None:
    """Have ``witness`` told if this rank is the first to fail; return the alarm of this process, if it has one.

    A process that was started by Python alone has none: there its error is told after Python has shown it. Ranks that
    are threads share their process, for which rank 0 is told.
    """
    shown = sys.excepthook
    alarm = getattr(shown, "__self__", None)
    if isinstance(alarm, Alarm):
        if alarm.rank == rank:
            alarm.witnesses.append(witness)
        return alarm

    def show_and_tell(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        shown(kind, error, where)
        witness(None if issubclass(kind, KeyboardInterrupt) else Failure.of(kind, error, where))

    if rank == 0:
        sys.excepthook = show_and_tell
    return None


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
