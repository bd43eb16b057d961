"""``reshard``: MindSpore's name for a value that is wanted in a layout from here on."""

from typing import Any

from simpar.errors import DTypeError
from simpar.layout import Layout
from simpar.tensor import Tensor, call

__all__ = ["reshard"]


def reshard(tensor: Tensor, layout: Any) -> Tensor:
    """Return the value, redistributed to a layout in semi_auto_parallel and auto_parallel mode.

    Args:
        tensor: the value.
        layout: a ``simpar.Layout`` that was called with names.

    Raises:
        DTypeError: ``layout`` is none.

    >>> reshard(Tensor([1.0, 2.0]), Layout((1,), (0,))).tolist()
    [1.0, 2.0]
    """
    wanted = layout.to_layout() if hasattr(layout, "to_layout") else layout
    if not isinstance(wanted, Layout):
        raise DTypeError(
            f"Reshard only support type mindspore.parallel.Layout, not {layout!r}: give e.g. "
            "Layout((2, 4), ('dp', 'mp'))('dp', 'mp')."
        )
    made = call("identity", tensor, strategy=(wanted,))
    assert isinstance(made, Tensor), "identity has one result"
    return made
