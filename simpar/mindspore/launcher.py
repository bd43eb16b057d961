"""The environment that MindSpore's launcher ``msrun`` gives each process, told by what MPI's launcher gave it."""

from collections.abc import Mapping

__all__ = ["msrun_variables"]

_RANK = ("OMPI_COMM_WORLD_RANK", "PMI_RANK")
_SIZE = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_LOCAL = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID")


def msrun_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``RANK_ID`` and what else ``msrun`` sets; nothing without a launcher, and nothing that is set already.

    >>> msrun_variables({"PMI_RANK": "3", "PMI_SIZE": "8", "DEVICE_ID": "0"})
    {'RANK_ID': '3', 'RANK_SIZE': '8', 'MS_NODE_ID': '3', 'MS_WORKER_NUM': '8', 'MS_ROLE': 'MS_WORKER'}
    """
    rank, size = _first(environ, _RANK), _first(environ, _SIZE)
    if rank is None or size is None:
        return {}
    found = {
        "RANK_ID": rank,
        "RANK_SIZE": size,
        "DEVICE_ID": _first(environ, _LOCAL) or rank,
        "MS_NODE_ID": rank,
        "MS_WORKER_NUM": size,
        "MS_ROLE": "MS_WORKER",
    }
    return {name: value for name, value in found.items() if name not in environ}


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if name in environ), None)
