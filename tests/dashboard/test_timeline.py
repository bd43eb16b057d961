"""Bins of the timeline in which the collectives of no step were read."""

from collections.abc import Callable
from typing import Any

import pytest


def test_steps_that_were_not_read_are_shown_like_those_that_were(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = get("/runs/eight/timeline", t0=0.5, t1=1.0, bins=250)["lanes"]
    monkeypatch.setattr("simpar.dashboard.timeline._MOST_ROWS", 40)  # of 160: every fourth step
    read = get("/runs/eight/timeline", t0=0.5, t1=1.0001, bins=250)["lanes"]
    for share in ("compute", "communication", "wait"):
        told = sum(sum(lane[share]) for lane in read)
        assert told == pytest.approx(sum(sum(lane[share]) for lane in whole), rel=0.1)
