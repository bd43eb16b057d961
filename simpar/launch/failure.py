"""Why a rank failed, in words."""

import os
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from simpar.errors import SimparError, VerifyError

__all__ = ["Failure"]

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep


@dataclass(frozen=True, slots=True)
class Failure:
    """Is why a rank failed.

    Args:
        error: the name of the error's class.
        message: what it said.
        traceback: as Python shows it; of a user's mistake only the lines that the user wrote.

    >>> Failure.of(ValueError, ValueError("no data"), None).traceback
    'ValueError: no data'
    """

    error: str
    message: str
    traceback: str = ""

    @classmethod
    def of(cls, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> Self:
        """Return the failure that an error is which nobody caught."""
        told = traceback.TracebackException(kind, error, where)
        if issubclass(kind, SimparError) and not issubclass(kind, VerifyError):
            written = [frame for frame in told.stack if not frame.filename.startswith(_PACKAGE)]
            told.stack = traceback.StackSummary.from_list(written or told.stack)
        return cls(kind.__name__, str(error), "".join(told.format()).rstrip())
