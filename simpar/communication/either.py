"""``mindspore.ops.communication``: the functions of ``in_place``, some of which can be told to return new Tensors."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final

from simpar.communication import comm_func, in_place, letters, objects, process_groups
from simpar.communication.in_place import *  # noqa: F403
from simpar.communication.letters import *  # noqa: F403
from simpar.communication.objects import *  # noqa: F403
from simpar.communication.process_groups import *  # noqa: F403
from simpar.context import current
from simpar.errors import ContextError, DTypeError

__all__: list[str] = ["set_comm_ops_inplace"]
__all__ += in_place.__all__
__all__ += process_groups.__all__
__all__ += letters.__all__
__all__ += objects.__all__

Function = Callable[..., Any]


def _without_output(returning: Function) -> Function:
    def run(output: object, *args: Any, **named: Any) -> Any:
        return returning(*args, **named)

    return run


_RETURNING: Final[dict[str, Function]] = {
    "all_reduce": comm_func.all_reduce,
    "all_gather_into_tensor": _without_output(comm_func.all_gather_into_tensor),
    "reduce_scatter_tensor": _without_output(comm_func.reduce_scatter_tensor),
    "all_to_all": comm_func.all_to_all_with_output_shape,
    "all_to_all_single": comm_func.all_to_all_single_with_output_shape,
    "isend": comm_func.isend,
    "irecv": comm_func.irecv,
    "send": comm_func.send,
    "recv": comm_func.recv,
}
"""What the functions are that can return new Tensors."""


def set_comm_ops_inplace(is_enable: bool, func_list: Sequence[str] | None = None) -> None:
    """Say whether functions write into Tensors they are given, which they do at first, or return new ones.

    Args:
        is_enable: whether they write.
        func_list: their names; those that can do both if None.

    Raises:
        DTypeError: an argument has another type.
        ContextError: a function has another name, or only writes.
    """
    if not isinstance(is_enable, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DTypeError(f"is_enable is {is_enable!r}; give True or False.")
    names = list(_RETURNING) if func_list is None else list(func_list)
    if not is_enable and (strange := [name for name in names if name not in _RETURNING]):
        raise ContextError(
            f"{strange[0]} only writes into its Tensors; those that can return new ones: {list(_RETURNING)}."
        )
    told: dict[str, bool] = current().others.setdefault("comm_in_place", {})
    told.update(dict.fromkeys(names, is_enable))


def _either(name: str) -> Function:
    """Return the function that asks which of both it is."""
    writing, returning = getattr(letters if name in letters.__all__ else in_place, name), _RETURNING[name]

    @wraps(writing)
    def run(*args: Any, **named: Any) -> Any:
        is_told: dict[str, bool] = current().others.get("comm_in_place", {})
        return (writing if is_told.get(name, True) else returning)(*args, **named)

    return run


globals().update({name: _either(name) for name in _RETURNING})
