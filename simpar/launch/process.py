"""Ranks started, listened to and stopped: ``run_ranks`` starts mpiexec and leaves nothing behind."""

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Final, NoReturn

from simpar.errors import LaunchError
from simpar.launch.alarm import ALARM_FOLDER, INTERRUPTED, STOPPED
from simpar.launch.ended import EndedWatch
from simpar.launch.mpi import find_mpi, launch_command, launch_environment, rank_environment
from simpar.launch.noise import NoiseFilter
from simpar.launch.script import file_and_function

__all__ = ["TIMED_OUT", "check_script", "run_ranks", "run_script"]

TIMED_OUT: Final = 124
"""The exit code of ranks that were stopped because their time was up, as ``timeout`` of GNU's coreutils has it."""

_OUTPUT, _ERRORS = 1, 2  # the streams' numbers, as in a shell's 2>
_MARK: Final = "SIMPAR_LAUNCH"
_PAUSE_S: Final = 0.2
"""How long text is held back that might be the beginning of MPI's noise."""
_GRACE_S: Final = 3.0
"""How long mpiexec may take to stop its ranks, before they are killed."""


class _Stopped(Exception):
    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def run_script(
    script: Path,
    arguments: Sequence[str],
    n: int,
    *,
    vendor: str | None = None,
    timeout_s: float | None = None,
    environ: Mapping[str, str] | None = None,
    module: str = "simpar.launch.rank",
) -> int:
    """Run a script on ``n`` ranks and return its exit code; see ``run_ranks``.

    Args:
        module: what each rank runs with ``python -m``; it is given the script and its arguments.

    Raises:
        LaunchError: the script does not exist.
    """
    check_script(script)
    program = [sys.executable, "-m", module, str(script), *arguments]
    return run_ranks(program, n, vendor=vendor, timeout_s=timeout_s, environ=environ)


def check_script(script: Path) -> None:
    """Check that there is a file to run; a function of it may be named too, ``train.py::test_train``.

    Raises:
        LaunchError: there is none.
    """
    file = Path(file_and_function(str(script))[0])
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        raise LaunchError(f"the script {str(file)!r} {what}. Give the path of a Python file, from {Path.cwd()}.")


