"""The runs below one folder: found by the names of their folders, opened for one request, read with care.

A run may grow, be deleted or be damaged while it is shown. Whatever happens then becomes a ``RequestError`` with words
for the one who asked; paths of this machine stay out of them.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

from simpar.dashboard.problems import RequestError
from simpar.errors import RunStoreError
from simpar.recorder import Run, RunInfo, open_run

__all__ = ["Answers", "OpenedRun", "RunsFolder", "mark_of", "reading"]

STORE = "run.sqlite"
_MOST_ANSWERS = 96
_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Answers:
    """Keeps the latest answers, so that a page that asks again does not have them computed again; safe for threads."""

    def __init__(self, most: int = _MOST_ANSWERS) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], _Answer]) -> _Answer:
        """Return what is kept under a key, else compute it and keep it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("_Answer", self._kept[key])
        made = compute()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """Is one run, opened for one request.

    Args:
        name: of its folder.
        run: its store.
        info: what sums it up.
        stamp: changes whenever the store does.
        plan_stamp: changes whenever a rank tells of a program or a parameter.
        answers: what was computed of this and other runs before.
    """

    name: str
    run: Run
    info: RunInfo
    stamp: str
    plan_stamp: str
    answers: Answers

    @property
    def etag(self) -> str | None:
        """The mark of an answer that stays valid; None while the run grows.

        It is a weak one: an answer has the same mark compressed and as it is, which are other bytes.
        """
        return None if self.info.state == "running" else f'W/"{self.stamp}-{self.info.state}"'

    def cached(self, question: Hashable, compute: Callable[[], _Answer]) -> _Answer:
        """Return the answer to a question about this run as it is now."""
        return self.answers.get((self.name, self.stamp, self.info.state, question), compute)

    def planned(self, question: Hashable, compute: Callable[[], _Answer]) -> _Answer:
        """Return the answer to a question about programs and parameters, which steps that arrive do not change."""
        return self.answers.get((self.name, self.plan_stamp, question), compute)


class RunsFolder:
    """The folder whose runs are served.

    Args:
        folder: of all runs, each in a folder of its own; or one run's folder; or its store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.answers = Answers()

    def paths(self) -> dict[str, Path]:
        """Return the store of each run by the name of its folder."""
        if self.folder.is_file():
            return {self.folder.parent.name: self.folder}
        if (self.folder / STORE).exists():
            return {self.folder.name: self.folder / STORE}
        try:
            with os.scandir(self.folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir())
        except OSError:
            return {}
        found = {name: self.folder / name / STORE for name in names}
        return {name: path for name, path in found.items() if path.exists()}

    def path(self, name: str) -> Path:
        """Return the store of a run.

        Raises:
            RequestError: there is no run of that name.
        """
        path = self.paths().get(name)  # names are compared, never joined to a path: none can lead elsewhere
        if path is None:
            raise self.unknown(name)
        return path

    def unknown(self, name: str) -> RequestError:
        """Return the error that says that there is no run of a name."""
        return RequestError(404, "no_run", f"there is no run {name[:200]!r} here. GET /api/runs lists those there are.")

    @contextmanager
    def opened(self, name: str) -> Generator[OpenedRun]:
        """Open a run for the length of a request.

        Raises:
            RequestError: there is none, or it cannot be read.
        """
        path = self.path(name)
        with reading(path, name):
            stamp = _stamp(path)
            with open_run(path) as run:
                yield OpenedRun(name, run, run.info(), stamp, f"{path.stat().st_ino}.{run.plan_mark()}", self.answers)


@contextmanager
def reading(path: Path, name: str) -> Generator[None]:
    """Turn what goes wrong while a run is read into a ``RequestError``.

    Args:
        path: the store, whose path words for the client must not hold.
        name: what stands for it in these words.
    """
    try:
        yield
    except RunStoreError as error:
        raise _store_problem(str(error).replace(str(path), f"{name}/{STORE}"), path) from error
    except FileNotFoundError as error:
        raise RequestError(404, "no_run", f"the run {name!r} was deleted while it was read.") from error
    except OSError as error:
        raise RequestError(409, "unreadable_run", f"{name}/{STORE} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError) as error:
        _log.warning("the run store %s could not be understood", path, exc_info=True)
        message = (
            f"{name}/{STORE} holds a row that cannot be understood: {type(error).__name__}. Run the training again."
        )
        raise RequestError(409, "unreadable_run", message) from error


def _store_problem(message: str, path: Path) -> RequestError:
    if " is locked " in message:
        return RequestError(503, "locked_run", message, retry_after_s=2)
    if not path.exists():
        return RequestError(
            404, "no_run", f"the run {path.parent.name!r} was deleted. GET /api/runs lists those there are."
        )
    return RequestError(409, "unreadable_run", message)


def mark_of(path: Path) -> str:
    """Return a mark that changes whenever a store does: of its file and of its write-ahead log."""
    parts = [str(path)]
    for file in (path, f"{path}-wal"):
        try:
            found = os.stat(file)
        except FileNotFoundError:
            continue
        if found.st_size:
            parts.append(f"{found.st_ino}.{found.st_mtime_ns}.{found.st_size}")
    return "|".join(parts)


def _stamp(path: Path) -> str:
    """Return the mark of a store as answers may carry it: without its path."""
    return blake2b(mark_of(path).encode(), digest_size=9).hexdigest()
