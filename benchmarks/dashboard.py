"""The inspector's pages in a browser: sizes of the bundle, first paint, and how fast pages answer the hand.

Run ``python -m benchmarks.dashboard`` with a built front end and a Chromium. Runs of 1024 ranks and of 5000 parameters
are written through the recorder. Times of interaction are from the event to the canvas drawn, in the page, without
compositing. The column `hold` is what a figure must not exceed on an idle machine; ``--gate`` fails above 1.5 times
of it.
"""

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpar.dashboard import serving
from simpar.dashboard.pages import STATIC
from tests.dashboard.runs import write_run

ROUNDS = 5

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

PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
DRAWN = """() => new Promise(done => {
    const look = () => {
        const canvas = document.querySelector("main .picture canvas");
        canvas && canvas.width > 300 ? done(performance.now()) : requestAnimationFrame(look);
    };
    look();
})"""


@dataclass(frozen=True, slots=True)
class Figure:
    """Is one line of the table.

    Args:
        value: measured.
        hold: what it must not exceed.
        is_timed: whether it depends on the machine.
    """

    words: str
    value: float
    hold: float
    unit: str
    is_timed: bool = True


def sizes() -> Iterator[Figure]:
    """Weigh what is shipped."""
    files = {path: path.read_bytes() for path in STATIC.rglob("*") if path.is_file()}
    page = (STATIC / "index.html").read_text("utf-8")
    scripts = {path.name: len(gzip.compress(data)) / 1000 for path, data in files.items() if path.suffix == ".js"}
    first = sum(size for name, size in scripts.items() if name in page)
    yield Figure("scripts of the frame, gzip", first, 150, "kB", False)
    yield Figure("all scripts, gzip", sum(scripts.values()), 300, "kB", False)
    fonts = sum(len(data) for path, data in files.items() if path.suffix == ".woff2") / 1000
    yield Figure("fonts", fonts, 120, "kB", False)


def paints(tab: Any, origin: str) -> Iterator[Figure]:
    """Open pages anew."""
    first: list[float] = []
    wall: list[float] = []
    for _ in range(ROUNDS):
        tab.goto(f"{origin}/devices?run=many")
        wall.append(tab.evaluate(DRAWN))
        first.append(tab.evaluate(PAINT))
    yield Figure("first contentful paint", statistics.median(first), 600, "ms")
    yield Figure("wall of 1024 ranks drawn", statistics.median(wall), 1000, "ms")
    tab.goto(f"{origin}/tensors?run=wide")
    tab.wait_for_selector("[role=grid] [role=gridcell]")
    yield Figure("5000 parameters listed", tab.evaluate("() => performance.now()"), 1000, "ms")


def interaction(tab: Any, origin: str) -> Iterator[Figure]:
    """Move the pointer and scroll."""
    tab.goto(f"{origin}/devices?run=many")
    tab.evaluate(DRAWN)
    yield Figure("hover to repaint, 1024 ranks, p95", _p95(tab.evaluate(HOVER)), 16, "ms")
    tab.goto(f"{origin}/tensors?run=wide")
    tab.wait_for_selector("[role=grid] [role=gridcell]")
    yield Figure("frame while scrolling 5000 rows, p95", _p95(tab.evaluate(SCROLL)), 20, "ms")


def elements(tab: Any, origin: str) -> Iterator[Figure]:
    """Count the elements of each page."""
    tab.goto(f"{origin}/overview?run=many")
    tab.wait_for_selector("nav a[href]")
    pages = [
        a.split("/")[-1].split("?")[0] for a in tab.eval_on_selector_all("nav li a", "all => all.map(a => a.href)")
    ]
    most = 0
    for page in pages:
        tab.goto(f"{origin}/{page}?run=many")
        tab.wait_for_selector("main h1")
        tab.wait_for_timeout(1500)
        most = max(most, tab.evaluate("document.getElementsByTagName('*').length"))
    yield Figure("elements of the largest page", most, 3000, "", False)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gate", action="store_true", help="fail if a figure is above 1.5 times what it should be")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        write_run(Path(folder), "many", (32, 32), steps=2)
        write_run(Path(folder), "wide", (32, 32), blocks=1250, steps=0, world=1)
        with serving(Path(folder)) as address:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
            tab = browser.new_page(viewport={"width": 1440, "height": 900})
            tab.set_default_timeout(60_000)
            tab.goto(address)
            origin = address.partition("/?")[0]
            found = [*sizes(), *paints(tab, origin), *interaction(tab, origin), *elements(tab, origin)]
            browser.close()
    print(f"{'':40}{'measured':>10}{'hold':>8}")
    for figure in found:
        print(f"{figure.words:40}{figure.value:10.1f}{figure.hold:8.0f} {figure.unit}")
    above = [f for f in found if f.value > f.hold * (1.5 if f.is_timed else 1)]
    return int(given.gate and bool(above))


if __name__ == "__main__":
    sys.exit(main())
