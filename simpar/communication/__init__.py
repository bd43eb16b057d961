"""The ranks and groups of a program, and what ranks can do together at once, under MindSpore's names.

``init`` opens the world of ranks; ``create_group`` names some of them, and collectives take the name
(``ops.AllReduce(group="dp")``). Before ``init`` there is one rank, or what ``RANK_ID`` and ``RANK_SIZE`` say.

Read in this order: ``places`` (ranks and groups) and ``handles`` (what is started and awaited); then three doors to
collectives that run at once: ``in_place`` with ``process_groups``, ``letters`` and ``objects``, whose functions write
into Tensors they are given (``mindspore.mint.distributed``); ``comm_func``, whose functions return new Tensors; and
``either``, which can be told which of both (``mindspore.ops.communication``).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from simpar.communication import places
from simpar.communication.places import *  # noqa: F403

__all__: list[str] = []
__all__ += places.__all__

if not TYPE_CHECKING:  # a type checker knows the module that is there

    def __getattr__(name: str) -> object:
        """Import the collectives when they are asked for."""
        if name != "comm_func":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module("simpar.communication.comm_func")
