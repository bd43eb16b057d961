"""From a function to a program that runs on ranks: **the file to read first**.

The function runs once on symbolic Tensors (``graph.trace``); what it leaves is a graph of one device. Then the passes,
in order:

1. ``drop_unused``, ``merge_equal``: what no result depends on goes, what is there twice is made once;
2. ``pipeline_graph``: with stages or micro-batches, the stage of every node, sends and receives, and the schedule;
3. ``assign_layouts``: a layout for every value, from the ops' strategies (``assign_uncut`` in the modes in which each
   rank runs its own program);
4. ``insert_redistribution``: where layouts disagree, the steps between them; where a value is partial, its collective;
5. ``widen_sums``, ``repeat_forward``: 16-bit sums over ranks are done in float32; what is not kept for the backward
   pass is computed there again;
6. ``fuse_collectives``: collectives of one fusion index become one message;
7. ``localize``: slice shapes and groups of ranks: the plan of this rank.

``execute.Executor`` turns the plan into calls. A program is traced again only when shapes, element types or options
change, or when a flag changed that it asked for while it was traced.

| mode | passes 3 to 6 | gradients |
|---|---|---|
| ``stand_alone`` | nothing to do | not synchronised |
| ``data_parallel``, ``hybrid_parallel`` | ``assign_uncut``, fusion | the reducer of ``nn`` adds collectives |
| ``semi_auto_parallel`` | all | what the rules say |
| ``auto_parallel`` | all, after ``propagate_strategies`` | what the rules say |

Modules, in reading order: ``passes`` (the list above), ``options`` (what of the context they need), ``traced``
(tracing, with ``lengths`` that fit), ``program`` (what runs), ``making`` (from the cut graph to it), ``calls`` (the
cache, and the doors), ``loops`` (whose end depends on values), ``queued`` (inputs from queues), ``agreement`` (whether
ranks fit together), ``tree`` (nested arguments), ``record`` (what the recorder is told), ``watch`` (when it is told
values).
"""

from simpar.compile.calls import compile_function, jit, run_function
from simpar.compile.options import partition_options
from simpar.compile.passes import compile_graph, partition_graph
from simpar.compile.program import Planner, Program
from simpar.compile.record import RECORD, describe_program, placed_parameter
from simpar.compile.watch import VALUES

__all__ = [
    "RECORD",
    "VALUES",
    "Planner",
    "Program",
    "compile_function",
    "compile_graph",
    "describe_program",
    "jit",
    "partition_graph",
    "partition_options",
    "placed_parameter",
    "run_function",
]
