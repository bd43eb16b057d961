"""Private names of MindSpore's training and datasets, which loops written by hand import."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from simpar.errors import CellAttributeError, DTypeError
from simpar.train import Callback, RunContext

__all__ = ["ITERATORS_LIST", "_CallbackManager", "_InternalCallbackParam", "_cleanup", "_unset_iterator_cleanup"]


class _InternalCallbackParam(dict[str, Any]):
    """Is the state of a training that ``RunContext`` is made of: a dictionary whose keys are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise CellAttributeError(f"the state of the training has no {name!r}; it has {sorted(self)}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class _CallbackManager(Callback):
    """Tells several callbacks what it is told; a ``with`` block enters and leaves them all.

    Args:
        callbacks: one, several, or None.

    Raises:
        DTypeError: one is no callback.
    """

    def __init__(self, callbacks: Iterable[Any] | Callback | None) -> None:
        given = () if callbacks is None else (callbacks,) if isinstance(callbacks, Callback) else tuple(callbacks)
        wrong = [c for c in given if not isinstance(c, Callback)]
        if wrong:
            raise DTypeError(f"callbacks are objects of classes derived from Callback, not {wrong[0]!r}.")
        self.callbacks, self._stack = given, ExitStack()

    def __enter__(self) -> "_CallbackManager":
        for callback in self.callbacks:
            self._stack.enter_context(callback)
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)


def _told(method: str) -> Callable[[_CallbackManager, RunContext], None]:
    def tell(self: _CallbackManager, run_context: RunContext) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(run_context)

    return tell


for _moment in ("begin", "epoch_begin", "epoch_end", "step_begin", "step_end", "end"):
    for _method in (_moment, f"on_train_{_moment}", f"on_eval_{_moment}"):
        setattr(_CallbackManager, _method, _told(_method))


# --- datasets ---

ITERATORS_LIST: list[Any] = []
"""The iterators that are still at work in other threads: none ever are."""


def _cleanup() -> None:
    """Do nothing: iterators have no threads to end."""


def _unset_iterator_cleanup() -> None:
    """Do nothing, see ``_cleanup``."""
