"""Answers about copies that should be equal, from the checksums that ranks recorded."""

from simpar.dashboard.models.measured import Checks, DisagreementItem
from simpar.dashboard.store import OpenedRun
from simpar.recorder import disagreements

__all__ = ["checks"]


def checks(opened: OpenedRun, parameter: str | None = None) -> Checks:
    """Return the copies that should be equal and are not, of one parameter or of all."""
    found = opened.cached("disagreements", lambda: disagreements(opened.run))
    return Checks(
        disagreements=tuple(
            DisagreementItem(parameter=d.parameter, step=d.step, ranks=d.ranks, text=str(d))
            for d in found
            if parameter in (None, d.parameter)
        )
    )
