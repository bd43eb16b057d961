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

    def tell(number: int, *pages: Any) -> None:
        start = 0.5 + STEP_S * number
        store.write([(0, StepFinished(PROGRAM, number, start, start + 0.01, 1.5, np.zeros((0, 2))))])
        for page in pages:
            page.wait_for_selector(f"header:has-text('step {number}')")

    streams: list[Any] = []
    try:
        tell(4, first)  # so that it has its stream before the second is opened
        first.context.on("request", lambda r: streams.append(r) if "/stream" in r.url else None)
        second.goto(first.url)
        tell(5, first, second)
        assert streams == []
        first.close()
        tell(6, second)
        assert len(streams) == 1
    finally:
        store.close()
