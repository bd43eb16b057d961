"""``simpar run --dashboard`` and the end of ``simpar demo``, at a terminal and without one."""

import os
import re
import subprocess
import sys
import threading
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.cli.running import command, environment, simpar
from tests.launch.needing import needs_mpi

SCRIPT = """
import numpy as np
import simpar as ms
half = ms.jit(lambda x: (x / 2).sum())
half(ms.Tensor(np.ones(8, np.float32)))
print("the script ends")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "half.py"
    path.write_text(SCRIPT, "utf-8")
    return path


class Terminal:
    """A program that believes to be at a terminal without a desktop.

    Args:
        arguments: of the ``simpar`` command.
        runs: the folder of its runs.
    """

    def __init__(self, runs: Path, *arguments: object) -> None:
        import pty

        ours, theirs = pty.openpty()
        changes = {
            "SIMPAR_RUNS": str(runs),
            "SIMPAR_RECORD": "1",
            "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
            "COLUMNS": "200",
            "TERM": "dumb",
        }
        self.process = subprocess.Popen(
            command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**changes),
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(theirs)
        self._ours, self.said = ours, ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.said += os.read(self._ours, 4096).decode(errors="replace")
            except OSError:  # the program has ended
                return

    def wait_for(self, words: str, seconds: float = 90) -> str:
        until = time.monotonic() + seconds
        while words not in self.said and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.05)
        assert words in self.said, self.said
        return self.said

    def press_ctrl_c(self) -> int:
        os.write(self._ours, b"\x03")
        return self.process.wait(30)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def answer_of(said: str, path: str) -> str:
    """Ask the server at the printed address as a browser would."""
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", said)
    assert found, said
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    browser.open(found[0], timeout=10).close()
    with browser.open(found[0].partition("?")[0] + path, timeout=10) as answer:
        return answer.read().decode()


def test_run_with_a_dashboard_and_no_terminal_tells_the_address_and_ends_with_the_script(
    script: Path, tmp_path: Path
) -> None:
    ran = simpar("run", script, "-n", 1, "--dashboard", SIMPAR_RUNS=str(tmp_path / "runs"), SIMPAR_RECORD="1")
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+\n", ran.stdout)
    assert ran.stdout.endswith("the script ends\n")


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_run_with_a_dashboard_at_a_terminal_serves_until_ctrl_c(script: Path, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "runs", "run", script, "-n", 1, "--dashboard")
    said = terminal.wait_for("Ctrl-C ends it.")
    assert said.index("the script ends") < said.index("The inspector still answers")
    assert '-half"' in answer_of(said, "api/runs")
    assert terminal.press_ctrl_c() == 0


def test_a_dashboard_of_a_run_that_is_not_recorded_is_refused(script: Path) -> None:
    ran = simpar("run", script, "-n", 1, "--dashboard", "--no-record")
    assert ran.returncode == 1
    assert ran.stderr.startswith("simpar: --dashboard shows what is recorded, and nothing is. Leave out --no-record")
    assert ran.stdout == ""


@needs_mpi
@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
def test_the_demo_at_a_terminal_serves_its_run_until_ctrl_c_and_keeps_its_exit_code(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "runs", "demo", "--steps", 2)
    said = terminal.wait_for("Ctrl-C ends it.")
    assert re.search(r"/\?token=[\w-]+&run=[\w-]+-demo\r?\n", said)
    assert '-demo"' in answer_of(said, "api/runs")
    assert terminal.press_ctrl_c() == 1  # two steps teach too little, and the exit code says so


def test_help_of_each_command_tells_how_to_keep_the_browser_closed() -> None:
    for name in ("demo", "run", "dashboard"):
        assert "--no-open" in simpar(name, "--help").stdout
