"""``comm_fusion``: how small collectives of one kind become one message.

Per kind of collective a *mode*: ``auto`` (messages of up to 64 MB), ``size`` (of up to ``config`` MB), and for
``allreduce`` also ``index`` (``config`` lists the places among the gradients where a new message starts).
"""

from typing import Any

from simpar.context.checks import bool_option, dict_option, int_option, rising_ints
from simpar.errors import ContextKeyError

__all__ = ["AUTO_FUSION_MB", "check_comm_fusion", "default_comm_fusion"]

AUTO_FUSION_MB = 64
"""How large a message may become in mode ``auto``."""

_MODES = {
    "allreduce": ("auto", "size", "index"),
    "allgather": ("auto", "size"),
    "reducescatter": ("auto", "size"),
}


def default_comm_fusion() -> dict[str, Any]:
    """Return MindSpore's default: fusion is on, and every kind in mode ``auto``."""
    return {"openstate": True, **{kind: {"mode": "auto", "config": None} for kind in _MODES}}


def check_comm_fusion(name: str, value: object) -> dict[str, Any]:
    """Return the settings that ``value`` makes, those of the kinds it does not name by default.

    Raises:
        DTypeError: not a dictionary of dictionaries, or a ``config`` of the wrong type.
        ContextKeyError: an unknown kind or mode, or ``mode`` or ``config`` is missing.
        ContextError: a size below 0, or places that do not rise.

    >>> check_comm_fusion("comm_fusion", {"allreduce": {"mode": "size", "config": 32}})["allreduce"]
    {'mode': 'size', 'config': 32}
    """
    settings = default_comm_fusion()
    for kind, given in dict_option(name, value).items():
        if kind == "openstate":
            settings[kind] = bool_option(f"{name}['openstate']", given)
        elif kind in _MODES:
            settings[kind] = _check_kind(f"{name}[{kind!r}]", given, _MODES[kind])
        else:
            raise ContextKeyError(f"{name} has no {kind!r}; its keys are 'openstate', {_quoted(_MODES)}.")
    return settings


def _check_kind(name: str, value: object, modes: tuple[str, ...]) -> dict[str, Any]:
    given = dict_option(name, value)
    if given.keys() != {"mode", "config"}:
        raise ContextKeyError(f"{name} has the keys {sorted(given)}; it needs 'mode' and 'config', and no other.")
    mode, config = given["mode"], given["config"]
    if mode not in modes:
        raise ContextKeyError(f"{name} has mode {mode!r}; choose one of {_quoted(modes)}.")
    if mode == "size":
        int_option(0)(f"{name}['config']", config)  # MB
    if mode == "index":
        config = rising_ints(f"{name}['config']", config)
    return {"mode": mode, "config": config}


def _quoted(names: Any) -> str:
    return ", ".join(repr(n) for n in names)
