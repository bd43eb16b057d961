"""Answers about copies that should be equal, from the checksums that ranks recorded."""

from simpar.dashboard.models.measured import Checks, DisagreementItem
from simpar.dashboard.store import OpenedRun
from simpar.recorder import Disagreement, disagreements

__all__ = ["checks", "parted"]


def parted(opened: OpenedRun) -> tuple[Disagreement, ...]:
    """Return the copies that should be equal and are not; steps that arrive without checksums change nothing."""
    ((newest,),) = opened.run.rows("SELECT max(id) FROM checksums")
    return opened.planned(("disagreements", newest), lambda: disagreements(opened.run))


def checks(opened: OpenedRun, parameter: str | None = None) -> Checks:
    """Return the copies that should be equal and are not, of one parameter or of all."""
    return Checks(
        disagreements=tuple(
            DisagreementItem(parameter=d.parameter, step=d.step, ranks=d.ranks, text=str(d))
            for d in parted(opened)
            if parameter in (None, d.parameter)
        )
    )
