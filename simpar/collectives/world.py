"""All ranks of the program: the door through which everything else reaches the others."""

import os
from collections.abc import Mapping
from typing import Final

from simpar.collectives.communicator import Communicator, Transport, check_ranks
from simpar.collectives.group import GroupOfOne, SoloTransport
from simpar.recorder import Mailbox

__all__ = ["World", "open_world", "solo_world", "started_by_mpi"]

_LAUNCHERS: Final = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "PMI_RANK", "MPI_LOCALNRANKS")
"""What Open MPI, MPICH, Slurm and PMIx launchers tell each process they start."""


class World:
    """All ranks, seen from one of them.

    Args:
        transport: what carries arrays between them.

    >>> world = World(SoloTransport())
    >>> world.rank, world.size, world.group((0,)).ranks
    (0, 1, (0,))
    """

    __slots__ = ("_groups", "_transport", "communicator", "rank", "size")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.communicator: Communicator = transport.communicator
        self.rank: int = self.communicator.rank
        self.size: int = self.communicator.size
        self._groups: dict[tuple[int, ...], Communicator] = {self.communicator.ranks: self.communicator}

    def group(self, ranks: tuple[int, ...]) -> Communicator:
        """Return the group of ``ranks``, in this order; the first call makes it, together with its other members.

        Raises:
            WorldError: a rank is missing from the world, stands twice, or this rank is not among them.
        """
        if ranks not in self._groups:
            check_ranks(ranks, self.rank, self.size)
            self._groups[ranks] = GroupOfOne(self.rank) if len(ranks) == 1 else self._transport.group(ranks)
        return self._groups[ranks]

    def mailbox(self) -> Mailbox:
        """Make a mailbox at rank 0; every rank of the world calls it."""
        return self._transport.mailbox()

    def close(self) -> None:
        """Let go of the groups; the world cannot be used afterwards."""
        self._groups.clear()
        self._transport.close()


def started_by_mpi(environ: Mapping[str, str]) -> bool:
    """Return whether an MPI launcher started this process.

    >>> started_by_mpi({"PMI_RANK": "0", "PMI_SIZE": "4"}), started_by_mpi({})
    (True, False)
    """
    return any(name in environ for name in _LAUNCHERS)


def open_world() -> World:
    """Open the world of this process: MPI's if an MPI launcher started it, else a world of one.

    Raises:
        MpiMissingError: a launcher started it, but mpi4py or the MPI library is missing.
    """
    if not started_by_mpi(os.environ):
        return World(SoloTransport())
    from simpar.collectives.mpi import open_mpi_transport  # starts MPI, so only when it is wanted

    return World(open_mpi_transport())


def solo_world() -> World:
    """Return a world of one rank, which needs no MPI."""
    return World(SoloTransport())
