"""From a global graph to one rank's plan, in passes.

Each op carries one rule, each tensor one layout, and everything else follows. Every pass is a plain function, value in
and value out; in reading order:

- ``strategy``: what the user chose, and MindSpore's defaults where nothing was;
- ``arriving``: in which pieces the inputs come;
- ``gathering``: products that gather their operands first, as n-dimensional tensor parallelism does;
- ``restrictions``, ``window_restrictions``, ``unknown``: what MindSpore's compiler refuses, under its names alone;
- ``terms``: partial values that linear ops take as they are;
- ``out_strategy``: the layout that the user wants of a result;
- ``assign``: a layout for every value, from the strategies and the rules; ``uncut``: where every rank runs its own
  program;
- ``insert``: where layouts disagree, the steps of a redistribution; where a value is partial, its collective;
- ``widening``: sums of 16-bit floats that are done in float32;
- ``recompute``: what is computed again in the backward pass instead of being kept;
- ``fusion``: collectives that belong together become one message;
- ``localize``: global shapes to slices, device axes to groups of ranks;
- ``plan``: what comes out, as plain data;
- ``verify``: what must hold after each of them;
- ``recorded``: a program before it was cut, as bytes.
"""

from simpar.partition.arriving import argument_layout, argument_shape, dataset_entries
from simpar.partition.assign import Assigned, Cut, assign_layouts
from simpar.partition.fusion import fuse_collectives
from simpar.partition.fusion import members as steps_of
from simpar.partition.gathering import Gathering, gathering
from simpar.partition.insert import Partitioned, insert_redistribution
from simpar.partition.localize import localize
from simpar.partition.out_strategy import wanted_result
from simpar.partition.plan import Collective, Instruction, Plan, PlannedParameter, PlannedValue
from simpar.partition.recompute import repeat_forward
from simpar.partition.recorded import decode_program, encode_program
from simpar.partition.restrictions import is_refused
from simpar.partition.strategy import (
    BucketOptions,
    OptimizerSharding,
    PartitionOptions,
    chosen_assignment,
)
from simpar.partition.uncut import assign_uncut
from simpar.partition.verify import verify_partitioned
from simpar.partition.widening import widen_sums

__all__ = [
    "Assigned",
    "BucketOptions",
    "Collective",
    "Cut",
    "Gathering",
    "Instruction",
    "OptimizerSharding",
    "PartitionOptions",
    "Partitioned",
    "Plan",
    "PlannedParameter",
    "PlannedValue",
    "argument_layout",
    "argument_shape",
    "assign_layouts",
    "assign_uncut",
    "chosen_assignment",
    "dataset_entries",
    "decode_program",
    "encode_program",
    "fuse_collectives",
    "gathering",
    "insert_redistribution",
    "is_refused",
    "localize",
    "repeat_forward",
    "steps_of",
    "verify_partitioned",
    "wanted_result",
    "widen_sums",
]
