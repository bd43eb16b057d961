"""One rank of a launch: runs the cases it is given, one after the other. See ``harness``."""

import contextlib
import os
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import World, open_world
from simpar.context import Context, entered
from tests.mpi.harness import ENDED, FAILED, RUNNING, Case, collect_cases, open_table

PATIENCE_S = 2.0
"""How long a rank may still be in a case that another rank has failed."""


class Watch:
    """Ends the launch when a case cannot end any more, after noting what this rank is doing."""

    def __init__(self, folder: Path, table: NDArray[np.uint8], rank: int, limit_s: float) -> None:
        self.folder, self.table, self.rank, self.limit_s = folder, table, rank, limit_s
        self.number, self.since = 0, time.monotonic()
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self, number: int) -> None:
        self.number, self.since = number, time.monotonic()

    def _run(self) -> None:
        failed_since: tuple[int, float] | None = None
        while True:
            time.sleep(0.1)
            now, number = time.monotonic(), self.number
            if (self.table[number] == FAILED).any() and (self.table[number] == RUNNING).any():
                failed_since = failed_since if failed_since and failed_since[0] == number else (number, now)
                if now - failed_since[1] > PATIENCE_S:
                    self._give_up(number)
            if now - self.since > self.limit_s and (self.table[number] == RUNNING).any():
                self._give_up(number)

    def _give_up(self, number: int) -> None:
        if self.table[number, self.rank] == RUNNING:
            frame = sys._current_frames()[threading.main_thread().ident or 0]  # pyright: ignore[reportPrivateUsage]
            notes = self.folder / f"{number}-{self.rank}"
            notes.write_text("".join(traceback.format_stack(frame)), encoding="utf-8")
        time.sleep(0.5)  # the others note what they are doing too
        os._exit(3)


def run_case(case: Case, world: World, notes: Path) -> int:
    try:
        with entered(Context(world=world)):
            case.function(world)
    except BaseException:
        notes.write_text(traceback.format_exc(), encoding="utf-8")
        return FAILED
    return ENDED


def main(folder: Path, cases_folder: Path, limit_s: float, names: list[str]) -> None:
    cases, world = collect_cases(cases_folder), open_world()
    table = open_table(folder, len(names), world.size)
    watch = Watch(folder, table, world.rank, limit_s)
    for number, name in enumerate(names):
        watch.begin(number)
        table[number, world.rank] = run_case(cases[name], world, folder / f"{number}-{world.rank}")
        while (table[number] == RUNNING).any():
            time.sleep(0.001)
        if (table[number] == FAILED).any():
            break
    with contextlib.suppress(Exception):
        world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
