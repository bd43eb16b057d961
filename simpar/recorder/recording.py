"""Opens the recorder of a run, on each rank, and tells it the first events."""

import os
import platform
import socket
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simpar.recorder.events import RankStarted, RunStarted
from simpar.recorder.recorder import Mailbox, StoreRecorder
from simpar.recorder.runs import new_run, runs_folder

__all__ = ["start_recording"]


def start_recording(
    script: str,
    argv: Sequence[str] = (),
    *,
    mode: str,
    device_num: int,
    rank: int = 0,
    size: int = 1,
    mailbox: Mailbox | None = None,
    options: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    folder: Path | str | None = None,
    last_words: Path | None = None,
) -> StoreRecorder:
    """Open the recorder of this rank; on rank 0 make the run's folder and tell what is run.

    Args:
        script: the program's file.
        argv: its arguments.
        mode: the parallel mode.
        device_num: devices that the program is compiled for.
        rank: of this process.
        size: how many ranks there are.
        mailbox: to rank 0, from the world; None if there is one rank only.
        options: what the user set, plain values.
        versions: of what only the caller knows, e.g. the MPI library; simpar, Python and numpy are added.
        folder: of all runs; by default ``SIMPAR_RUNS`` or ``./simpar-runs``.
        last_words: a folder that all ranks see, where one that fails leaves its last batch for rank 0.

    Raises:
        RunStoreError: the run store cannot be made.
    """
    path = new_run(script, runs_folder(folder)) if rank == 0 else None
    recorder = StoreRecorder(path, rank, size, mailbox, last_words=last_words)
    if path is not None:
        recorder.emit(
            RunStarted(
                path.parent.name,
                script,
                tuple(argv),
                time.time(),
                mode,
                device_num,
                size,
                {**_versions(), **(versions or {})},
                dict(options or {}),
            )
        )
    recorder.emit(RankStarted(rank, socket.gethostname(), os.getpid(), time.time(), time.perf_counter()))
    recorder.flush()
    return recorder


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("simpar", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # simpar run from its sources
            found[package] = "not installed"
    return found
