"""``mindspore.runtime``: what MindSpore lets a program set of its devices' memory, threads and streams.

simpar computes with numpy on the host, so that these are taken, and change nothing; memory is what the host has.
"""

from typing import Any

__all__ = [
    "dispatch_threads_num",
    "empty_cache",
    "launch_blocking",
    "set_cpu_affinity",
    "set_kernel_launch_group",
    "set_memory",
    "synchronize",
]


def set_memory(
    init_size: str = "2GB",
    increase_size: str = "2GB",
    max_size: str = "1024GB",
    optimize_level: str = "O0",
    **options: Any,
) -> None:
    """Take the sizes of a device's memory pool, as text with a unit; there is no pool."""


def launch_blocking() -> None:
    """Take the wish that ops run one after the other: they do."""


def dispatch_threads_num(threads_num: int) -> None:
    """Take a number of threads that start ops; one does."""


def set_cpu_affinity(enable_affinity: bool, affinity_cpu_list: Any = None) -> None:
    """Take the cores that threads shall run on; ``simpar run`` shares them out."""


def set_kernel_launch_group(thread_num: int = 2, kernel_group_num: int = 8) -> None:
    """Take how ops are started in groups; they are started one by one."""


def synchronize() -> None:
    """Return at once: no op is under way when a call has returned."""


def empty_cache() -> None:
    """Do nothing: memory that is no longer used is free."""
