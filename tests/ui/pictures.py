"""Takes pictures of the inspector's pages, for people to look at: ``python -m tests.ui.pictures FOLDER``.

Every page, light and dark, on a laptop's screen and on a wide one, with runs of 4, 64 and 1024 ranks, with long names,
with a run that has just begun and one that is broken, with ``simpar demo`` and with a plan for 1024 devices.
``--pages``, ``--runs``, ``--widths`` and ``--themes`` take fewer. ``--readme`` makes those of the README, into
``docs/pictures``.
"""

import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from uvicorn import Config, Server

from simpar.dashboard import make_app
from simpar.layout import Layout
from simpar.recorder import ParameterPlaced, RunStarted, RunWriter
from tests.dashboard.runs import WALL_S, write_run
from tests.ui.conftest import NAMES, TOKEN, cookie, settle
from tests.ui.test_pages import PAGES

ROOT = Path(__file__).parents[2]
WIDTHS = {1280: 900, 2560: 1300}
LONG = "a.very.long.name." * 8 + "weight"
PARAMETERS = {"demo": "hidden.weight", "planned": "blocks.0.up", "long": LONG}
README = {
    "devices": ("devices?run=demo&rank=1", 900),
    "redistribution": ("redistribution?run=demo&try=4096,1024~2,4~0,w~w,0~&at=0.45", 900),
    "graph": ("graph?run=demo", 900),
    "plan": ("plan?run=planned", 900),
}
"""The pictures of the README: an address and a height."""


def write_runs(folder: Path) -> None:
    """Write the runs that need no training."""
    write_run(folder, "four", (2, 2), blocks=3, steps=60)
    write_run(folder, "sixty-four", (8, 8), blocks=4, steps=30)
    write_run(folder, "thousand", (32, 32), steps=8)
    odd = [
        ((8, 64, 128), Layout((2, 2, 4), (2, 0, -1)), "experts"),
        ((), Layout((2, 2, 4), ()), "scalar"),
        ((16, 16), Layout((2, 2, 4), (0, 1)), LONG),
        ((3, 5, 7, 11), Layout((2, 2, 4), (-1, -1, -1, -1)), "uncut"),
    ]
    placed = [(0, ParameterPlaced(name, shape, "float32", layout, layout)) for shape, layout, name in odd]
    write_run(folder, "long", (4, 4), steps=2, more=placed, script="a_script_with_a_name_that_is_rather_long.py")
    (folder / "begun").mkdir()
    writer = RunWriter(folder / "begun" / "run.sqlite")
    writer.write([(0, RunStarted("begun", "net.py", (), WALL_S, "semi_auto_parallel", 4, 4, {}, {}))])
    writer.close()
    broken = write_run(folder, "broken", (2, 2), steps=3)
    broken.write_bytes(broken.read_bytes()[:20_000])


def record_runs(folder: Path) -> None:
    """Record the demo, and a plan for 1024 devices."""
    for name, command in {
        "demo": ["demo"],
        "planned": ["plan", str(ROOT / "tests/ui/planned.py"), "-n", "1024", "--record"],
    }.items():
        runs = folder / f"{name}-alone"
        environ = os.environ | {"SIMPAR_RUNS": str(runs), "PYTHONPATH": str(ROOT)}
        ended = subprocess.run([sys.executable, "-m", "simpar", *command], cwd=folder, env=environ, capture_output=True)
        made = sorted(runs.iterdir()) if runs.is_dir() else []
        if not made:
            print(f"{name} could not be recorded: {ended.stderr.decode()[-400:]}", file=sys.stderr)
            continue
        made[0].rename(folder / name)
        shutil.rmtree(runs)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder of runs on a free port of the loopback address."""
    server = Server(Config(make_app(folder, TOKEN), port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(5)


@contextmanager
def opened(server: str, width: int, height: int, theme: str, density: float = 1) -> Iterator[Any]:
    """Give a tab of the system's Chromium of this size."""
    path = next(found for name in NAMES if (found := shutil.which(name)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            device_scale_factor=density,
            reduced_motion="reduce",
        )
        name, value = cookie(server)
        context.add_cookies([{"name": name, "value": value, "url": server}])
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        tab.on("console", lambda said: print(said.text, file=sys.stderr) if said.type == "error" else None)
        yield tab
        browser.close()


def show(tab: Any, server: str, address: str) -> None:
    """Open a page and wait until it is still."""
    tab.goto(f"{server}/{address}")
    try:
        settle(tab)
    except AssertionError as error:
        print(error, file=sys.stderr)
    tab.wait_for_timeout(400)


def take_all(server: str, into: Path, asked: argparse.Namespace) -> None:
    """Take a picture of each page for each run, in each look."""
    for width in asked.widths:
        for theme in asked.themes:
            with opened(server, width, WIDTHS.get(width, 900), theme) as tab:
                for run in asked.runs:
                    for page in asked.pages:
                        parameter = PARAMETERS.get(run, "blocks.0.w1")
                        address = page if "?" in page else f"{page}?rank=1"
                        show(
                            tab,
                            server,
                            f"{address}&run={run}" + (f"&parameter={parameter}" if page == "tensor" else ""),
                        )
                        name = "".join(c if c.isalnum() else "-" for c in page)
                        tab.screenshot(path=into / f"{run}-{name}-{width}-{theme}.png", full_page=True)


def take_readme(server: str, into: Path) -> None:
    """Take the README's pictures as WebP, which the browser compresses itself."""
    into.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for name, (address, height) in README.items():
            with opened(server, 1280, height, theme, 1.5) as tab:
                show(tab, server, address)
                session = tab.context.new_cdp_session(tab)
                answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
                (into / f"{name}-{theme}.webp").write_bytes(base64.b64decode(answer["data"]))


def main() -> None:
    """Write the runs, unless the folder has them, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="Where the pictures go, and the runs that they show.")
    parser.add_argument("--pages", nargs="+", default=PAGES)
    parser.add_argument(
        "--runs", nargs="+", default=["four", "sixty-four", "thousand", "long", "begun", "broken", "demo", "planned"]
    )
    parser.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS))
    parser.add_argument("--themes", nargs="+", default=["light", "dark"])
    parser.add_argument("--readme", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder: Path = asked.folder or Path(spare)
        runs = folder / "runs"
        if not runs.is_dir():
            runs.mkdir(parents=True)
            write_runs(runs)
            record_runs(runs)
        with served(runs) as server:
            if asked.readme:
                take_readme(server, ROOT / "docs" / "pictures")
            else:
                take_all(server, folder, asked)


if __name__ == "__main__":
    main()
