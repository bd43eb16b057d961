"""The inspector's pages in a browser: sizes of the bundle, first paint, and how fast pages answer the hand.

Run ``python -m benchmarks.dashboard`` with a built front end and a Chromium; each figure is printed when it is known.
Runs of 1024 ranks and of 5000 parameters are written through the recorder. Times of interaction are from the event to
the canvas drawn, in the page, without compositing. `hold` is what a figure must not exceed on an idle machine, `cpu ms`
the processor time of the page's thread (of the server, where it does the work) for the same, which a busy machine
leaves about as it is. ``--only WORDS`` measures the parts whose name holds these words; ``--memory-minutes 10`` also
watches a growing run so long; ``--gate`` fails above 1.5 times of what a figure may be.
"""

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.browser import DRAWN, Figure, Tab, is_above, open_tab, p95, print_figure, print_head
from benchmarks.dashboard_scripts import HOVER, PAINT, PLAN, REPAINT, SCROLL, STEP_SEEN
from benchmarks.recording import train as train_recorded
from simpar.context import Context, entered
from simpar.dashboard import serving
from simpar.dashboard.binning import binned, disjoint
from simpar.dashboard.pages import STATIC
from simpar.recorder import CollectiveSpec, ProgramCompiled, RunWriter, StepFinished
from tests.dashboard.runs import PROGRAM, STEP_S, write_run

ROUNDS = 5
RANKS, BINS, EVENTS = 1024, 1200, 1_000_000
GRID = "[role=grid]"
WEB = Path(__file__).parents[1] / "web"


class Inspector:
    """A browser that shows recorded runs; both are made when they are first needed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack

    @cached_property
    def _opened(self) -> tuple[str, Tab]:
        write_run(self.folder, "many", (32, 32), steps=2)
        write_run(self.folder, "wide", (32, 32), blocks=1250, steps=0, world=1)
        told = CollectiveSpec(0, "all_to_all", tuple(range(RANKS)), 4 << 20, "written in the network", 0, (), "forward")
        more = [(0, ProgramCompiled(PROGRAM, "", "d1ge57", (told,), 0, (), ()))]
        write_run(self.folder, "full", (32, 32), blocks=0, steps=0, world=1, more=more)
        address = self._stack.enter_context(serving(self.folder))
        return address.partition("/?")[0], self._stack.enter_context(open_tab(address))

    @property
    def tab(self) -> Tab:
        """The browser's page."""
        return self._opened[1]

    def open(self, place: str, wait_for: str = "main h1") -> Tab:
        """Open a page of the inspector and wait for a part of it."""
        self.tab.page.goto(f"{self._opened[0]}/{place}")
        self.tab.page.wait_for_selector(wait_for)
        return self.tab


def sizes(_: Inspector) -> Iterator[Figure]:
    """Weigh what is shipped."""
    files = {path: path.read_bytes() for path in STATIC.rglob("*") if path.is_file()}
    page = (STATIC / "index.html").read_text("utf-8")
    packed = {path.name: len(gzip.compress(data)) / 1000 for path, data in files.items()}
    scripts = {name: size for name, size in packed.items() if name.endswith(".js")}
    first = sum(size for name, size in scripts.items() if name in page)
    yield Figure("scripts of the frame, gzip", first, 150, "kB", None, False)
    yield Figure("all scripts, gzip", sum(scripts.values()), 300, "kB", None, False)
    styles = sum(size for name, size in packed.items() if name.endswith(".css"))
    yield Figure("styles, gzip", styles, 40, "kB", None, False)
    fonts = sum(len(data) for path, data in files.items() if path.suffix == ".woff2") / 1000
    yield Figure("fonts", fonts, 120, "kB", None, False)


def wall(inspector: Inspector) -> Iterator[Figure]:
    """Open the wall of many ranks anew."""
    tab, found = inspector.tab, list[tuple[float, float, float]]()
    for _ in range(ROUNDS):
        tab.page.goto("about:blank")
        before = tab.cpu_ms()
        inspector.open("devices?run=many")
        drawn = tab.page.evaluate(DRAWN)
        found.append((tab.page.evaluate(PAINT), drawn, tab.cpu_ms() - before))
    first, drawn, cpu = (statistics.median(of) for of in zip(*found, strict=True))
    yield Figure("first contentful paint", first, 600, "ms")
    yield Figure("wall of 1024 ranks drawn", drawn, 1000, "ms", cpu)


