"""The inspector's pages in a browser: sizes of the bundle, first paint, and how fast pages answer the hand.

Run ``python -m benchmarks.dashboard`` with a built front end and a Chromium. Runs of 1024 ranks and of 5000 parameters
are written through the recorder. Times of interaction are from the event to the canvas drawn, in the page, without
compositing. `hold` is what a figure must not exceed on an idle machine, `cpu ms` the processor time of the page's
thread for the same, which a busy machine leaves as it is. ``--minutes`` is how long a growing run is watched while the
tab's memory is measured; ``--gate`` fails above 1.5 times of what a figure may be.
"""

import argparse
import gzip
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.browser import DRAWN, Figure, Tab, open_tab, p95, print_figures
from simpar.dashboard import serving
from simpar.dashboard.binning import binned, disjoint
from simpar.dashboard.pages import STATIC
from simpar.recorder import CollectiveSpec, ProgramCompiled, RunWriter, StepFinished
from tests.dashboard.runs import PROGRAM, STEP_S, write_run

ROUNDS = 5
RANKS, BINS, EVENTS = 1024, 1200, 1_000_000

HOVER = """async () => {
    const over = document.querySelector(".picture .over"), box = over.getBoundingClientRect(), found = [];
    let drawn = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...where) { drawn++; return clear.apply(this, where); };
    for (let i = 0; i < 200; i++) {
        const x = box.x + box.width * ((i * 37) % 100) / 100, y = box.y + box.height * ((i * 61) % 100) / 100;
        const before = drawn, start = performance.now();
        over.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
        for (let j = 0; j < 20 && drawn === before; j++) await null;
        if (drawn > before) found.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
    }
    CanvasRenderingContext2D.prototype.clearRect = clear;
    return found;
}"""

SCROLL = """async () => {
    const body = document.querySelector("[role=grid]"), found = [];
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 120; i++) {
        body.scrollTop += 360;
        const now = await new Promise(requestAnimationFrame);
        found.push(now - last);
        last = now;
    }
    return found;
}"""

# Presses keys in turn, or two buttons, and waits each time until a canvas is drawn.
REPAINT = """async ([selector, keys, times]) => {
    const found = [];
    let drawn = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...where) { drawn++; return clear.apply(this, where); };
    for (let i = 0; i < times; i++) {
        const on = document.querySelectorAll(selector)[keys.length ? 0 : (i + 1) % 2];
        const before = drawn, start = performance.now();
        const key = keys[i % keys.length];
        if (key) on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        else on.click();
        while (drawn === before && performance.now() - start < 5000) await new Promise(r => setTimeout(r, 0));
        found.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
    }
    CanvasRenderingContext2D.prototype.clearRect = clear;
    return found;
}"""

# From a change of the strategy to the server's new figures on the page.
PLAN = """async () => {
    const found = [];
    for (let i = 0; i < 8; i++) {
        const words = () => document.querySelector("section[aria-label='What a rank needs']").textContent;
        const on = document.querySelector("main button[aria-label*=' on axis ']");
        const before = words(), start = performance.now();
        on.click();
        while (words() === before && performance.now() - start < 3000) await new Promise(r => setTimeout(r, 1));
        found.push(performance.now() - start);
        await new Promise(r => setTimeout(r, 300));
    }
    return found;
}"""

PAINT = """() => new Promise(done => new PerformanceObserver(list => {
    const first = list.getEntriesByName("first-contentful-paint")[0];
    if (first) done(first.startTime);
}).observe({ type: "paint", buffered: true }))"""


def sizes() -> Iterator[Figure]:
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


def paints(tab: Tab, origin: str) -> Iterator[Figure]:
    """Open pages anew."""
    first: list[float] = []
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(ROUNDS):
        tab.page.goto("about:blank")
        before = tab.cpu_ms()
        tab.page.goto(f"{origin}/devices?run=many")
        wall.append(tab.page.evaluate(DRAWN))
        cpu.append(tab.cpu_ms() - before)
        first.append(tab.page.evaluate(PAINT))
    yield Figure("first contentful paint", statistics.median(first), 600, "ms")
    yield Figure("wall of 1024 ranks drawn", statistics.median(wall), 1000, "ms", statistics.median(cpu))
    before = tab.cpu_ms()
    tab.page.goto(f"{origin}/tensors?run=wide")
    tab.page.wait_for_selector("[role=grid] [role=gridcell]")
    shown = tab.page.evaluate("() => performance.now()")
    yield Figure("5000 parameters x 1024 ranks listed", shown, 1000, "ms", tab.cpu_ms() - before)


