"""Buffers of a Cell: values that it keeps and updates, and that no optimizer trains."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Any

from simpar.errors import CellAttributeError, DTypeError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["CellBuffers"]


class CellBuffers(ABC):
    """Is the part of a Cell that holds buffers.

    A buffer is a Parameter that the lists of Parameters leave out. So programs update it where ``construct`` assigns
    it, and ranks hold it as they hold other Parameters.
    """

    _buffers: dict[str, Parameter | None]
    _passing: frozenset[str] = frozenset()
    """Which buffers ``state_dict`` leaves out."""

    @abstractmethod
    def cells_and_names(
        self, cells: Any = None, name_prefix: str = ""
    ) -> "Generator[tuple[str, CellBuffers], None, None]":
        """Give path and Cell for this one and all below."""

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Hold a value under a name, as an attribute.

        Args:
            name: of the attribute.
            tensor: the value, or None for a place that a Tensor assigned to it takes.
            persistent: whether ``state_dict`` has it.

        Raises:
            DTypeError: the name is no text, or ``tensor`` is neither a Tensor nor None.
            CellAttributeError: the name is empty, has a dot, or is that of another attribute; or ``super().__init__()``
                was not called yet.

        >>> from simpar import nn
        >>> net = nn.ReLU()
        >>> net.register_buffer("seen", Tensor([1, 2]))
        >>> net.seen.tolist(), [name for name, _ in net.named_buffers()]
        ([1, 2], ['seen'])
        """
        if not isinstance(name, str) or not isinstance(tensor, Tensor | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"register_buffer takes a text and a Tensor or None, not {name!r} and {tensor!r}.")
        if "_buffers" not in vars(self):
            raise CellAttributeError(f"call super().__init__() before registering buffer {name!r}.")
        if not name or "." in name or (name not in self._buffers and hasattr(self, name)):
            raise CellAttributeError(f"{name!r} cannot name a buffer here: it is empty, has a dot, or is taken.")
        self._buffers[name] = None
        self._passing = self._passing - {name} if persistent else self._passing | {name}
        self._refill_buffer(name, tensor)

    def _refill_buffer(self, name: str, value: Tensor | None) -> None:
        """Set the value of a buffer, in place if it has one."""
        held = self._buffers[name]
        if not isinstance(value, Tensor | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"buffer {name!r} of {type(self).__name__} takes a Tensor or None, not {value!r}.")
        if held is not None and value is not None:
            held.assign_value(value)
        else:
            path: str = vars(self).get("_prefix", "") + name
            self._buffers[name] = None if value is None else Parameter(value, name=path, requires_grad=False)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Generator[tuple[str, Tensor], None, None]:
        """Give path and value for the buffers of this Cell and, with ``recurse``, of those below.

        Args:
            prefix: what every path begins with, without the dot after it.
            recurse: whether to go below.
            remove_duplicate: taken as MindSpore does; each is given once.
        """
        for path, cell in self.cells_and_names(name_prefix=prefix) if recurse else [(prefix, self)]:
            for name, held in cell._buffers.items():
                if held is not None:
                    yield f"{path}.{name}" if path else name, held

    def buffers(self, recurse: bool = True) -> Generator[Tensor, None, None]:
        """Give the buffers of this Cell and, with ``recurse``, of those below."""
        for _, held in self.named_buffers(recurse=recurse):
            yield held

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a path below this Cell, ``"layer.seen"``.

        Raises:
            CellAttributeError: there is none.
        """
        found = dict(self.named_buffers())
        if target not in found:
            raise CellAttributeError(f"{type(self).__name__} has no buffer at {target!r}; it has {list(found)}.")
        return found[target]

    def _kept_buffers(self) -> Generator[tuple[str, Parameter], None, None]:
        """Give path and Parameter for the buffers that ``state_dict`` has."""
        for path, cell in self.cells_and_names():
            for name, held in cell._buffers.items():
                if held is not None and name not in cell._passing:
                    yield f"{path}.{name}" if path else name, held