def parameters(inspector: Inspector) -> Iterator[Figure]:
    """List many parameters, scroll, and choose one after another."""
    before = inspector.tab.cpu_ms()
    tab = inspector.open("tensors?run=wide", f"{GRID} [role=gridcell]")
    shown = tab.page.evaluate("() => performance.now()")
    yield Figure("5000 parameters x 1024 ranks listed", shown, 1000, "ms", tab.cpu_ms() - before)
    tab.page.evaluate(DRAWN)
    tab.page.wait_for_timeout(500)
    yield _answered(tab, "frame while scrolling 5000 rows, p95", SCROLL, None, 20)
    yield _answered(tab, "choose a parameter to repaint, p95", REPAINT, [GRID, ["ArrowDown"], 30], 50)


def hover(inspector: Inspector) -> Iterator[Figure]:
    """Move the pointer over the wall."""
    tab = inspector.open("devices?run=many")
    tab.page.evaluate(DRAWN)
    yield _answered(tab, "hover to repaint, 1024 ranks, p95", HOVER, None, 16)


def matrix(inspector: Inspector) -> Iterator[Figure]:
    """Show who sends to whom, and move in it."""
    tab = inspector.open("communication?run=full&view=matrix")
    tab.page.evaluate(DRAWN)
    tab.page.wait_for_timeout(500)
    metrics = [".figure .controls button[aria-pressed]", [], 12]
    tab.page.evaluate(REPAINT, metrics)  # both matrices are in the browser's cache now
    yield _answered(tab, "1024 x 1024 matrix fetched and drawn, p95", REPAINT, metrics, 250)
    keys = [".figure .picture .over", ["ArrowDown", "Enter"], 24]  # to the next cell, and choose its rank
    yield _answered(tab, "1024 x 1024 matrix, one cell to the next, p95", REPAINT, keys, 16, lambda all: p95(all[::2]))
    yield _answered(tab, "1024 x 1024 matrix drawn anew, p95", REPAINT, keys, 33, lambda all: p95(all[1::2]))


def plan(inspector: Inspector) -> Iterator[Figure]:
    """Change a strategy of 1024 ranks."""
    tab = inspector.open("plan?run=wide", "main button[aria-pressed]")
    tab.page.wait_for_timeout(1500)
    yield _answered(tab, "plan edit to new figures, 1024 ranks, median", PLAN, None, 100, statistics.median)


def _answered(
    tab: Tab, words: str, script: str, given: object, hold: float, of: Callable[[list[float]], float] = p95
) -> Figure:
    before = tab.cpu_ms()
    found: list[float] = tab.page.evaluate(script, given)
    return Figure(words, of(found), hold, "ms", (tab.cpu_ms() - before) / max(1, len(found)))


