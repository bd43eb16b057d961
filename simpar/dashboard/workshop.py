"""Work that may take longer than a page likes to wait: done by one thread, kept, and asked for again."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar, cast

__all__ = ["Workshop"]

_Answer = TypeVar("_Answer")
_MOST_KEPT = 48
_MOST_WAITING = 4


class Workshop:
    """Computes answers one after the other; of those that wait the latest come, older ones are dropped.

    Args:
        patience_s: how long a question waits for its answer.
    """

    def __init__(self, patience_s: float = 1.5) -> None:
        self.patience_s = patience_s
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "simpar-plan")
        self._jobs: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def ask(self, key: Hashable, compute: Callable[[], _Answer]) -> _Answer | None:
        """Return the answer under a key, computed if need be; None while it is being worked on.

        Raises:
            Exception: whatever ``compute`` raised.
        """
        job = self._job(key, compute)
        try:
            return cast("_Answer", job.result(self.patience_s))
        except (FutureTimeout, CancelledError):
            return None

    def _job(self, key: Hashable, compute: Callable[[], Any]) -> "Future[Any]":
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and not known.cancelled():
                self._jobs.move_to_end(key)
                return known
            waiting = [k for k, job in self._jobs.items() if not job.done() and not job.running()]
            for old in waiting[: max(0, len(waiting) + 1 - _MOST_WAITING)]:
                self._jobs.pop(old).cancel()
            while len(self._jobs) >= _MOST_KEPT:
                self._jobs.popitem(last=False)[1].cancel()
            self._jobs[key] = self._pool.submit(compute)
            return self._jobs[key]
