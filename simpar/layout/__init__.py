"""Who holds what: device matrices, layouts, and how a tensor gets from one layout to another.

The ranks are an array, the *device matrix*. A *tensor map* says which of its device axes cuts each axis of a tensor;
along the device axes that cut nothing, ranks hold the same. Which rank holds which box then follows by arithmetic on
coordinates. This room holds whole numbers only: no numpy, no MPI, and as many ranks as you like to imagine.

Read it in this order:

- `device_matrix`: ranks, coordinates and groups; the device matrix that two others have in common;
- `layout`: device matrix, tensor map and partial axes as one value, with the slice of each rank;
- `parameter_layout`: the same, as MindSpore's compiler reports it;
- `factor`: the rule of an op;
- `assignment`: the layouts that a strategy, or the operands' own layouts, give to operands and results;
- `intersection`: who sends which box to whom between any two layouts;
- `redistribution_steps`: slice, all_gather, all_to_all, ... as values;
- `halo`: what the windows of a convolution need of a neighbour's slice, and the steps that bring it and take it back;
- `redistribution_search`, `redistribution`: the cheapest steps from one layout to another;
- `strategy_file`: MindSpore's files of strategies, whose protocol buffers `strategy_wire` reads;
- `stages`: layouts of the devices of one stage of a pipeline, and of all ranks;
- `drawing`: layouts as pictures, made of `drawing_parts`, drawn by `drawing_terminal` and `drawing_svg`.
"""

from simpar.layout.assignment import Assignment, assign_by_strategy, cut_first_axis, follow, tightened
from simpar.layout.device_matrix import axis_size, coordinates, refine, strides
from simpar.layout.drawing import LayoutPicture, draw, to_svg
from simpar.layout.factor import Axis, Reach, Rule, parse_rule
from simpar.layout.halo import Halo, HaloExchange, HaloReduce, halo_of, spans_of
from simpar.layout.intersection import Box, Transfer, intersections
from simpar.layout.layout import NOT_CUT, Layout, repeated
from simpar.layout.parameter_layout import ParameterLayout
from simpar.layout.redistribution import Redistribution, plan_redistribution
from simpar.layout.redistribution_steps import (
    AllGather,
    AllReduce,
    AllToAll,
    Exchange,
    Permute,
    ReduceScatter,
    Slice,
    Step,
)
from simpar.layout.stages import EVERY_STAGE, off_stage, on_stage
from simpar.layout.strategy_file import (
    OperatorStrategy,
    ParameterStrategy,
    StrategyFile,
    read_strategy_file,
    write_strategy_file,
)
from simpar.layout.strategy_wire import message_field, numbers_field, parse

__all__ = [
    "EVERY_STAGE",
    "NOT_CUT",
    "AllGather",
    "AllReduce",
    "AllToAll",
    "Assignment",
    "Axis",
    "Box",
    "Exchange",
    "Halo",
    "HaloExchange",
    "HaloReduce",
    "Layout",
    "LayoutPicture",
    "OperatorStrategy",
    "ParameterLayout",
    "ParameterStrategy",
    "Permute",
    "Reach",
    "Redistribution",
    "ReduceScatter",
    "Rule",
    "Slice",
    "Step",
    "StrategyFile",
    "Transfer",
    "assign_by_strategy",
    "axis_size",
    "coordinates",
    "cut_first_axis",
    "draw",
    "follow",
    "halo_of",
    "intersections",
    "message_field",
    "numbers_field",
    "off_stage",
    "on_stage",
    "parse",
    "parse_rule",
    "plan_redistribution",
    "read_strategy_file",
    "refine",
    "repeated",
    "spans_of",
    "strides",
    "tightened",
    "to_svg",
    "write_strategy_file",
]
