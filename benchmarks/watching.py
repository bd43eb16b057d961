"""What it costs a training to be watched, and how soon a step is seen.

Run ``python -m benchmarks.watching`` from the root of the repository, with a built front end and a Chromium. A scenario
is trained on 4 ranks (``--ranks 1`` leaves cores to those that watch) in pairs, once alone and once with `simpar
dashboard` and a browser that shows it live, in turn with the one and the other first; printed are the medians of

- the time from the end of a step in rank 0 to its number on the page;
- how much longer a step takes while it is watched, with what two runs alone differ by: where that is more, the machine
  is too busy to tell;
- the processor time that the server and all processes of the browser spend meanwhile, of one core: what watching takes
  from the training where ranks fill all cores, and what a busy machine leaves about as it is;
- what a rank spends on measuring itself (memory, digests), of the whole run.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.browser import Figure, Tab, open_tab, print_figure, print_head
from simpar.recorder import measure_checksum, measure_memory, open_run

SCENARIO = "scenarios/gpt.py"

SEEN = """() => {
    window.seen = [];
    const look = () => {
        const words = document.querySelector("header .step")?.textContent ?? "";
        const step = Number(words.replace(/[^0-9]/g, ""));
        if (step !== window.seen.at(-1)?.[0]) window.seen.push([step, Date.now() / 1000]);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@dataclass(frozen=True, slots=True)
class Trained:
    """Is what one training showed.

    Args:
        step_s: between the ends of two steps, in the middle.
        latency_s: from the end of a step to the page; empty if nobody watched.
        server, page: what they spent, of one core.
    """

    step_s: float
    latency_s: tuple[float, ...] = ()
    server: float = 0.0
    page: float = 0.0


@dataclass(frozen=True, slots=True)
class Eyes:
    """Is what watches: a server, which is there all the time, and a browser, whose tab is blank unless it watches.

    Args:
        folder: of the runs.
        origin: of the server.
        pid: of its process.
        tab: of the browser.
    """

    folder: Path
    origin: str
    pid: int
    tab: Tab

    def spent_s(self) -> tuple[float, float]:
        """Return the processor time of the server and of the browser so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK"), self.tab.browser_cpu_s()

    def watch(self, run: str, process: "subprocess.Popen[bytes]") -> tuple[list[tuple[int, float]], float, float]:
        """Show a run until it ends; return when which step was seen, and what server and browser spent, in cores."""
        page = self.tab.page
        page.goto(f"{self.origin}/overview?run={run}")
        page.wait_for_selector("header .step")
        page.evaluate(SEEN)
        wall, before = time.monotonic(), self.spent_s()
        process.wait()
        took, after = time.monotonic() - wall, self.spent_s()
        seen = [(int(step), float(at)) for step, at in page.evaluate("window.seen")][1:]
        page.goto("about:blank")
        return seen, (after[0] - before[0]) / took, (after[1] - before[1]) / took


@contextmanager
def eyes(folder: Path) -> Generator[Eyes]:
    """Serve as users do, in a process of its own, and open a browser."""
    command = [sys.executable, "-u", "-m", "simpar", "dashboard", str(folder), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None, "it was asked for"
        try:
            address = next(line.strip() for line in process.stdout if line.startswith("http"))
            with open_tab(address) as tab:
                tab.page.goto("about:blank")
                yield Eyes(folder, address.partition("/?")[0], process.pid, tab)
        finally:
            process.terminate()


def train(eyes: Eyes, ranks: int, steps: int, is_watched: bool) -> Trained:
    """Train once."""
    before = set(eyes.folder.iterdir())
    command = [sys.executable, "-m", "simpar", "run", SCENARIO, "-n", str(ranks), "--", "--steps", str(steps)]
    environment = {**os.environ, "SIMPAR_RUNS": str(eyes.folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        run = _new_run(eyes.folder, before, process)
        told = eyes.watch(run.name, process) if is_watched else None
    with open_run(run) as opened:
        first = opened.ranks()[0]
        ends = {s.step: s.end_s for s in opened.steps(0, with_times=False)}
    gaps = np.diff([ends[s] for s in sorted(ends)])
    step_s = float(np.median(gaps[len(gaps) // 5 :]))
    if told is None:
        return Trained(step_s)
    seen, server, page = told
    wall_s = first.wall_s - first.clock_s
    return Trained(step_s, tuple(at - wall_s - ends[s] for s, at in seen if s in ends and s > 1), server, page)


def _new_run(folder: Path, before: set[Path], process: "subprocess.Popen[bytes]") -> Path:
    while process.poll() is None:
        for path in set(folder.iterdir()) - before:
            if (path / "run.sqlite").exists():
                return path
        time.sleep(0.05)
    raise SystemExit(f"{SCENARIO} ended without a run: try `simpar run {SCENARIO}`")


def measuring() -> tuple[float, float]:
    """Return the milliseconds that one measurement of memory, and digests of 8 MiB, take of a rank's processor."""
    array = np.zeros(2 << 20, np.float32)
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(9):
        for kind, measure in enumerate(
            (lambda: measure_memory(0, 1, 0), lambda: measure_checksum(0, "w", 1, array)),
        ):
            start = time.thread_time()
            measure()
            found[kind].append((time.thread_time() - start) * 1e3)
    return median(found[0]), median(found[1])


def main() -> int:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, eyes(Path(name)) as watching:
        pairs = [_pair(watching, given.ranks, given.steps, i) for i in range(given.pairs)]
    alone, watched = [a for a, _ in pairs], [b for _, b in pairs]
    latency = median([s for b in watched for s in b.latency_s])
    slower = median([100 * (b.step_s / a.step_s - 1) for a, b in pairs])
    noise = median([100 * abs(b.step_s / a.step_s - 1) for a, b in pairwise(alone)]) if given.pairs > 1 else math.nan
    step_ms = median([a.step_s for a in alone]) * 1e3
    memory_ms, digest_ms = measuring()
    times = given.steps.bit_length()  # memory after steps 1, 2, 4, ...; digests after 1, 16, 256, ...
    share = 100 * (memory_ms * times + digest_ms * -(-times // 4)) / (given.steps * step_ms)
    cores = os.cpu_count() or 1
    server, page = (100 * median(of) for of in ([b.server for b in watched], [b.page for b in watched]))
    print(f"load of the machine, one minute: {os.getloadavg()[0]:.1f} on {cores} cores")
    print(f"{SCENARIO}, ranks: {given.ranks}, {given.steps} steps of {step_ms:.1f} ms, {given.pairs} pairs")
    print(f"runs alone differ by {noise:.1f} %, median of neighbours")
    print(f"memory is measured in {memory_ms:.2f} ms, 8 MiB are digested in {digest_ms:.1f} ms")
    print(f"the server spends {server:.2f} % of a core, at low priority; the browser {page:.2f} %")
    print_head()
    for figure in (
        Figure("step finished to step on the page, median", latency * 1e3, 500, "ms"),
        Figure("a step while it is watched, longer by", slower, 2, "%"),
        Figure("spent by server and browser, of all cores", (server + page) / cores, 2, "%"),
        Figure("a rank's measurements of itself, of the run", share, 2, "%"),
    ):
        print_figure(figure)
    return 0


def _pair(eyes: Eyes, ranks: int, steps: int, turn: int) -> tuple[Trained, Trained]:
    """Train alone and watched, every second time the other way round: a machine that grows slower harms neither."""
    if turn % 2:
        watched = train(eyes, ranks, steps, True)
        return train(eyes, ranks, steps, False), watched
    return train(eyes, ranks, steps, False), train(eyes, ranks, steps, True)


if __name__ == "__main__":
    sys.exit(main())
