"""What makes a plain ``mpirun -n 8 python x.py`` work, written into the environment's own Open MPI.

Open MPI refuses more ranks than cores unless a file in its ``etc`` says otherwise, and it refuses root unless two
variables are set, which no file of its own can do. ``simpar run`` passes all of this itself and needs none of it.
"""

import os
import sys
from pathlib import Path
from typing import Final

from simpar.launch.mpi import OPEN_MPI, Mpi

__all__ = ["ROOT_EXPORTS", "repair"]

ROOT_EXPORTS: Final = "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
"""What lets root use Open MPI's mpirun, for a shell or a Dockerfile's ENV."""

_MANY_RANKS: Final = "rmaps_default_mapping_policy = :oversubscribe"
_KEPT: Final = ".before-simpar"
_WRAPPER: Final = f"""#!/bin/sh
# Written by `simpar doctor --fix`: Open MPI refuses root unless these two variables are set.
# To undo: mv "$0{_KEPT}" "$0"
export OMPI_ALLOW_RUN_AS_ROOT="${{OMPI_ALLOW_RUN_AS_ROOT:-1}}"
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="${{OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-1}}"
exec "$(readlink -f "$0"){_KEPT}" "$@"
"""


def repair(mpi: Mpi) -> list[str]:
    """Let plain ``mpirun`` start more ranks than cores, and start them for root; return what was done, in words.

    Only the Open MPI inside the running Python's own environment is changed: another belongs to somebody else.
    """
    prefix = mpi.mpiexec.parent.parent
    if mpi.vendor != OPEN_MPI or prefix != Path(sys.prefix):
        return []
    return [*_allow_many_ranks(prefix / "etc" / "prte-mca-params.conf"), *_allow_root(mpi.mpiexec.parent)]


def _allow_many_ranks(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if any(line.strip().startswith("rmaps_default_mapping_policy") for line in text.splitlines()):
        return []  # done before, or the user's own choice
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{text}\n# Written by `simpar doctor --fix`:\n{_MANY_RANKS}\n", encoding="utf-8")
    return [f"wrote '{_MANY_RANKS}' to {file}"]


def _allow_root(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    done: list[str] = []
    for launcher in (folder / "mpirun", folder / "mpiexec"):
        kept = launcher.with_name(launcher.name + _KEPT)
        if launcher.exists() and launcher.read_bytes()[:2] != b"#!":
            launcher.rename(kept)
            launcher.write_text(_WRAPPER, encoding="utf-8")
            launcher.chmod(0o755)
            done.append(f"put a script in the place of {launcher} that lets root run it; the program is {kept.name}")
    return done