def binning(_: Inspector) -> Iterator[Figure]:
    """Put a million collectives into bins, as the server does for the timeline."""
    noise = np.random.default_rng(0)
    starts = np.sort(noise.uniform(0, 100, (RANKS, EVENTS // RANKS)), axis=1)
    ends = starts + noise.uniform(0, 0.2, starts.shape)
    rows = np.repeat(np.arange(RANKS), starts.shape[1])
    took: list[float] = []
    spent: list[float] = []
    for _ in range(2 * ROUNDS):
        begin, cpu = time.perf_counter(), time.thread_time()
        left, right = disjoint(starts, ends)
        binned(left.ravel(), right.ravel(), rows, RANKS, (0.0, 100.0, BINS))
        took.append((time.perf_counter() - begin) * 1e3)
        spent.append((time.thread_time() - cpu) * 1e3)
    yield Figure("1e6 events into 1200 bins x 1024 rows", statistics.median(took), 50, "ms", statistics.median(spent))


def slices(_: Inspector) -> Iterator[Figure]:
    """Number the slice of each rank of each parameter; needs a Node and the packages of ``web``."""
    node = shutil.which("node")
    if node is None or not (WEB / "node_modules").is_dir():
        print("slice numbers are not measured: run `npm ci` in web/")
        return
    told = subprocess.run([node, "scripts/slices.mjs"], cwd=WEB, capture_output=True, text=True, check=True)
    yield Figure("slice numbers, 5000 parameters x 1024 ranks", float(told.stdout), 200, "ms", float(told.stdout))


def live(inspector: Inspector) -> Iterator[Figure]:
    """Write steps of 1024 ranks and wait until the page tells of each."""
    store = RunWriter(write_run(inspector.folder, "grows", (32, 32), steps=1, ends=False))
    try:
        tab = inspector.open("overview?run=grows", "header .step")
        tab.page.wait_for_timeout(1000)
        took: list[float] = []
        for number in range(2, 2 + 2 * ROUNDS):
            tab.page.wait_for_timeout(number * 83 % 400)  # not always just after the server has looked
            _write_step(store, number)
            written = time.time()
            took.append((tab.page.evaluate(STEP_SEEN, number) - written) * 1e3)
        yield Figure("step written to step on the page, median", statistics.median(took), 500, "ms")
    finally:
        store.close()


def recording(_: Inspector) -> Iterator[Figure]:
    """Record the values of slices as often as a run does by itself."""
    made: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with entered(Context()):
            off, seldom = (train_recorded(often, (784, 256, 10), 128, 400) for often in ("off", "seldom"))
        made.append((100 * (seldom / off - 1), seldom * 1e3))
    more, cpu = (statistics.median(of) for of in zip(*made, strict=True))
    yield Figure("values recorded, a step costs more by", more, 2, "%", cpu)


def elements(inspector: Inspector) -> Iterator[Figure]:
    """Count the elements of each page."""
    page = inspector.open("overview?run=many", "nav a[href]").page
    links = page.eval_on_selector_all("nav li a", "all => all.map(a => a.href)")
    most: dict[str, int] = {}
    for run in ("many", "wide"):
        for name in (link.split("/")[-1].split("?")[0] for link in links):
            inspector.open(f"{name}?run={run}").page.wait_for_timeout(700)
            most[name] = max(most.get(name, 0), page.evaluate("document.getElementsByTagName('*').length"))
    largest = max(most, key=lambda name: most[name])
    yield Figure(f"elements of the largest page ({largest})", most[largest], 3000, "", None, False)


def memory(inspector: Inspector, minutes: float) -> Iterator[Figure]:
    """Watch a run of 1024 ranks grow, and what the tab holds meanwhile."""
    path, ended = write_run(inspector.folder, "live", (32, 32), steps=1, ends=False), threading.Event()
    writer = threading.Thread(target=_grow, args=(path, ended), daemon=True)
    writer.start()
    tab = inspector.open("overview?run=live")
    held: list[tuple[float, int]] = []
    most = 0
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        tab.page.wait_for_timeout(5000)
        held.append((time.monotonic(), tab.heap_bytes()))
        most = max(most, tab.process_bytes())
    ended.set()
    writer.join()
    yield Figure(f"memory of the tab, {minutes:g} min live", most / 1e6, 300, "MB", None, False)
    settled = [(t, n) for t, n in held if t > held[0][0] + min(60.0, 30 * minutes)]
    slope = np.polyfit(*zip(*settled, strict=True), 1)[0] * 60 / 1e6 if len(settled) > 2 else float("nan")
    yield Figure("its scripts' memory, growth after that", slope, 0.5, "MB/min", None, False)


def _grow(path: Path, ended: threading.Event) -> None:
    """Write four steps a second."""
    store, number = RunWriter(path), 2
    while not ended.wait(0.25):
        _write_step(store, number)
        number += 1
    store.close()


def _write_step(store: RunWriter, number: int) -> None:
    clock, times = 0.5 + STEP_S * number, np.zeros((0, 2))
    shift = [1000.0 * (rank // 8) for rank in range(RANKS)]
    store.write(
        (r, StepFinished(PROGRAM, number, clock + shift[r], clock + shift[r] + 0.9 * STEP_S, 2.5 / number, times))
        for r in range(RANKS)
    )


PARTS = (sizes, wall, parameters, hover, matrix, plan, binning, slices, live, recording, elements)


def main() -> int:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gate", action="store_true", help="fail if a figure is above 1.5 times what it should be")
    parser.add_argument("--only", default="", help="measure " + ", ".join(part.__name__ for part in PARTS))
    parser.add_argument("--memory-minutes", type=float, default=0.0, help="how long a growing run is watched")
    given = parser.parse_args()
    print(f"load of the machine, one minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print_head()
    above = 0
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        inspector = Inspector(Path(name), stack)
        parts = [part(inspector) for part in PARTS if given.only in part.__name__]
        if given.memory_minutes > 0:
            parts.append(memory(inspector, given.memory_minutes))
        for part in parts:
            for figure in part:
                print_figure(figure)
                above += is_above(figure)
    return int(given.gate and above > 0)


if __name__ == "__main__":
    sys.exit(main())
