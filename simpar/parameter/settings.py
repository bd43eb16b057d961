"""The settings of a Parameter that have nothing to do with its values, as one frozen value."""

import os
from dataclasses import dataclass

from simpar.context import get_ps_context
from simpar.errors import ModeError

__all__ = ["Settings", "check_server", "is_worker"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Parameter is told about training; see the properties of ``Parameter`` for the meaning of each field."""

    requires_grad: bool = True
    layerwise_parallel: bool = False
    parallel_optimizer: bool = True
    comm_fusion: int = 1
    comm_recompute: bool = False
    cache_enable: bool = False
    cache_shape: tuple[int, ...] = ()
    is_param_ps: bool = False
    init_in_server: bool = False
    push_weight_to_server: bool = False
    pull_weight_from_server: bool = False
    requires_aggr: bool = True


def _role() -> str:
    return os.environ.get("MS_ROLE", "") if get_ps_context("enable_ps") else ""


def is_worker() -> bool:
    """Return whether this process is a worker of parameter server training."""
    return _role() == "MS_WORKER"


def check_server(name: str, init_in_server: bool) -> None:
    """Refuse parameter server settings where they can have no effect.

    Raises:
        ModeError: this process has no role in parameter server training, or the Parameter cannot be initialized there.
    """
    if _role() not in ("MS_WORKER", "MS_PSERVER", "MS_SCHED"):
        raise ModeError(
            f"set_param_ps of Parameter {name!r} works in parameter server mode only. Call "
            f"set_ps_context(enable_ps=True) and set MS_ROLE to MS_WORKER, MS_PSERVER or MS_SCHED."
        )
    if init_in_server and not name.endswith("embedding_table"):
        raise ModeError(
            f"Parameter {name!r} cannot be initialized on the server: only one whose name ends with "
            f"'embedding_table' can. Rename it or pass init_in_server=False."
        )
