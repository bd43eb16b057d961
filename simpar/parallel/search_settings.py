"""MindSpore's settings of its search of strategies, kept so that scripts that set them run and read them back."""

from typing import Any, Final

from simpar.context import current
from simpar.errors import ContextError, DTypeError

__all__ = ["get_algo_parameters", "reset_algo_parameters", "set_algo_parameters"]

_DEFAULTS: Final[dict[str, bool | int | float]] = {
    "fully_use_devices": False,
    "elementwise_op_strategy_follow": False,
    "enable_algo_approxi": False,
    "algo_approxi_epsilon": 0.1,
    "tensor_slice_align_enable": False,
    "tensor_slice_align_size": 16,
}
_PLACE: Final = "algo_parameters"
_BOUNDS: Final = {"tensor_slice_align_size": (1, 1024), "algo_approxi_epsilon": (0.0, 1.0)}


def set_algo_parameters(**settings: Any) -> None:
    """Set the search of strategies: with ``fully_use_devices`` it cuts each op over all devices where it can.

    Other settings are kept and change nothing: simpar's search needs none of them.

    Raises:
        ContextError: there is no such setting, or a number is out of its bounds.
        DTypeError: a value of the wrong type.

    >>> set_algo_parameters(fully_use_devices=True)
    >>> get_algo_parameters("fully_use_devices")
    True
    """
    for name, value in settings.items():
        _check(name, value)
    current().others.setdefault(_PLACE, {}).update(settings)


def get_algo_parameters(attr_key: str) -> Any:
    """Return a setting, its default if it was not set.

    Raises:
        ContextError: there is no such setting.
    """
    _known(attr_key)
    return current().others.get(_PLACE, {}).get(attr_key, _DEFAULTS[attr_key])


def reset_algo_parameters() -> None:
    """Set every setting of the search back to its default."""
    current().others.pop(_PLACE, None)


def _known(name: str) -> None:
    if name not in _DEFAULTS:
        raise ContextError(f"{name!r} is no setting of the search; choose one of {', '.join(_DEFAULTS)}.")


def _check(name: str, value: Any) -> None:
    _known(name)
    wanted = type(_DEFAULTS[name])
    if type(value) is not wanted:
        raise DTypeError(f"{name} is {value!r}, a {type(value).__name__}; give a {wanted.__name__}.")
    low, high = _BOUNDS.get(name, (value, value))
    if not low <= value <= high:
        raise ContextError(f"{name} is {value}; give a number from {low} to {high}.")
