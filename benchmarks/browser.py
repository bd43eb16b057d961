"""A browser to measure pages in: wall time, and beside it the processor time of the page's own thread.

On a machine that others use, wall time says little; the thread's processor time is what a page costs wherever it runs.
"""

import shutil
import statistics
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DRAWN", "Figure", "Tab", "is_above", "open_tab", "p95", "print_figure", "print_head"]

DRAWN = """() => new Promise(done => {
    const look = () => {
        const canvas = document.querySelector("main .picture canvas");
        canvas && canvas.width > 300 ? done(performance.now()) : requestAnimationFrame(look);
    };
    look();
})"""
"""Waits until a picture is drawn, and returns the milliseconds since the page was asked for."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Is one line of the table.

    Args:
        value: measured.
        hold: what it must not exceed.
        cpu: milliseconds of processor time of the page for the same; None where it is not a time of the page.
        is_timed: whether it depends on the machine.
    """

    words: str
    value: float
    hold: float
    unit: str
    cpu: float | None = None
    is_timed: bool = True


class Tab:
    """A page, and the tools of the browser's developers for it."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.set_default_timeout(60_000)
        self._tools = self.page.context.new_cdp_session(self.page)
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._browser = browser.new_browser_cdp_session()

    def cpu_ms(self) -> float:
        """Return the processor time of the page's thread since it was opened, in milliseconds."""
        found = {m["name"]: m["value"] for m in self._tools.send("Performance.getMetrics")["metrics"]}
        return found["TaskDuration"] * 1e3

    def browser_cpu_s(self) -> float:
        """Return the processor time of all processes of the browser so far, in seconds."""
        return sum(p["cpuTime"] for p in self._browser.send("SystemInfo.getProcessInfo")["processInfo"])

    def heap_bytes(self) -> int:
        """Return what the page's scripts hold, after what they do not need was collected."""
        self._tools.send("HeapProfiler.collectGarbage")
        return int(self._tools.send("Runtime.getHeapUsage")["usedSize"])

    def process_bytes(self) -> int:
        """Return the private memory of the largest page process of the browser."""
        processes = self._browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return max((_private_bytes(p["id"]) for p in processes if p["type"] == "renderer"), default=0)


def _private_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


@contextmanager
def open_tab(address: str) -> Generator[Tab]:
    """Start the system's Chromium and open an address in it."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        tab = Tab(browser)
        tab.page.goto(address)
        yield tab
        browser.close()


def p95(values: Sequence[float]) -> float:
    """Return what 19 of 20 values do not exceed."""
    return statistics.quantiles(values, n=20)[-1]


def print_head() -> None:
    """Print what the columns of figures are."""
    print(f"{'':46}{'measured':>10}{'hold':>8}{'':8}{'':>8}{'cpu ms':>9}", flush=True)


def print_figure(f: Figure) -> None:
    """Print one line for a figure, at once."""
    met, cpu = "met" if f.value <= f.hold else "not met", "" if f.cpu is None else f"{f.cpu:.1f}"
    print(f"{f.words:46}{f.value:10.1f}{f.hold:8g} {f.unit:7}{met:>8}{cpu:>9}", flush=True)


def is_above(f: Figure) -> bool:
    """Return whether a figure is above what it may be, with half as much again for one that depends on the machine."""
    return f.value > f.hold * (1.5 if f.is_timed else 1)