def run_ranks(
    program: Sequence[str],
    n: int,
    *,
    vendor: str | None = None,
    timeout_s: float | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Start ``n`` ranks of a program, pass on what they print, and return the exit code when all have ended.

    Ctrl-C and SIGTERM stop all ranks. One rank needs no MPI and is started without.

    Args:
        program: a command, the same for all ranks.
        n: how many ranks.
        vendor: ``"openmpi"`` or ``"mpich"`` if only that one will do.
        timeout_s: seconds after which the ranks are stopped.
        environ: the environment to start from, instead of this process's.

    Raises:
        LaunchError: ``n`` is not positive, or there is no MPI.
    """
    if n < 1:
        raise LaunchError(f"a program cannot run on {n} ranks; give 1 or more.")
    base = dict(os.environ if environ is None else environ)
    with tempfile.TemporaryDirectory(prefix="simpar-", ignore_cleanup_errors=True) as folder:
        marks = {ALARM_FOLDER: str(Path(folder, "alarm")), _MARK: uuid.uuid4().hex}
        Path(folder, "alarm").mkdir()
        if n == 1 and vendor is None:
            return _watch(list(program), rank_environment(n) | base | marks, timeout_s, n, alone=True)
        mpi = find_mpi(vendor)
        command = launch_command(mpi, n, program)
        return _watch(command, launch_environment(mpi, n, base) | marks, timeout_s, n, alone=False)


def _watch(command: list[str], environ: Mapping[str, str], timeout_s: float | None, n: int, *, alone: bool) -> int:
    pipe = None if alone else subprocess.PIPE
    stdin = subprocess.DEVNULL if not alone and sys.stdin is not None and sys.stdin.isatty() else None
    process = subprocess.Popen(
        command, env=environ, stdin=stdin, stdout=pipe, stderr=pipe, process_group=None if alone else 0
    )
    relays = [_Relay(process.stdout, _OUTPUT), _Relay(process.stderr, _ERRORS)]
    try:
        with _sigterm_raises():
            code = _wait(process, timeout_s, n, Path(environ[ALARM_FOLDER]))
    except KeyboardInterrupt:
        return _stop(process, environ[_MARK], relays, "interrupted.", INTERRUPTED)
    except _Stopped as stopped:
        return _stop(process, environ[_MARK], relays, str(stopped), stopped.code)
    except subprocess.TimeoutExpired:
        return _stop(process, environ[_MARK], relays, f"stopped after {timeout_s:g} s.", TIMED_OUT)
    for relay in relays:
        relay.finish(_GRACE_S)
    _kill_marked(environ[_MARK])
    return code if code >= 0 else 128 - code


def _wait(process: subprocess.Popen[bytes], timeout_s: float | None, n: int, folder: Path) -> int:
    """Return the exit code when mpiexec has ended: that of the first rank to fail, else that of mpiexec.

    Raises:
        subprocess.TimeoutExpired: the time was up before.
        _Stopped: a rank failed, and its mpiexec did not end by itself.
    """
    stopped, ended = folder.with_name(STOPPED), EndedWatch(folder, n)
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = deadline - time.monotonic()
        try:
            code = process.wait(max(0.0, min(_PAUSE_S, left)))
            return _code_left(stopped) or code
        except subprocess.TimeoutExpired:
            if left <= _PAUSE_S:
                raise
        if stopped.exists() and not _ends_within(process, _GRACE_S / 2):
            raise _Stopped(_code_left(stopped) or 1, "")
        if notice := ended.look():
            print(f"simpar run: {notice}", file=sys.stderr, flush=True)


def _code_left(stopped: Path) -> int:
    """Return the exit code that a rank which failed has left, or 0."""
    return int(stopped.read_text(encoding="ascii") or 0) if stopped.exists() else 0


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def _stop(process: subprocess.Popen[bytes], mark: str, relays: "list[_Relay]", why: str, code: int) -> int:
    """Stop all ranks, say why in one line, and return ``code``; what MPI would still say about it is left out."""
    for relay in relays:
        relay.expect_the_end()
    if why:
        print(f"simpar run: {why}", file=sys.stderr, flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C again: do not wait
        process.terminate()
        _ends_within(process, _GRACE_S)
    _kill_marked(mark)
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    for relay in relays:
        relay.finish(_GRACE_S)
    return code


@contextlib.contextmanager
def _sigterm_raises() -> Generator[None]:
    """Turn SIGTERM and SIGHUP into an exception, so that the ranks are stopped before this process ends."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        raise _Stopped(128 + number, f"stopped by {signal.Signals(number).name}.")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill_marked(mark: str) -> None:
    """Kill the ranks that still live: the processes that have the mark in their environment (Linux only)."""
    needle = f"{_MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is not ours
            if needle in entry.read_bytes().split(b"\0"):
                os.kill(int(entry.parent.name), signal.SIGKILL)


class _Relay:
    """Passes on one stream of mpiexec, without MPI's noise, from a thread of its own."""

    __slots__ = ("_is_muted", "_noise", "_source", "_target", "_thread")

    def __init__(self, source: IO[bytes] | None, target: int) -> None:
        self._source = source
        self._target = target
        self._is_muted = False
        self._noise = NoiseFilter()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if source is not None:
            self._thread.start()

    def expect_the_end(self) -> None:
        """Leave out what is said about being stopped: of the stream for errors, all that is still to come."""
        self._noise.is_stopping = True
        self._is_muted = self._target == _ERRORS

    def finish(self, patience_s: float) -> None:
        """Wait until the stream has ended; a stray process that keeps it open is not waited for for ever."""
        if self._source is not None:
            self._thread.join(patience_s)
            if not self._thread.is_alive():
                self._source.close()

    def _run(self) -> None:
        assert self._source is not None, "a relay without a source has no thread"
        noise, number = self._noise, self._source.fileno()
        while True:
            if noise.is_holding and not select.select([number], [], [], _PAUSE_S)[0]:
                self._write(noise.end())
                continue
            data = os.read(number, 1 << 16)
            self._write(noise.feed(data) if data else noise.end())
            if not data:
                return

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody reads any more, e.g. `simpar run ... | head`
            while data and not self._is_muted:
                data = data[os.write(self._target, data) :]
