"""What a program sets once: the one context object, and MindSpore's setters of its options.

A program has one ``Context``: the mode, the parallel options, the seed, the active trace, the world of ranks. Setters such
as ``set_auto_parallel_context`` check what they are given and write it there; few rooms read it (``graph.trace``,
``parameter``, ``compile``, ``train``), all others take arguments.

Modules, in reading order: ``state`` (the object), ``options`` (which options exist, and their checks), ``fusion`` (the
checks of ``comm_fusion``), ``setters`` (MindSpore's functions).
"""

from simpar.context.state import (
    AUTO_PARALLEL,
    DATA_PARALLEL,
    GRAPH_MODE,
    HYBRID_PARALLEL,
    PYNATIVE_MODE,
    SEMI_AUTO_PARALLEL,
    STAND_ALONE,
    Context,
    ParallelOptions,
    current,
    entered,
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
    "STAND_ALONE",
    "Context",
    "ParallelOptions",
    "current",
    "entered",
    "register_runner",
    "runner",
]
