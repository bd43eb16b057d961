"""``Layout`` as MindSpore writes it: the device matrix has names, and a tensor map is written with them."""

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from simpar import layout
from simpar.errors import DTypeError, LayoutError

__all__ = ["Layout"]

NOT_CUT = "None"
"""The name for an axis that is not cut."""

INTERLEAVED = "interleaved_parallel"
"""The name of a device axis that is no device axis: slices of one device that take turns."""

Entry = str | tuple[str, ...]


class Layout:
    """A device matrix with a name for each axis; called with names it is the layout of one tensor.

    Args:
        device_matrix: ranks along each device axis, major first.
        alias_name: a name for each of them.
        rank_list: the rank at each place of the device matrix, row by row; in order if None.

    Raises:
        DTypeError: an argument is no tuple of whole numbers, of text, or no list of whole numbers.
        LayoutError: lengths differ, a number is below 1, a name is empty, taken or ``"None"``, or the ranks are not as
            many as places, each once.

    >>> made = Layout((2, 2, 2), ("dp", "sp", "mp"))("dp", ("sp", "mp"))
    >>> made.to_dict()["tensor_map"], made.to_layout().slice_shape((8, 8))
    ((2, (1, 0)), (4, 2))
    """

    __slots__ = ("_alias_name", "_device_matrix", "_rank_list", "_tensor_map")

    def __init__(
        self, device_matrix: tuple[int, ...], alias_name: tuple[str, ...], rank_list: list[int] | None = None
    ) -> None:
        self._device_matrix = _device_matrix(device_matrix)
        self._alias_name = _names(alias_name, self._device_matrix)
        self._rank_list = _rank_list(rank_list, prod(self._device_matrix))
        self._tensor_map: tuple[int | tuple[int, ...], ...] | None = None

    def __call__(self, *tensor_map: Entry) -> "Layout":
        """Return the layout of a tensor: for each of its axes a name, a tuple of names, or ``"None"``.

        Raises:
            DTypeError: an entry is neither.
            LayoutError: a name is not known, or used twice.
        """
        made = Layout.__new__(Layout)
        made._device_matrix, made._alias_name, made._rank_list = self._device_matrix, self._alias_name, self._rank_list
        entries = [self._axes(entry) for entry in tensor_map]
        used = [a for axes in entries for a in axes]
        for a in used:
            if used.count(a) > 1:
                raise LayoutError(
                    f"{self._name_of(a)!r} is used {used.count(a)} times in {tensor_map}. A device axis can cut one "
                    "axis of a tensor."
                )
        made._tensor_map = tuple(-1 if not axes else axes[0] if len(axes) == 1 else axes for axes in entries)
        return made

    def _axes(self, entry: object) -> tuple[int, ...]:
        """Return the device axes, counted from the right, that an entry names."""
        given = cast("tuple[object, ...]", entry if isinstance(entry, tuple) else (entry,))
        names = [name for name in given if name != NOT_CUT]
        for name in names:
            if not isinstance(name, str):
                raise DTypeError(f"{entry!r} is no name of a device axis: give one of {self._alias_name}, or 'None'.")
            if name not in self._alias_name:
                raise LayoutError(f"{name!r} is no device axis: choose among {self._alias_name}, or 'None'.")
        return tuple(len(self._alias_name) - 1 - self._alias_name.index(str(name)) for name in names)

    def _name_of(self, device_axis: int) -> str:
        return self._alias_name[len(self._alias_name) - 1 - device_axis]

    def to_dict(self) -> dict[str, Any]:
        """Return its members as a dictionary.

        Raises:
            LayoutError: it was not called with names yet.
        """
        return {
            "device_matrix": self._device_matrix,
            "tensor_map": self._called(),
            "interleaved_parallel": INTERLEAVED in self._alias_name,
            "alias_name": self._alias_name,
            "rank_list": list(range(prod(self._device_matrix)) if self._rank_list is None else self._rank_list),
        }

    def to_layout(self) -> layout.Layout:
        """Return it as simpar computes with it: slices of one device that take turns are one slice with ``turns``.

        Raises:
            LayoutError: it was not called with names yet.
        """
        if INTERLEAVED not in self._alias_name:
            return layout.Layout(self._device_matrix, self._called(), self._rank_list)
        *devices, turns = self._device_matrix
        ranks = self._rank_list and tuple(r // turns for r in self._rank_list[::turns])
        return layout.Layout(
            tuple(devices),
            tuple(map(_of_devices, self._called())),
            ranks,
            turns=tuple(turns if 0 in (e if isinstance(e, tuple) else (e,)) else 1 for e in self._called()),
        )

    def _repr_svg_(self) -> str | None:
        return None if self._tensor_map is None else self.to_layout().show().svg()

    def _called(self) -> tuple[int | tuple[int, ...], ...]:
        if self._tensor_map is None:
            raise LayoutError(
                f"{self!r} says nothing of a tensor yet. Call it with a name for each axis, e.g. layout"
                f"({self._alias_name[0]!r}, 'None')."
            )
        return self._tensor_map

    def __repr__(self) -> str:
        called = "" if self._tensor_map is None else f", tensor_map={self._tensor_map}"
        return f"Layout(device_matrix={self._device_matrix}, alias_name={self._alias_name}{called})"


def _of_devices(entry: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """Return an entry of a tensor map without the last axis of the device matrix, which is no axis of devices."""
    left = tuple(a - 1 for a in (entry if isinstance(entry, tuple) else (entry,)) if a > 0)
    return left if len(left) > 1 else left[0] if left else -1


# --- checks ---


def _device_matrix(given: object) -> tuple[int, ...]:
    if not isinstance(given, tuple):
        raise DTypeError(f"device_matrix is {given!r}; give a tuple of whole numbers, e.g. (2, 4).")
    numbers = tuple(_whole("device_matrix", n) for n in cast("tuple[object, ...]", given))
    if not numbers or min(numbers) < 1:
        raise LayoutError(f"device_matrix is {numbers}; each axis needs at least 1 rank, e.g. (2, 4).")
    return numbers


def _names(given: object, device_matrix: tuple[int, ...]) -> tuple[str, ...]:
    if not isinstance(given, tuple):
        raise DTypeError(f"alias_name is {given!r}; give a tuple of names, e.g. ('dp', 'mp').")
    for name in cast("tuple[object, ...]", given):
        if not isinstance(name, str):
            raise DTypeError(f"alias_name holds {name!r}; give names, e.g. ('dp', 'mp').")
        if not name or name == NOT_CUT:
            raise LayoutError(
                f"alias_name holds {name!r}, which is no name: 'None' stands for an axis that is not cut."
            )
    names = cast("tuple[str, ...]", given)
    if len(names) != len(device_matrix):
        raise LayoutError(
            f"device_matrix {device_matrix} and alias_name {names} differ in length; name each axis once."
        )
    if len(set(names)) < len(names):
        raise LayoutError(f"alias_name {names} gives a name twice; name each axis differently.")
    if INTERLEAVED in names[:-1]:
        raise LayoutError(f"alias_name {names}: {INTERLEAVED!r} has to be the last name.")
    return names


def _rank_list(given: object, size: int) -> tuple[int, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        raise DTypeError(f"rank_list is {given!r}; give a list of ranks, e.g. [0, 1].")
    ranks = tuple(_whole("rank_list", r) for r in cast("Sequence[object]", given))
    if len(ranks) != size or len(set(ranks)) != size or min(ranks) < 0:
        raise LayoutError(f"rank_list {list(ranks)} must name {size} different ranks, one for each place.")
    return ranks


def _whole(name: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise DTypeError(f"{name} holds {given!r}; give whole numbers.")
    return given
