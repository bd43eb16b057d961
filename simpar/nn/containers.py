"""Cells that hold other Cells in order; their Parameters are named by position: ``0.weight``, ``2.bias``."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, cast, overload

from simpar.errors import CellAttributeError, DTypeError
from simpar.nn.cell import Cell

__all__ = ["CellDict", "CellList", "SequentialCell"]


class _Ordered(Cell):
    """What both containers share: Cells by position."""

    def __init__(self, *args: Any, auto_prefix: bool = True) -> None:
        super().__init__(auto_prefix)
        for name, cell in _named(args):
            self._insert(name, cell)

    def _insert(self, name: str, cell: object) -> None:
        if not isinstance(cell, Cell):
            raise DTypeError(f"{type(self).__name__} holds Cells, not {type(cell).__name__}.")
        self._hold_cell(name, cell)

    def _refresh(self, cells: Iterable[Cell]) -> None:
        """Hold these Cells, each under its position."""
        held = list(cells)
        self._cells.clear()
        for place, cell in enumerate(held):
            self._insert(str(place), cell)

    def _list(self) -> list[Cell]:
        return [cell for cell in self._cells.values() if cell is not None]

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._list())

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> "Cell | Self":
        if isinstance(index, int):
            return self._list()[index]
        part = type(self)(auto_prefix=False)
        part._refresh(self._list()[index])
        return part

    def __setitem__(self, index: int, cell: Cell) -> None:
        self._insert(list(self._cells)[index], cell)

    def __delitem__(self, index: int | slice) -> None:
        cells = self._list()
        del cells[index]
        self._refresh(cells)

    def append(self, cell: Cell) -> Self:
        """Add a Cell at the end."""
        self._insert(str(len(self)), cell)
        return self


class SequentialCell(_Ordered):
    """Runs its Cells one after the other.

    Args:
        args: Cells, or one list or ordered dictionary of them.

    Raises:
        DTypeError: something else is given.
    """

    def construct(self, x: Any) -> Any:
        """Return what the last Cell makes of what the one before it made of ``x``."""
        for cell in self:
            x = cell(x)
        return x


class CellList(_Ordered):
    """Holds Cells in a list; call them yourself.

    Args:
        args: Cells, or one list of them.
        auto_prefix: whether the Parameters are named by position.
    """

    def extend(self, cells: Iterable[Cell]) -> Self:
        """Add Cells at the end."""
        for cell in cells:
            self.append(cell)
        return self

    __iadd__ = extend

    def insert(self, index: int, cell: Cell) -> None:
        """Put a Cell before the one at ``index``."""
        cells = self._list()
        cells.insert(index, cell)
        self._refresh(cells)


class CellDict(Cell):
    """Holds Cells under names, in order; call them yourself.

    Args:
        args: a mapping, or pairs of names and Cells.
        auto_prefix: whether the Parameters are named by their Cell's name.

    Raises:
        DTypeError: something else is given.
    """

    def __init__(self, *args: Any, auto_prefix: bool = True) -> None:
        super().__init__(auto_prefix)
        if args:
            self.update(args[0])

    def update(self, cells: Any) -> None:
        """Hold these Cells too, a mapping or pairs; one of a known name takes its place."""
        for name, cell in cells.items() if hasattr(cells, "items") else cells:
            self[name] = cell

    def __setitem__(self, key: object, cell: object) -> None:
        if not isinstance(key, str) or not isinstance(cell, Cell):
            raise DTypeError(f"CellDict holds Cells under names, not {type(cell).__name__} under {key!r}.")
        if not key or "." in key or (hasattr(self, key) and key not in self._cells):
            raise CellAttributeError(f"{key!r} cannot name a Cell of a CellDict: it is empty, has a dot, or is taken.")
        self._hold_cell(key, cell)

    def __getitem__(self, key: str) -> Cell:
        found = self._cells[key]
        assert found is not None, "a CellDict holds Cells"
        return found

    def __delitem__(self, key: str) -> None:
        del self._cells[key]

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __contains__(self, key: object) -> bool:
        return key in self._cells

    def clear(self) -> None:
        """Hold no Cell any more."""
        self._cells.clear()

    def pop(self, key: str) -> Cell:
        """Return a Cell and hold it no more."""
        cell = self[key]
        del self[key]
        return cell

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._cells.keys()

    def values(self) -> Iterable[Cell]:
        """Return the Cells."""
        return [self[key] for key in self]

    def items(self) -> Iterable[tuple[str, Cell]]:
        """Return names and Cells."""
        return [(key, self[key]) for key in self]


def _named(args: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Return names and Cells of what a container was made of."""
    if len(args) == 1 and isinstance(args[0], Mapping):
        return list(cast("Mapping[str, Any]", args[0]).items())
    if len(args) == 1 and isinstance(args[0], list | tuple):
        args = tuple(cast("Iterable[Any]", args[0]))
    return [(str(place), cell) for place, cell in enumerate(args)]
