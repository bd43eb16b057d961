"""Strategies for ops that have none: ``auto_parallel`` mode.

The ops that the user configured keep their strategies; a search fills in those of all others, before layouts are
assigned. It reads the graph and writes strategies into its nodes, and nothing else.

- ``moving``: what it costs to bring a value from one layout to another, as MindSpore's searches count it;
- ``candidates``: the strategies that an op can take;
- ``propagation``: each op takes what needs the least redistribution with a neighbour that is decided already.
"""

from simpar.search.propagation import propagate_strategies

__all__ = ["propagate_strategies"]
