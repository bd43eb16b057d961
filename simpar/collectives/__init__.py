"""The ranks of a program and what they say to each other, behind one protocol.

A ``World`` is all ranks; ``world.group(ranks)`` is some of them, a ``Communicator``, which sums, gathers and exchanges
numpy arrays. Two things carry the arrays: MPI, where a rank is a process, and threads in one process, for notebooks,
quick tests and readers. ``open_world`` finds out which ranks there are; ``run_threads`` makes some.

Read in this order: ``communicator`` (the protocols), ``group`` (a group of one), ``meeting`` and ``threads`` (the whole
story in one process), ``mpi_types`` and ``mpi`` (the same over MPI), ``world`` (the door).
"""

from simpar.collectives.communicator import Communicator, Exchange, Region, Request
from simpar.collectives.threads import run_threads
from simpar.collectives.world import World, open_world, solo_world

__all__ = [
    "Communicator",
    "Exchange",
    "Region",
    "Request",
    "World",
    "open_world",
    "run_threads",
    "solo_world",
]
