"""Settings of datasets under MindSpore's names, kept in the context of the program.

Rows are made in the rank's own process, when they are asked for. So the seed is the only setting that changes anything;
those of workers and queues are checked, kept and read back.
"""

from typing import Any

from simpar.context import current
from simpar.dataset.order import dataset_seed
from simpar.errors import DatasetError

__all__ = [
    "get_num_parallel_workers",
    "get_prefetch_size",
    "get_seed",
    "set_auto_num_workers",
    "set_enable_shared_mem",
    "set_num_parallel_workers",
    "set_numa_enable",
    "set_prefetch_size",
    "set_seed",
]


def set_seed(seed: int) -> None:
    """Set the seed of every shuffle and random transform: with the same seed all ranks see the same order.

    >>> set_seed(1000)
    >>> get_seed()
    1000
    """
    _keep("seed", seed, 0, 2**32 - 1)


def get_seed() -> int:
    """Return the seed of shuffling: what ``set_seed`` of this module set, else the program's, else 0."""
    return dataset_seed()


def set_num_parallel_workers(num: int) -> None:
    """Take MindSpore's number of worker threads, which changes nothing here."""
    _keep("num_parallel_workers", num, 1, 4096)


def get_num_parallel_workers() -> int:
    """Return the number of workers that was set; 8 if none was."""
    return _kept("num_parallel_workers", 8)


def set_prefetch_size(size: int) -> None:
    """Take MindSpore's length of the queues between stages, which changes nothing here."""
    _keep("prefetch_size", size, 1, 2**31 - 1)


def get_prefetch_size() -> int:
    """Return the length of queues that was set; 16 if none was."""
    return _kept("prefetch_size", 16)


def set_auto_num_workers(enable: bool) -> None:
    """Take whether MindSpore would tune the number of workers, which changes nothing here."""
    _keep("auto_num_workers", int(enable), 0, 1)


def set_numa_enable(numa_enable: bool) -> None:
    """Take whether MindSpore would bind to memory nodes, which changes nothing here."""
    _keep("numa_enable", int(numa_enable), 0, 1)


def set_enable_shared_mem(enable: bool) -> None:
    """Take whether MindSpore's workers would share memory, which changes nothing here."""
    _keep("enable_shared_mem", int(enable), 0, 1)


def _keep(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DatasetError(f"{name} is {value!r}; give an integer from {least} to {most}.")
    current().others[f"dataset.{name}"] = value


def _kept(name: str, default: int) -> Any:
    return current().others.get(f"dataset.{name}", default)
