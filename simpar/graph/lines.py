"""Lines of the user's program: where an op was called, and what stands there."""

import linecache
import sys
from pathlib import Path

from simpar.errors import ValueDependentError

__all__ = ["ManyConditions", "UserLine", "refuse_value", "user_line"]

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_DEMO = str(Path(_PACKAGE, "demo"))  # a program like a user's


class UserLine(str):
    """A file and a line, e.g. ``train.py:12``, that can say what stands there.

    >>> UserLine.of("train.py", 12), UserLine.of("train.py", 12).text
    ('train.py:12', '')
    """

    path: str
    number: int

    @classmethod
    def of(cls, path: str, number: int) -> "UserLine":
        """Return a line of a file."""
        made = cls(f"{Path(path).name}:{number}")
        made.path, made.number = path, number
        return made

    @property
    def text(self) -> str:
        """What stands there; nothing if the file cannot be read."""
        return linecache.getline(self.path, self.number).strip()


def user_line() -> UserLine | str:
    """Return file and line of the innermost caller outside of simpar."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        name = frame.f_code.co_filename
        is_ours = name.startswith((_PACKAGE, "<frozen")) and not name.startswith(_DEMO)
        if not is_ours and "contextlib" not in name:
            return UserLine.of(name, frame.f_lineno)
        frame = frame.f_back
    return ""


class ManyConditions(ValueDependentError):
    """Says that a function asks for more conditions than are recorded both ways, as a loop does."""


def refuse_value(what: str) -> ValueDependentError:
    """Return the error for a traced function that asks for a number.

    Args:
        what: what was asked, e.g. ``"bool(tensor)"``.
    """
    return ValueDependentError(
        f"{what} at {user_line()} needs a value, but the function is being traced and has none yet. "
        f"Choose between values with ops.select, or take the decision outside of the compiled function."
    )
