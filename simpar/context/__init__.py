"""What a program sets once: the one context object, and MindSpore's setters of its options.

A program has one ``Context``: the mode, the parallel options, the seed, the active trace, the world of ranks. Setters
such as ``set_auto_parallel_context`` check what they are given and write it there; few rooms read it (``graph.trace``,
``parameter``, ``compile``, ``train``), all others take arguments.

Modules, in reading order: ``state`` (the object), ``setters`` (MindSpore's functions), ``options`` (which options
exist), ``checks`` and ``fusion`` (what an option's value may be).
"""

from simpar.context.options import ParallelMode
from simpar.context.setters import (
    get_auto_parallel_context,
    get_context,
    get_ps_context,
    get_seed,
    reset_auto_parallel_context,
    reset_ps_context,
    set_auto_parallel_context,
    set_context,
    set_device,
    set_ps_context,
    set_seed,
)
from simpar.context.state import (
    AUTO_PARALLEL,
    DATA_PARALLEL,
    GRAPH_MODE,
    HYBRID_PARALLEL,
    PYNATIVE_MODE,
    SEMI_AUTO_PARALLEL,
    SHARDING_PROPAGATION,
    STAND_ALONE,
    Context,
    OptionsWanted,
    ParallelOptions,
    close_queue,
    compiler,
    current,
    entered,
    next_row,
    open_queue,
    register_runner,
    runner,
)

__all__ = [
    "AUTO_PARALLEL",
    "DATA_PARALLEL",
    "GRAPH_MODE",
    "HYBRID_PARALLEL",
    "PYNATIVE_MODE",
    "SEMI_AUTO_PARALLEL",
    "SHARDING_PROPAGATION",
    "STAND_ALONE",
    "Context",
    "OptionsWanted",
    "ParallelMode",
    "ParallelOptions",
    "close_queue",
    "compiler",
    "current",
    "entered",
    "get_auto_parallel_context",
    "get_context",
    "get_ps_context",
    "get_seed",
    "next_row",
    "open_queue",
    "register_runner",
    "reset_auto_parallel_context",
    "reset_ps_context",
    "runner",
    "set_auto_parallel_context",
    "set_context",
    "set_device",
    "set_ps_context",
    "set_seed",
]
