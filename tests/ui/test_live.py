"""A run that grows while pages show it: one stream for a whole browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from simpar.recorder import RunWriter, StepFinished
from tests.dashboard.runs import PROGRAM, STEP_S, write_run

Open = Callable[..., Any]


def test_pages_of_a_browser_share_one_stream_and_hand_it_on(
    open_page: Open, serve: Callable[[Path], str], tmp_path: Path
) -> None:
    store = RunWriter(write_run(tmp_path, "live", (1, 2), steps=3, ends=False))
    first = open_page("overview?run=live", serve(tmp_path))
    second = first.context.new_page()
    streams: list[Any] = []
    first.context.on("request", lambda r: streams.append(r) if "/stream" in r.url else None)
    try:
        second.goto(first.url)
        for number in (4, 5):
            start = 0.5 + STEP_S * number
            store.write([(0, StepFinished(PROGRAM, number, start, start + 0.01, 1.5, np.zeros((0, 2))))])
            for page in (first, second):
                page.wait_for_selector(f"header:has-text('step {number}')")
        assert streams == []  # the first page had its stream before the second was opened
        first.close()
        store.write([(0, StepFinished(PROGRAM, 6, 0.62, 0.63, 1.5, np.zeros((0, 2))))])
        second.wait_for_selector("header:has-text('step 6')")
        assert len(streams) == 1
    finally:
        store.close()
