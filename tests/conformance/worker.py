"""One worker of a conformance run: loads pytest and simpar once, then runs each file in a process forked from itself.

It reads requests from standard input, one JSON object a line, and answers each with a line: how the process ended.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import plugin
import pytest

_PAUSE_S = 0.05


def main() -> None:
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            _play(request)
        print(_wait(child, request["timeout_s"]), flush=True)


def _play(request: dict[str, Any]) -> None:
    """Run one file, in the forked process, and end it."""
    with open(request["output"], "wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.setpgid(0, 0)
    os.environ[plugin.REPORT] = request["report"]
    os.chdir(request["scratch"])
    options = ["-q", "-p", "no:cacheprovider", "-o", "consider_namespace_packages=true"]
    os._exit(int(pytest.main([*options, "--basetemp", f"{request['scratch']}/tests", request["file"]], [plugin])))


def _wait(child: int, timeout_s: float) -> str:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return f"ended {os.waitstatus_to_exitcode(status)}"
        time.sleep(_PAUSE_S)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


if __name__ == "__main__":
    main()
