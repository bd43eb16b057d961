"""Pipelines and gradient accumulation: which stage runs a node, for which micro-batch, and when.

The one idea: **nodes carry a stage and a micro-batch**. The function is traced as one device would run it, once for
each micro-batch; what follows is four passes over that one graph, value in and value out:

- ``stages``: the stage of every node, from the Cells that the user placed; the micro-batch of every node;
- ``accumulate``: the sum of a gradient over micro-batches in the order in which they come, one running total a stage;
- ``transfers``: an edge between two stages becomes a ``send`` on the one and a ``receive`` on the other;
- ``schedule``: in which order a stage does the forward and backward of each micro-batch (GPipe, 1F1B), and from it
  ``order``: the order of all nodes.

Ranks are split into as many consecutive blocks as there are stages. Rank r of one stage sends to rank r of the other:
a value keeps its layout when it changes the stage, and layouts count the devices of one stage. So ``partition`` works
as without a pipeline, and ``localize`` keeps of the ordered graph what a rank's stage does.

The order is a *linearization*: each receive stands after its send, each collective in one place for all its ranks. A
rank that follows its part of it, and waits for a send no sooner than after the receive, cannot be in a deadlock.

Gradient accumulation is a pipeline of one stage, whose 1F1B is forward and backward of each micro-batch in turn.
"""

from simpar.graph import NO_MICRO, Graph
from simpar.pipeline.accumulate import accumulate_gradients
from simpar.pipeline.order import order_nodes
from simpar.pipeline.schedule import GPIPE, ONE_FORWARD_ONE_BACKWARD, PipelineOptions, Task, bubble_fraction, schedule
from simpar.pipeline.stages import enter_stages, place_nodes
from simpar.pipeline.transfers import insert_transfers

__all__ = [
    "GPIPE",
    "ONE_FORWARD_ONE_BACKWARD",
    "PipelineOptions",
    "Task",
    "accumulate_gradients",
    "bubble_fraction",
    "enter_stages",
    "insert_transfers",
    "order_nodes",
    "pipeline_graph",
    "place_nodes",
    "schedule",
]


def pipeline_graph(graph: Graph, options: PipelineOptions, device_num: int) -> Graph:
    """Return the graph with a stage for every node, its transfers, and its nodes in the order of the schedule.

    Args:
        graph: of one device.
        options: stages and scheduler.
        device_num: how many devices a stage has.

    Raises:
        StrategyError: the stages of the Cells do not make a pipeline, or there are too few micro-batches.
    """
    if options.stages == 1 and all(node.micro == NO_MICRO for node in graph.nodes):
        return graph
    placed = place_nodes(enter_stages(graph, options, device_num), options)
    return order_nodes(insert_transfers(accumulate_gradients(placed, options)), options)