def interaction(tab: Tab, origin: str) -> Iterator[Figure]:
    """Move the pointer, scroll, choose, change a strategy."""
    page = tab.page
    page.goto(f"{origin}/devices?run=many")
    page.evaluate(DRAWN)
    yield _answered(tab, "hover to repaint, 1024 ranks, p95", HOVER, None, 16)
    page.goto(f"{origin}/tensors?run=wide")
    page.wait_for_selector("[role=grid] [role=gridcell]")
    page.evaluate(DRAWN)
    yield _answered(tab, "frame while scrolling 5000 rows, p95", SCROLL, None, 20)
    yield _answered(tab, "choose a parameter to repaint, p95", REPAINT, ["[role=grid]", ["ArrowDown"], 30], 50)
    page.goto(f"{origin}/communication?run=full&view=matrix")
    page.evaluate(DRAWN)
    page.wait_for_timeout(500)
    metrics = [".figure .controls button[aria-pressed]", [], 12]
    page.evaluate(REPAINT, metrics)  # both matrices are in the browser's cache now
    yield _answered(tab, "1024 x 1024 matrix fetched and drawn, p95", REPAINT, metrics, 250)
    keys = [".figure .picture .over", ["ArrowDown", "Enter"], 24]  # to the next cell, and choose its rank
    yield _answered(tab, "1024 x 1024 matrix, one cell to the next, p95", REPAINT, keys, 16, lambda all: p95(all[::2]))
    yield _answered(tab, "1024 x 1024 matrix drawn anew, p95", REPAINT, keys, 33, lambda all: p95(all[1::2]))
    page.goto(f"{origin}/plan?run=wide")
    page.wait_for_selector("main button[aria-pressed]")
    page.wait_for_timeout(1500)
    yield _answered(tab, "plan edit to new figures, 1024 ranks, median", PLAN, None, 100, statistics.median)


def _answered(
    tab: Tab, words: str, script: str, given: object, hold: float, of: Callable[[list[float]], float] = p95
) -> Figure:
    before = tab.cpu_ms()
    found: list[float] = tab.page.evaluate(script, given)
    return Figure(words, of(found), hold, "ms", (tab.cpu_ms() - before) / max(1, len(found)))


def server() -> Iterator[Figure]:
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


def elements(tab: Tab, origin: str) -> Iterator[Figure]:
    """Count the elements of each page."""
    tab.page.goto(f"{origin}/overview?run=many")
    tab.page.wait_for_selector("nav a[href]")
    links = tab.page.eval_on_selector_all("nav li a", "all => all.map(a => a.href)")
    most: dict[str, int] = {}
    for run in ("many", "wide"):
        for name in (link.split("/")[-1].split("?")[0] for link in links):
            tab.page.goto(f"{origin}/{name}?run={run}")
            tab.page.wait_for_selector("main h1")
            tab.page.wait_for_timeout(1500)
            most[name] = max(most.get(name, 0), tab.page.evaluate("document.getElementsByTagName('*').length"))
    largest = max(most, key=lambda name: most[name])
    yield Figure(f"elements of the largest page ({largest})", most[largest], 3000, "", None, False)


def memory(tab: Tab, origin: str, folder: Path, minutes: float) -> Iterator[Figure]:
    """Watch a run of 1024 ranks grow, and what the tab holds meanwhile."""
    ended = threading.Event()
    writer = threading.Thread(target=_grow, args=(folder, ended), daemon=True)
    writer.start()
    tab.page.goto(f"{origin}/overview?run=live")
    tab.page.wait_for_selector("main h1")
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


def _grow(folder: Path, ended: threading.Event) -> None:
    """Write four steps a second of 1024 ranks."""
    store = RunWriter(write_run(folder, "live", (32, 32), steps=1, ends=False))
    number, times = 2, np.zeros((0, 2))
    while not ended.wait(0.25):
        clock = 0.5 + STEP_S * number
        shift = [1000.0 * (rank // 8) for rank in range(RANKS)]
        store.write(
            (r, StepFinished(PROGRAM, number, clock + shift[r], clock + shift[r] + 0.9 * STEP_S, 2.5 / number, times))
            for r in range(RANKS)
        )
        number += 1
    store.close()


def _write_runs(folder: Path) -> None:
    write_run(folder, "many", (32, 32), steps=2)
    write_run(folder, "wide", (32, 32), blocks=1250, steps=0, world=1)
    everyone = tuple(range(RANKS))
    told = CollectiveSpec(0, "all_to_all", everyone, 4 << 20, "written in the network", 0, (), "forward")
    more = [(rank, ProgramCompiled(PROGRAM, "", "d1ge57", (told,), 0, (), ())) for rank in range(1)]
    write_run(folder, "full", (32, 32), blocks=0, steps=0, world=1, more=more)


def main() -> int:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gate", action="store_true", help="fail if a figure is above 1.5 times what it should be")
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="how long a growing run is watched; 0 for not at all"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_runs(folder)
        with serving(folder) as address, open_tab(address) as tab:
            origin = address.partition("/?")[0]
            found = [*sizes(), *paints(tab, origin), *interaction(tab, origin), *server(), *elements(tab, origin)]
            if given.minutes > 0:
                found += memory(tab, origin, folder, given.minutes)
    print(f"load of the machine, one minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return print_figures(found, given.gate)


if __name__ == "__main__":
    sys.exit(main())
