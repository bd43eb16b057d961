"""A run for other tools: written into a folder of the system's own choosing, sent, and removed."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from simpar.dashboard.movement import collective_list, group_list
from simpar.dashboard.overview import run_detail
from simpar.dashboard.parameters import parameter_list
from simpar.dashboard.programs import program_list
from simpar.dashboard.redistributions import redistribution_list
from simpar.dashboard.store import OpenedRun
from simpar.recorder import json_text, write_chrome_trace, write_csv_files

__all__ = ["Export", "Kind", "export"]

Kind = Literal["chrome-trace", "csv", "json"]


class Export:
    """Is one file that was written for one request.

    Args:
        folder: of its own, removed by ``remove``.
        path: of the file.
        media_type: of its contents.
    """

    def __init__(self, folder: Path, path: Path, media_type: str) -> None:
        self.folder, self.path, self.media_type = folder, path, media_type

    def remove(self) -> None:
        """Remove the file and its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def export(opened: OpenedRun, kind: Kind) -> Export:
    """Write a run as one file."""
    folder = Path(tempfile.mkdtemp(prefix="simpar-export-"))
    try:
        path, media_type = _WRITERS[kind](opened, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Export(folder, path, media_type)


def _chrome_trace(opened: OpenedRun, folder: Path) -> tuple[Path, str]:
    path = folder / "trace.json"
    write_chrome_trace(opened.run, path)
    return path, "application/json"


def _csv(opened: OpenedRun, folder: Path) -> tuple[Path, str]:
    path = folder / "csv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in write_csv_files(opened.run, folder / "csv"):
            archive.write(file, file.name)
    return path, "application/zip"


def _json(opened: OpenedRun, folder: Path) -> tuple[Path, str]:
    path = folder / "run.json"
    programs = opened.run.programs()
    everything = {
        "run": run_detail(opened),
        "parameters": parameter_list(opened),
        "programs": program_list(opened),
        "collectives": {p: collective_list(opened, p) for p in programs},
        "groups": {p: group_list(opened, p) for p in programs},
        "redistributions": {p: redistribution_list(opened, p) for p in programs},
    }
    plain = {
        name: {p: x.model_dump(mode="json", by_alias=True) for p, x in value.items()}
        if isinstance(value, dict)
        else value.model_dump(mode="json", by_alias=True)
        for name, value in everything.items()
    }
    path.write_text(json_text({"schema": 1, **plain}), encoding="utf-8")
    return path, "application/json"


_WRITERS: dict[Kind, Callable[[OpenedRun, Path], tuple[Path, str]]] = {
    "chrome-trace": _chrome_trace,
    "csv": _csv,
    "json": _json,
}
