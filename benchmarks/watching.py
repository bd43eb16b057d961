"""What it costs a training to be watched, and how soon a step is seen.

Run ``python -m benchmarks.watching`` from the root of the repository, with a built front end and a Chromium. A scenario
is trained on 4 ranks in turn without and with a browser that shows it live (A B A B …); printed are the medians of

- the time from the end of a step in rank 0 to its number on the page;
- how much longer a step takes while it is watched, by the neighbours in time; on a busy machine this says little;
- what the server and the page spend meanwhile of one core, which is what watching takes from the training;
- what a rank spends on measuring itself (memory, digests), of the whole run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.browser import Figure, Tab, open_tab, print_figures
from simpar.dashboard import serving
from simpar.recorder import measure_checksum, measure_memory, open_run

RANKS = 4
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
        server, page: what they spent, in cores.
    """

    step_s: float
    latency_s: tuple[float, ...] = ()
    server: float = 0.0
    page: float = 0.0


def train(folder: Path, steps: int, is_watched: bool) -> Trained:
    """Train once."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "simpar", "run", SCENARIO, "-n", str(RANKS), "--", "--steps", str(steps)]
    environment = {**os.environ, "SIMPAR_RUNS": str(folder)}
    with ExitStack() as stack:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        run = _new_run(folder, before, process)
        told = _watch(stack, folder, run, process) if is_watched else None
        process.wait()
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
    raise SystemExit(f"{SCENARIO} ended without a run: try `simpar run {SCENARIO} -n {RANKS}`")


def _watch(
    stack: ExitStack, folder: Path, run: Path, process: "subprocess.Popen[bytes]"
) -> tuple[list[tuple[int, float]], float, float]:
    """Show a run until it ends; return when which step was seen, and what the server and the page spent, in cores."""
    address = stack.enter_context(serving(folder))
    tab: Tab = stack.enter_context(open_tab(address))
    tab.page.goto(f"{address.partition('/?')[0]}/overview?run={run.name}")
    tab.page.wait_for_selector("header .step")
    tab.page.evaluate(SEEN)
    wall, server, page = time.monotonic(), time.process_time(), tab.cpu_ms()
    while process.poll() is None:
        tab.page.wait_for_timeout(200)
    took = time.monotonic() - wall
    seen = [(int(step), float(at)) for step, at in tab.page.evaluate("window.seen")][1:]
    return seen, (time.process_time() - server) / took, (tab.cpu_ms() - page) / 1e3 / took


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
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = [tuple(train(folder, given.steps, watched) for watched in (False, True)) for _ in range(given.pairs)]
    watched = [b for _, b in pairs]
    latency = median([s for b in watched for s in b.latency_s])
    slower = median([100 * (b.step_s / a.step_s - 1) for a, b in pairs])
    step_ms = median([a.step_s for a, _ in pairs]) * 1e3
    memory_ms, digest_ms = measuring()
    times = given.steps.bit_length()  # memory after steps 1, 2, 4, ...; digests after 1, 16, 256, ...
    share = 100 * (memory_ms * times + digest_ms * -(-times // 4)) / (given.steps * step_ms)
    print(f"load of the machine, one minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{SCENARIO}, {RANKS} ranks, {given.steps} steps of {step_ms:.1f} ms, {given.pairs} pairs")
    print(f"memory is measured in {memory_ms:.2f} ms, 8 MiB are digested in {digest_ms:.1f} ms")
    cores = os.cpu_count() or 1
    return print_figures(
        [
            Figure("step finished to step on the page, median", latency * 1e3, 500, "ms"),
            Figure("a step while it is watched, longer by", slower, 2, "%"),
            Figure("spent by the server, of all cores", 100 * median([b.server for b in watched]) / cores, 2, "%"),
            Figure("spent by the page, of all cores", 100 * median([b.page for b in watched]) / cores, 2, "%"),
            Figure("a rank's measurements of itself, of the run", share, 2, "%"),
        ],
        gate=False,
    )


if __name__ == "__main__":
    sys.exit(main())
