"""What a lesson shows, taken down from ranks as they work: who holds which numbers, and what moved.

Every rank has a ``Tape``. ``part`` says what this rank holds of one tensor, ``frame`` closes a picture of all ranks,
``frames`` brings their parts together as plain data for the dashboard's lessons.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simpar.collectives import Communicator, World
from simpar.layout import Layout

__all__ = ["Array", "Part", "Tape"]

Array = NDArray[np.float32]
Part = dict[str, Any]


class Tape:
    """Collects the frames of one lesson on one rank.

    Args:
        world: the ranks that take part.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._frames: list[dict[str, Any]] = []

    @property
    def rank(self) -> int:
        """The rank of this process."""
        return self.world.rank

    @property
    def all(self) -> Communicator:
        """The group of all ranks."""
        return self.world.communicator

    def cut(self, whole: Array, layout: Layout) -> Array:
        """Return this rank's slice of a whole tensor, a copy of its own."""
        return whole[tuple(slice(*ends) for ends in layout.box(whole.shape, self.rank))].copy()

    def part(self, name: str, held: Array, shape: Sequence[int], layout: Layout, kind: str = "slice") -> Part:
        """Return what this rank holds of a tensor: its numbers, where they stand, and what they are.

        Args:
            name: of the tensor.
            held: this rank's numbers.
            shape: of the whole tensor.
            layout: how it is cut, repeated or partial.
            kind: ``slice``, or ``term`` if the numbers are still to be summed; a copy is found from the layout.
        """
        if layout.is_partial:
            kind = "term"
        elif self.rank != layout.replicas(self.rank)[0]:
            kind = "copy"
        return self.held(name, held, layout.box(shape, self.rank), shape, kind) | {"dev_mat": list(layout.dev_mat)}

    def held(self, name: str, held: Array, box: Sequence[Sequence[int]], shape: Sequence[int], kind: str) -> Part:
        """Return the same for a box given by hand."""
        ends = [list(map(int, pair)) for pair in box]
        return {
            "name": name,
            "shape": list(shape),
            "box": ends,
            "values": _plain(held),
            "kind": kind,
            "dev_mat": [self.world.size],
        }

    def frame(
        self, name: str, parts: Sequence[Part], moved: str = "", group: Sequence[int] = (), sent_bytes: int = 0
    ) -> None:
        """Close a picture.

        Args:
            name: by which the lesson finds its words.
            parts: what this rank holds now.
            moved: the collective that led here, if one did.
            group: the ranks that took part in it together with this one.
            sent_bytes: what this rank sends in it.
        """
        self._frames.append(
            {"name": name, "moved": moved, "group": list(group), "sent_bytes": sent_bytes, "parts": list(parts)}
        )

    def frames(self) -> list[dict[str, Any]]:
        """Return the frames of all ranks, alike on each of them."""
        by_rank: list[list[dict[str, Any]]] = self.all.gather_objects(self._frames)
        return [
            {
                "name": own["name"],
                "moved": own["moved"],
                "groups": [list(g) for g in sorted({tuple(of[i]["group"]) for of in by_rank if of[i]["group"]})],
                "sent_bytes": max(of[i]["sent_bytes"] for of in by_rank),
                "ranks": [of[i]["parts"] for of in by_rank],
            }
            for i, own in enumerate(self._frames)
        ]


def _plain(values: Array) -> list[float]:
    """Return numbers in row-major order, whole ones without a fraction."""
    rounded = [round(float(v), 4) for v in values.reshape(-1)]
    return [int(v) if v.is_integer() else v for v in rounded]
